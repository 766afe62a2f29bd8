"""The shape of a table in config/: typed fields, no unknown keys, each fault with its remedy.

It must never guess what a value was meant to be: "yes" is not true and "5" is not 5.
"""

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError
from pydantic_core import ErrorDetails

from assistant.problem import Problem, problem
from assistant.quiet_hours import PATTERN as QUIET_HOURS
from assistant.toml_file import Keys, TomlFile

Text = StrictStr
Flag = StrictBool
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Day = Annotated[date, Field(strict=True)]
Sentences = tuple[Annotated[str, Field(strict=True, min_length=1)], ...]


class Table(BaseModel):
    """A TOML table with a closed set of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


T = TypeVar("T", bound=Table)

_KINDS = {
    "float_type": "give a number",
    "int_type": "give a whole number",
    "bool_type": "use true or false",
    "string_type": "put it in quotes",
    "string_too_short": "write something or remove it",
    "tuple_type": 'give a list, as ["..."]',
    "model_type": "give a table",
    "dict_type": "give a table",
    "date_type": "give a day as 2026-11-22, without quotes",
    "missing": "is missing: add it",
}

_PATTERNS = {QUIET_HOURS: 'write it as "22:00-07:00"'}
_DIGITS = 'use digits, as "112"'


def read_table(
    model: type[T], file: TomlFile, data: object, at: Keys = ()
) -> tuple[T | None, list[Problem]]:
    """The table `data`, which stands at `at` in `file`, as a `model`; or every problem in it."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, [_told(model, file, at, details) for details in error.errors()]


def _told(model: type[Table], file: TomlFile, at: Keys, details: ErrorDetails) -> Problem:
    where = (*at, *details["loc"])
    kind, value = details["type"], details["input"]
    if kind == "missing":
        return problem(file.path, file.line(where), where, None, _KINDS[kind])
    if kind == "extra_forbidden":
        remedy = unknown_key(str(where[-1]), _names(model, details["loc"]))
        return problem(file.path, file.line(where), where, None, remedy)
    if kind == "string_pattern_mismatch":
        remedy = _PATTERNS.get(details.get("ctx", {}).get("pattern", ""), _DIGITS)
        return problem(file.path, file.line(where), where, value, remedy)
    remedy = _KINDS.get(kind) or details["msg"].replace("Input should be", "it must be")
    return problem(file.path, file.line(where), where, value, remedy)


def _names(model: Any, loc: Sequence[str | int]) -> Sequence[str]:
    """The keys that may stand where an unknown one stood."""
    for part in loc[:-1]:
        if isinstance(part, str):
            model = model.model_fields[part].annotation
        while not hasattr(model, "model_fields"):
            model = next(a for a in model.__args__ if a not in (Ellipsis, type(None)))
    return tuple(model.model_fields)


def unknown_key(key: str, known: Sequence[str]) -> str:
    """The remedy for a key that means nothing here."""
    near = get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    return f"there is no such key: remove it, or {hint}"
