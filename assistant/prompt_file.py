"""Reads prompts from TOML tables: a list of sentences, or a table with `say`.

It must never let a prompt through whose blanks cannot be filled.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assistant.problem import Problem, problem
from assistant.script import Prompt, Value, blanks
from assistant.toml_file import Keys, TomlFile

_OPTIONS = ("say", "values", "teaches")


MOST_VALUES = 200


def read_prompts(file: TomlFile) -> tuple[list[Prompt], list[Problem]]:
    """Every prompt of a prompts file, and every problem found on the way."""
    reading = _Reading(file)
    found = [reading.prompt(keys, table) for keys, table in _tables(file.data, ())]
    return [prompt for prompt in found if prompt is not None], reading.problems


def missing_prompts(
    file: TomlFile, prompts: Iterable[Prompt], wanted: Iterable[Prompt]
) -> list[Problem]:
    """A problem for each wanted prompt that is not there, or needs blanks that nobody fills."""
    there = {prompt.id: prompt for prompt in prompts}
    problems: list[Problem] = []
    for prompt in wanted:
        where = tuple(prompt.id.split("."))
        own = there.get(prompt.id)
        if own is None:
            problems.append(problem(file.path, 0, where, None, "is missing: a session speaks it"))
            continue
        for name in own.values.keys() - prompt.values.keys():
            remedy = "nothing fills this blank: remove it"
            problems.append(problem(file.path, file.line(where), where, f"{{{name}}}", remedy))
    return problems


def _tables(data: Mapping[str, Any], above: Keys) -> Iterator[tuple[Keys, Any]]:
    """Everything that is, or ought to be, a prompt: what is not a table of further prompts."""
    if above and "say" in data:
        yield above, {key: data[key] for key in _OPTIONS if key in data}
    for key, value in data.items():
        if "say" in data and key in _OPTIONS:
            continue
        if isinstance(value, dict):
            yield from _tables(value, (*above, key))
        else:
            yield (*above, key), value


class _Reading:
    """One file being read, with the problems so far."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def _refuse(self, where: Keys, value: object, remedy: str) -> None:
        line = self._file.line(where)
        self.problems.append(problem(self._file.path, line, where, value, remedy))

    def prompt(self, keys: Keys, found: Any) -> Prompt | None:
        """The prompt at `keys`, or None when it has a problem."""
        before = len(self.problems)
        table = found if isinstance(found, dict) else {"say": found}
        say, teaches, given = table["say"], table.get("teaches", False), table.get("values", {})
        if not isinstance(teaches, bool):
            self._refuse((*keys, "teaches"), teaches, "use true or false")
        values: dict[str, tuple[Value, ...]] = {}
        if not (isinstance(say, list) and say and all(_is_sentence(item) for item in say)):
            self._refuse(keys, say, "give a list of sentences in quotes")
        elif not isinstance(given, dict):
            self._refuse((*keys, "values"), given, 'write it as { number = "0-10" }')
        else:
            values = {name: self._row((*keys, "values", name), row) for name, row in given.items()}
            self._check_blanks(keys, say, values)
        if len(self.problems) > before:
            return None
        return Prompt(".".join(map(str, keys)), tuple(say), values, teaches)

    def _check_blanks(self, keys: Keys, say: Iterable[str], values: Mapping[str, object]) -> None:
        needed: set[str] = set()
        for sentence in say:
            try:
                needed.update(blanks(sentence))
            except ValueError:
                self._refuse(keys, sentence, "close each brace, or write no brace")
        for name in sorted(needed - values.keys()):
            self._refuse(keys, f"{{{name}}}", f'add values = {{ {name} = "0-10" }}')
        for name in sorted(values.keys() - needed):
            self._refuse((*keys, "values", name), name, "no sentence has this blank: remove it")

    def _row(self, where: Keys, given: Any) -> tuple[Value, ...]:
        if isinstance(given, list) and given and all(type(item) in (int, str) for item in given):
            return tuple(given)
        low, dash, high = given.partition("-") if isinstance(given, str) else ("", "", "")
        if dash and low.isdecimal() and high.isdecimal():
            row = range(int(low), int(high) + 1)
            if 0 < len(row) <= MOST_VALUES:
                return tuple(row)
        self._refuse(where, given, 'use "0-10" for a row of numbers, or a list like [5, 10]')
        return ()


def _is_sentence(item: object) -> bool:
    return isinstance(item, str) and bool(item.strip())
