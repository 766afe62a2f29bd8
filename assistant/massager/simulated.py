"""A massager without hardware, the default: it obeys the same contract and keeps a timed log.

It must never be gentler with us than a real device: it holds its own lease, hears nothing while it
is out of reach, and can be made to fail the three ways that devices fail.
"""

from collections.abc import Callable
from typing import NamedTuple

from assistant.massager import Capabilities
from assistant.messages import MassagerReport
from assistant.safety import LEASE_SECONDS

LEVELS = 5
LIE_SECONDS = 1.0
"""How long a lying device is believed: the next time it is asked, it says what it really does."""


class Moment(NamedTuple):
    """What the device did from `at`, in seconds of its clock, until the next moment."""

    at: float
    on: bool
    level: int


class SimulatedMassager:
    """Five levels and a lease of its own, in the time that `clock` tells (seconds).

    `longest_seconds` is the longest lease that the device grants; it can only be made shorter than
    the constant. Set the three faults at any time, and back.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        name: str = "simulated",
        longest_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.name = name
        self.capabilities = Capabilities(levels=LEVELS, holds_lease=True, real=False)
        self.silent = False
        """It obeys, and its own timer runs, but it confirms nothing more."""
        self.unreachable = False
        """It neither hears nor confirms; a lease is lost, an off is repeated until it is back."""
        self.liar = False
        """It confirms every off at once, and stays on until its lease runs out."""
        self._clock = clock
        self._longest = min(longest_seconds, LEASE_SECONDS)
        self._history = [Moment(clock(), False, 0)]
        self._until = float("-inf")
        self._off_due = False
        self._lied_at = float("-inf")
        self._confirmed: Moment | None = None

    @property
    def history(self) -> tuple[Moment, ...]:
        """Every change since the start, the first one the off at the start."""
        self._catch_up()
        return tuple(self._history)

    @property
    def on(self) -> bool:
        """What it really does now, whatever it confirms."""
        return self.history[-1].on

    @property
    def level(self) -> int:
        """What it really does now: 0 when off."""
        return self.history[-1].level

    def lease(self, level: int, seconds: float) -> None:
        """Switch on at `level` (1 to 5) for `seconds`; anything else is not carried out."""
        self._catch_up()
        if self.unreachable or level not in range(1, LEVELS + 1) or not seconds > 0:
            return
        now = self._clock()
        self._until = now + min(seconds, self._longest)
        self._off_due, self._lied_at = False, float("-inf")
        self._becomes(now, True, level)
        self._confirm()

    def off(self) -> None:
        """Switch off; out of reach, as soon as it is back."""
        self._off_due = True
        self._catch_up()
        self._confirm()

    def report(self, now: float) -> MassagerReport:
        """Return what it last confirmed, its age counted back from `now`."""
        self._catch_up()
        self._confirm()
        if self._confirmed is None:
            return MassagerReport(None, 0, now)
        at, on, level = self._confirmed
        return MassagerReport(on, level, now - (self._clock() - at))

    def close(self) -> None:
        """Switch off."""
        self.off()

    def _catch_up(self) -> None:
        """Do what fell due since the last call: the lease that ran out, the off that waited."""
        now = self._clock()
        if self._history[-1].on and now >= self._until:
            self._becomes(self._until, False, 0)
        if self._off_due and not self.unreachable:
            self._off_due = False
            if not self.liar:
                self._becomes(now, False, 0)
            elif self._history[-1].on:
                self._lied_at = now

    def _becomes(self, at: float, on: bool, level: int) -> None:
        if self._history[-1][1:] != (on, level):
            self._history.append(Moment(at, on, level))

    def _confirm(self) -> None:
        if self.silent or self.unreachable:
            return
        now, (_, on, level) = self._clock(), self._history[-1]
        believed = now - self._lied_at < LIE_SECONDS
        self._confirmed = Moment(now, False, 0) if believed else Moment(now, on, level)
