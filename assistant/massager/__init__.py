"""One small interface for every massager. No kind may hold a limit weaker than `assistant.safety`.

A kind only carries what the governor decided: it never switches on by itself, and `off` never
waits. What a device cannot do itself is said in its `Capabilities`, not imitated.
"""

from dataclasses import dataclass
from typing import Protocol

from assistant.messages import MassagerReport
from audio.errors import MassagerUnsafe


@dataclass(frozen=True)
class Capabilities:
    """What the device guarantees by itself."""

    levels: int
    """How many levels it has; 1 means on or off only, the person sets the strength."""
    holds_lease: bool
    """It goes off by itself when a lease runs out."""
    real: bool
    """It can touch a person; a practice ear may not arm it."""


class Massager(Protocol):
    """A device that can be on for a lease at a time.

    Neither call blocks or raises during a session: what went wrong shows in `report`.
    """

    name: str
    capabilities: Capabilities

    def lease(self, level: int, seconds: float) -> None:
        """Switch on (or stay on) at `level`, from 1, for `seconds` and not longer.

        Not carried out: a level that the device does not have, and, where a network lies between,
        any lease after the device went off unasked, until `off` was called.
        """

    def off(self) -> None:
        """Switch off, now, and repeat until the device confirms. Calling it again is harmless."""

    def report(self, now: float) -> MassagerReport:
        """Return the newest state that the device itself confirmed, in session time `now`."""

    def close(self) -> None:
        """Switch off and let go of the device. Calling it again is harmless."""


class RealMassager(Massager, Protocol):
    """A device that exists: it can be out of reach, and can be put to the test."""

    quiet: bool
    """Say no off of one's own accord: for the test, in which only the device's own off counts. It
    is still asked as in a session, for a device may lose its time limit by being asked."""

    @property
    def trouble(self) -> MassagerUnsafe | None:
        """Why it cannot be reached; None as far as is known."""
