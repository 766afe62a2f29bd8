"""The hours in which a home sleeps; it must never read a clock: the time of day is a value."""

import re
from dataclasses import dataclass

PATTERN = r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$"
"""As "22:00-07:00"; empty is never."""
QUIET_DB = -12.0
"""How much lower the voice is then: clear at the bed, not in the next room."""
_DAY = 24 * 60


@dataclass(frozen=True)
class QuietHours:
    """From `begins` until `ends`, minutes since midnight; over midnight where it ends earlier."""

    begins: int
    ends: int

    def hold(self, minutes: int) -> bool:
        """Whether it is quiet at this time of day, in minutes since midnight."""
        return (minutes - self.begins) % _DAY < (self.ends - self.begins) % _DAY


def quiet_hours(text: str) -> QuietHours | None:
    """What a setting says; None is never. Raises `ValueError` for anything but `PATTERN`."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} are no quiet hours: write them as 22:00-07:00")
    if not text:
        return None
    begins, ends = (60 * int(at[:2]) + int(at[3:]) for at in text.split("-"))
    return QuietHours(begins, ends)
