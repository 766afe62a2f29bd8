"""Where a person is in a routine: which step, how much of it is left, what comes when.

Pure: time is told in seconds passed. It must never speak or switch anything.
"""

from dataclasses import dataclass
from enum import Enum

from assistant.routine import LIMIT_SECONDS, Routine, Step

HOLD_SECONDS = 10.0
"""A hold that the person calls for; the article says an extra few seconds on a knot."""
LONGEST_HOLD_SECONDS = 60.0
LONGER_STEP_SECONDS = 30.0
LONGEST_STEP_SECONDS = 300.0
COMING_SECONDS = 9.0
"""The next step is announced this long before the time runs out."""


class Happening(Enum):
    """What a countdown reaches."""

    CUE = "cue"
    COMING = "coming"
    TICK = "tick"
    HOLD = "hold"
    OVER = "over"


@dataclass(frozen=True)
class Mark:
    """Something that happens when `left` seconds are left."""

    left: float
    happening: Happening
    number: int = 0


class Countdown:
    """Seconds that run down past marks; they run only when told that time passed."""

    def __init__(self, seconds: float, marks: tuple[Mark, ...]) -> None:
        self.left = seconds
        self._marks = sorted(marks, key=lambda mark: -mark.left)

    @property
    def next_in(self) -> float:
        """Seconds until the next mark; infinite when every mark is behind."""
        return max(0.0, self.left - self._marks[0].left) if self._marks else float("inf")

    def run(self, seconds: float) -> list[Mark]:
        """Let `seconds` pass and return the marks that were reached, in order."""
        self.left = max(0.0, self.left - seconds)
        reached: list[Mark] = []
        while self._marks and self.left <= self._marks[0].left + 1e-6:
            reached.append(self._marks.pop(0))
        return reached

    def extend(self, seconds: float) -> None:
        """Add time; the marks still to come keep their distance from the end."""
        self.left += seconds


def _ticks() -> tuple[Mark, ...]:
    return tuple(Mark(float(n), Happening.TICK, n) for n in (3, 2, 1))


def step_countdown(step: Step, *, last: bool) -> Countdown:
    """The marks of one step: cues, the word of what comes, 3-2-1, the end or its own hold."""
    end = step.hold_seconds
    marks = [Mark(end, Happening.HOLD if end else Happening.OVER)]
    marks += [
        Mark(step.seconds - cue.at_seconds, Happening.CUE, number)
        for number, cue in enumerate(step.cues, start=1)
        if step.seconds - cue.at_seconds > end
    ]
    if not end:
        marks += _ticks()
    if not last and step.seconds - end > 2 * COMING_SECONDS:
        marks.append(Mark(end + COMING_SECONDS, Happening.COMING))
    return Countdown(step.seconds, tuple(marks))


class Course:
    """The way through one routine."""

    def __init__(self, routine: Routine) -> None:
        self.routine = routine
        self.index = 0
        self.hold: Countdown | None = None
        self.held_seconds = 0.0
        self.spent_seconds = 0.0
        """Time that ran so far, in steps and holds."""
        self.done = 0
        """Steps that ran to their end."""
        self.go_to(0)

    @property
    def step(self) -> Step:
        """The step that is on."""
        return self.routine.steps[self.index]

    @property
    def last(self) -> bool:
        """No step comes after this one."""
        return self.index == len(self.routine.steps) - 1

    @property
    def coming(self) -> Step | None:
        """The step after this one."""
        return None if self.last else self.routine.steps[self.index + 1]

    @property
    def seconds_left(self) -> float:
        """Time of this step and all that follow, without the speaking between them."""
        later = self.routine.steps[self.index + 1 :]
        return self.countdown.left + sum(step.seconds for step in later)

    def _fits(self, more: float) -> bool:
        """With so many seconds more it all stays within the limit of its tool."""
        held = self.hold.left if self.hold else 0.0
        whole = self.spent_seconds + held + self.seconds_left + more
        return whole <= LIMIT_SECONDS[self.routine.tool]

    def go_to(self, index: int) -> None:
        """Begin step `index` afresh."""
        self.index = index
        self.hold = None
        self.countdown = step_countdown(self.step, last=self.last)
        self.step_seconds = self.step.seconds

    def begin_hold(self, seconds: float = HOLD_SECONDS) -> None:
        """Hold still for `seconds`; the step's own time waits."""
        self.held_seconds = seconds
        self.hold = Countdown(seconds, (*_ticks(), Mark(0.0, Happening.OVER)))

    def begin_own_hold(self) -> None:
        """Hold still as the step itself wants; with it the step's time runs out."""
        self.begin_hold(self.step.hold_seconds)
        self.countdown.left = 0.0

    def end_hold(self) -> bool:
        """End the hold; True when the step's time is over too."""
        self.hold = None
        return self.countdown.left <= 0.0

    def longer(self) -> bool:
        """Add time to the hold or the step; False when that, from its beginning to its end, or all
        of it together would be longer than may be."""
        more = HOLD_SECONDS if self.hold else LONGER_STEP_SECONDS
        if not self._fits(more):
            return False
        if self.hold is not None:
            if self.held_seconds + more > LONGEST_HOLD_SECONDS:
                return False
            self.held_seconds += more
            self.hold.extend(more)
            return True
        if self.step_seconds + more > LONGEST_STEP_SECONDS:
            return False
        self.step_seconds += more
        self.countdown.extend(more)
        return True

    def shorter(self) -> bool:
        """Take time from the step; False when little is left."""
        if self.hold is not None or self.countdown.left < LONGER_STEP_SECONDS + COMING_SECONDS:
            return False
        self.countdown.left -= LONGER_STEP_SECONDS
        return True

    def run(self, seconds: float) -> list[Mark]:
        """Let time pass in the hold, if there is one, else in the step."""
        self.spent_seconds += seconds
        return (self.hold or self.countdown).run(seconds)

    @property
    def next_in(self) -> float:
        """Seconds until something happens while time runs."""
        return (self.hold or self.countdown).next_in
