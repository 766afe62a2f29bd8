"""The machine's clock, which anybody can set: notices a jump, and tells time that no jump moves.

It must never be what a lease, a limit or a rest is counted by.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from audio.messages import Fault

JUMPED = "clock_jumped"
JUMP_SECONDS = 30.0
"""Less is how a machine that just found a time server mends its clock."""
_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Moment:
    """A point in time: by the clock, and by what the machine counts since it started."""

    wall: float
    """Seconds since 1970, as far as the clock is right."""
    boot: str = ""
    """Which start of the machine `uptime` counts from; empty where that is unknown."""
    uptime: float = 0.0
    """Seconds since then, sleep included; nobody can set it."""

    @classmethod
    def now(cls) -> "Moment":
        """This moment."""
        boot = ""
        with suppress(OSError):
            boot = _BOOT_FILE.read_text(encoding="ascii").strip()
        return cls(time.time(), boot, time.clock_gettime(time.CLOCK_BOOTTIME))

    def seconds_since(self, earlier: "Moment") -> float:
        """How long ago `earlier` was; only across a start of the machine the clock is believed."""
        if self.boot and self.boot == earlier.boot:
            return self.uptime - earlier.uptime
        return self.wall - earlier.wall

    def latest_end(self, began: "Moment", seconds: float) -> "Moment":
        """When what began at `began`, went on for `seconds` and is over by now ended at the latest.

        Before this start of the machine if it began before that, whatever the clock said then: a
        clock that was wrong at a power cut makes the time since then look like months.
        """
        if self.boot == began.boot:
            return Moment(began.wall + seconds, began.boot, began.uptime + seconds)
        return Moment(self.wall - self.uptime, self.boot, 0.0)


def time_of_day() -> int:
    """What the clock on the wall shows, in minutes since midnight."""
    shown = time.localtime()
    return 60 * shown.tm_hour + shown.tm_min


class WallClock:
    """Compares the clock with one that cannot be set."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._apart = wall() - steady()

    def jumped(self) -> Fault | None:
        """The fault, once, when the clock was set since the last call or the machine slept."""
        apart = self._wall() - self._steady()
        jump, self._apart = apart - self._apart, apart
        return Fault(JUMPED, f"by {jump:+.0f} s") if abs(jump) > JUMP_SECONDS else None
