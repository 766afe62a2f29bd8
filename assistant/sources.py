"""Where a fact comes from: config/sources.toml, and the check that every named source is in it.

It must never judge a source; what was read, how and when is written in the file.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.problem import Problem, problem
from assistant.shape import Day, Table, Text, read_table
from assistant.toml_file import Keys, TomlFile


@dataclass(frozen=True)
class Source:
    """One source: an empty `url` says that it has none."""

    id: str
    title: str
    url: str
    read: str
    """How it was read: the page itself, or a copy of some date."""
    checked: date


class _SourceTable(Table):
    title: Text
    url: Text
    read: Text
    checked: Day


def read_sources(file: TomlFile) -> tuple[dict[str, Source], list[Problem]]:
    """Every source by its id, and every problem."""
    sources: dict[str, Source] = {}
    problems: list[Problem] = []
    for name, data in file.data.items():
        table, found = read_table(_SourceTable, file, data, (name,))
        problems += found
        if table is not None:
            sources[name] = Source(name, table.title, table.url, table.read, table.checked)
    return sources, problems


def unknown_sources(
    file: TomlFile, at: Keys, named: Sequence[str], known: Collection[str]
) -> list[Problem]:
    """A problem for each name that is not a source, and one where no source is named at all."""
    if not named:
        return [problem(file.path, file.line(at), at, None, "name at least one source")]
    return [
        problem(file.path, file.line((*at, index)), (*at, index), name, "add it to sources.toml")
        for index, name in enumerate(named)
        if name not in known
    ]


def oldest(named: Sequence[str], sources: Mapping[str, Source]) -> str:
    """The earliest day, as YYYY-MM-DD, on which one of these sources was read."""
    days = [sources[name].checked for name in named if name in sources]
    return min(days).isoformat() if days else ""
