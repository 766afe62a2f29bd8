"""What the session is told (events) and what it wants done (effects): frozen values, nothing else.

The whole program is `for effect in session.handle(event, now): perform(effect)`. Effects are
performed in the order given; no value here may hold anything that can change or act.
"""

from dataclasses import dataclass

from audio.messages import (
    Fault,
    Health,
    Heard,
    Ready,
    Recovered,
    SayBegan,
    SayEnded,
)
from intents.intent import Intent


@dataclass(frozen=True)
class Tick:
    """Time has passed; sent when `session.deadline` is reached, harmless at any other time."""


@dataclass(frozen=True)
class Begin:
    """The program is ready. `routine` is the routine chosen on the command line, if any."""

    routine: str | None = None
    unfinished: tuple[str, int] | None = None
    """The routine and the step (from 1) at which the last session broke, if it did."""


@dataclass(frozen=True)
class TimeOfDay:
    """What the clock on the wall shows, in minutes since midnight; only manners depend on it."""

    minutes: int


@dataclass(frozen=True)
class MassagerReport:
    """What the device itself confirms. `on` is None when nothing was ever confirmed."""

    on: bool | None
    level: int
    at: float
    """Session time in seconds of this confirmation."""


Event = (
    Tick
    | Begin
    | TimeOfDay
    | Heard
    | SayBegan
    | SayEnded
    | Health
    | MassagerReport
    | Fault
    | Recovered
    | Ready
)


@dataclass(frozen=True)
class MassagerOff:
    """Off, now; repeated by the adapter until the device confirms it."""

    why: str


@dataclass(frozen=True)
class MassagerLease:
    """On at `level` for `seconds` and not longer; without the next lease the device goes off."""

    level: int
    seconds: float
    why: str


@dataclass(frozen=True)
class Hush:
    """Silence, now."""


@dataclass(frozen=True)
class Say:
    """Speak a prompt, sentence after sentence."""

    prompt: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Tone:
    """A soft tone: tick, begin, end, hold, release."""

    name: str


@dataclass(frozen=True)
class Expect:
    """The intents that make sense now; `likely` are those that were asked for."""

    intents: frozenset[Intent]
    likely: frozenset[Intent]


@dataclass(frozen=True)
class Enrol:
    """Keep the sound of the next stop as today's sample (`on`), or forget every sample."""

    on: bool


@dataclass(frozen=True)
class Volume:
    """Loudness of the voice, in dB against the rendered level (0 or less)."""

    level_db: float


@dataclass(frozen=True)
class Pace:
    """How calmly to speak: a factor on the pauses between sentences, 1.0 being as set."""

    factor: float


@dataclass(frozen=True)
class Remember:
    """A setting changed by voice, to be kept for next time; `key` None forgets all."""

    key: str | None
    value: str | int | float | None


@dataclass(frozen=True)
class StateChanged:
    """The session moved. Names as in docs/commands.md: `massage.speaking`, `paused`, ..."""

    source: str
    dest: str


@dataclass(frozen=True)
class StepBegan:
    """Step `index` (from 1) `of` so many begins."""

    index: int
    name: str
    of: int


@dataclass(frozen=True)
class HoldBegan:
    """A timed hold of `seconds`."""

    seconds: float


@dataclass(frozen=True)
class AdviceGiven:
    """Advice `id` of `tier` (emergency, warning, device, sore, stop) was spoken."""

    id: str
    tier: str


@dataclass(frozen=True)
class Rated:
    """The person's number, 0 to 10. `when` is before or after."""

    when: str
    value: int


@dataclass(frozen=True)
class FaultNoted:
    """A fault changed the course of the session."""

    what: str


@dataclass(frozen=True)
class Ended:
    """The session is over: finished, stopped, halted, faulted, declined, unanswered."""

    why: str


Effect = (
    MassagerOff
    | MassagerLease
    | Hush
    | Say
    | Tone
    | Expect
    | Enrol
    | Volume
    | Pace
    | Remember
    | StateChanged
    | StepBegan
    | HoldBegan
    | AdviceGiven
    | Rated
    | FaultNoted
    | Ended
)
