"""One broken thing in a file of config/, and the error that carries all of them at once.

It must never hold more than a person needs to mend it: the file, the line, the value, the remedy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audio.errors import NotFit

LONGEST_VALUE = 60


@dataclass(frozen=True, order=True)
class Problem:
    """`where` is the path of keys inside the file, as "steps.2.seconds"; line 0 is no line."""

    file: str
    line: int
    where: str
    value: str
    remedy: str

    def __str__(self) -> str:
        """One line: `neck.toml:14: steps.2.seconds is 900: use 5 to 300 s`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        named = " ".join(part for part in (self.where, self.value and f"is {self.value}") if part)
        return f"{place}: {named}: {self.remedy}" if named else f"{place}: {self.remedy}"


def problem(
    file: Path | str, line: int, where: Sequence[str | int], value: object, remedy: str
) -> Problem:
    """A `Problem`, with its value shortened to what fits on a line; None means no value to show."""
    told = "" if value is None else " ".join(repr(value).split())
    if len(told) > LONGEST_VALUE:
        told = f"{told[: LONGEST_VALUE - 3]}..."
    return Problem(str(file), line, ".".join(map(str, where)), told, remedy)


class ConfigError(NotFit):
    """Every problem of every file, one a line; `problems` has them as values."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("; ".join(map(str, self.problems)))

    def __str__(self) -> str:
        """One line for each problem: a person mends a file line by line."""
        return "\n".join(map(str, self.problems))
