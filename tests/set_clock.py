"""A clock for one process that can be set without touching the machine's (libfaketime).

It must never move what nobody can set: the time since the machine started.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

DAY = 86_400.0
LIBRARY = "faketime/libfaketimeMT.so.1"


def found() -> Path | None:
    """Where libfaketime is, if anywhere."""
    return next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)


def library() -> Path:
    """Where libfaketime is; skips without one, but fails where CI is set."""
    there = found()
    if there is None:
        reason = "no libfaketime here: apt-get install faketime"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return there


@dataclass(frozen=True)
class SetClock:
    """The clock of every process that is started with `environment`."""

    file: Path

    def __post_init__(self) -> None:
        self.set_by(0.0)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set_by(self, seconds: float) -> None:
        """Somebody sets it, so far from the machine's; negative is back."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+.0f}\n")
        new.replace(self.file)
