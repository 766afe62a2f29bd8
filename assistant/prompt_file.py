"""Reads prompts from TOML tables: a list of sentences, or a table with `say`.

It must never let a prompt through whose blanks cannot be filled.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assistant.problem import Problem, problem
from assistant.script import Prompt, Value, blanks
from assistant.toml_file import Keys, TomlFile

_OPTIONS = ("say", "values", "teaches")


class _Refused(Exception):
    def __init__(self, where: Keys, value: object, remedy: str) -> None:
        super().__init__(remedy)
        self.where, self.value, self.remedy = where, value, remedy


def read_prompts(file: TomlFile) -> tuple[list[Prompt], list[Problem]]:
    """Every prompt of a prompts file, and every problem found on the way."""
    prompts: list[Prompt] = []
    problems: list[Problem] = []
    for keys, found in _tables(file.data, ()):
        try:
            prompts.append(_prompt(keys, found))
        except _Refused as no:
            line = file.line(no.where)
            problems.append(problem(file.path, line, no.where, no.value, no.remedy))
    return prompts, problems


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


def _prompt(keys: Keys, found: Any) -> Prompt:
    table = found if isinstance(found, dict) else {"say": found}
    say = table["say"]
    if not (isinstance(say, list) and say and all(isinstance(s, str) and s.strip() for s in say)):
        raise _Refused(keys, say, "give a list of sentences in quotes")
    if not isinstance(table.get("teaches", False), bool):
        raise _Refused((*keys, "teaches"), table["teaches"], "use true or false")
    values = _values(keys, table.get("values", {}))
    _check_blanks(keys, say, values)
    return Prompt(".".join(map(str, keys)), tuple(say), values, table.get("teaches", False))


def _check_blanks(keys: Keys, say: Iterable[str], values: Mapping[str, object]) -> None:
    needed: set[str] = set()
    for sentence in say:
        try:
            needed.update(blanks(sentence))
        except ValueError:
            raise _Refused(keys, sentence, "close each brace, or write no brace") from None
    for name in sorted(needed - values.keys()):
        raise _Refused(keys, f"{{{name}}}", f'add values = {{ {name} = "0-10" }}')
    for name in sorted(values.keys() - needed):
        raise _Refused((*keys, "values", name), name, "no sentence has this blank: remove it")


def _values(keys: Keys, found: Any) -> dict[str, tuple[Value, ...]]:
    if not isinstance(found, dict):
        raise _Refused((*keys, "values"), found, 'write it as { number = "0-10" }')
    return {name: _one_value((*keys, "values", name), given) for name, given in found.items()}


def _one_value(where: Keys, given: Any) -> tuple[Value, ...]:
    if isinstance(given, list) and given and all(type(item) in (int, str) for item in given):
        return tuple(given)
    low, dash, high = given.partition("-") if isinstance(given, str) else ("", "", "")
    if dash and low.isdigit() and high.isdigit() and int(low) <= int(high) <= int(low) + 200:
        return tuple(range(int(low), int(high) + 1))
    raise _Refused(where, given, 'use "0-10" for a row of numbers, or a list like [5, 10]')
