"""What is going on, as one frozen snapshot: for the helper's page and for Home Assistant.

Pure: made of event lines and heartbeats. It must never change anything, nor forget after an off
how long a device that did not hear it may still run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from assistant.safety import MICROPHONE_SECONDS
from assistant.state import MASSAGE, PAUSES, State
from audio.messages import Health

Line = Mapping[str, Any]
HEARTBEAT_SECONDS = 1.0
"""No heartbeat for so long means deaf."""
TIMED = frozenset(state.value for state in (*MASSAGE, *PAUSES, State.HALTED))
"""The states in which a part of a routine is on, or may go on."""
HALTS = ("stop", "device", "warning", "emergency", "fault")
"""What a halt can be: a tier of advice, or a fault."""


class Microphone(Enum):
    """Whether the person is heard."""

    UNKNOWN = "unknown"
    """Nothing was ever told."""
    HEARS = "hears"
    BEHIND = "behind"
    """Sound comes, but the ears do not keep up with it."""
    DEAF = "deaf"


@dataclass(frozen=True)
class Halt:
    """The massage was halted at session time `at`. `what` is one of `HALTS`."""

    what: str
    reason: str
    """The advice's id, or the fault."""
    at: float


@dataclass(frozen=True)
class Board:
    """A session at one moment. Every time is in seconds of session time."""

    now: float = 0.0
    state: str = State.IDLE.value
    prompt: str = ""
    saying: str = ""
    """What is being said; empty while it is silent."""
    step: int = 0
    """From 1; 0 before the first."""
    steps: int = 0
    step_name: str = ""
    step_left: float = 0.0
    left: float = 0.0
    """What is left of the whole routine, the speaking between its parts aside."""
    level: int = 0
    """0 is off, or never on."""
    lease_until: float = 0.0
    """Until then the massager may run whatever happens, even after an off that nobody took."""
    heard: str = ""
    heard_at: float = 0.0
    beat: Health | None = None
    beat_at: float = 0.0
    rating_before: int | None = None
    rating_after: int | None = None
    advice: str = ""
    tier: str = ""
    """Of the last advice: stop, sore, device, warning, emergency."""
    fault: str = ""
    """What went wrong; empty again when the massage goes on."""
    ended: str = ""
    """Why the session is over."""

    @property
    def top(self) -> str:
        """The top name of the state: `massage` for `massage.doing`."""
        return self.state.partition(".")[0]

    @property
    def on(self) -> bool:
        """The massager was told to run, and its lease has not run out."""
        return self.level > 0 and self.lease_left > 0.0

    @property
    def lease_left(self) -> float:
        """For how long the massager goes on if nobody renews its lease."""
        return max(0.0, self.lease_until - self.now)

    @property
    def microphone(self) -> Microphone:
        """Whether the person is heard now."""
        if self.beat is None:
            return Microphone.UNKNOWN
        late = self.now - self.beat_at > HEARTBEAT_SECONDS
        if late or self.beat.block_age > MICROPHONE_SECONDS:
            return Microphone.DEAF
        return Microphone.HEARS if self.beat.ears_answer else Microphone.BEHIND

    def beaten(self, health: Health, now: float) -> "Board":
        """The board after a heartbeat."""
        return replace(self, beat=health, beat_at=now, now=max(self.now, now))

    def timed(self, now: float, step_left: float, later: float) -> "Board":
        """The board at `now`, with what is left of the part and of those that follow it."""
        if self.state not in TIMED or self.step == 0:
            step_left = later = 0.0
        return replace(self, now=max(self.now, now), step_left=step_left, left=step_left + later)

    def after(self, line: Line) -> "Board":
        """The board after one event line; a kind that says nothing here changes only the time."""
        news = NEWS[line["kind"]](self, line) if line["kind"] in NEWS else {}
        return replace(self, now=max(self.now, float(line["at"])), **news)


def _moved(board: Board, line: Line) -> dict[str, Any]:
    fault = "" if line["to"].startswith("massage.") else board.fault
    return {"state": line["to"], "fault": fault}


def _silent(board: Board, line: Line) -> dict[str, Any]:
    return {"prompt": "", "saying": ""} if line["prompt"] == board.prompt else {}


def _switched(board: Board, line: Line) -> dict[str, Any]:
    """An off keeps the lease: it is how long a device that did not hear it may still run."""
    if not line["on"]:
        return {"level": 0}
    return {"level": line["level"], "lease_until": line["at"] + line["lease"]}


NEWS: Mapping[str, Callable[[Board, Line], dict[str, Any]]] = {
    "state": _moved,
    "say": lambda _, line: {"prompt": line["prompt"], "saying": line["text"]},
    "say_end": _silent,
    "hush": _silent,
    "step": lambda _, line: {
        "step": line["index"],
        "steps": line["of"],
        "step_name": line["name"],
    },
    "massager": _switched,
    "heard": lambda _, line: {
        "heard": line["text"] or line["intent"] or "",
        "heard_at": line["at"],
    },
    "rating": lambda _, line: {f"rating_{line['when']}": line["value"]},
    "advice": lambda _, line: {"advice": line["id"], "tier": line["tier"]},
    "fault": lambda _, line: {"fault": line["what"]},
    "end": lambda _, line: {"ended": line["why"], "state": State.ENDED.value, "saying": ""},
}
"""What each kind of event line changes; the others change only the time."""


def halt_in(line: Line) -> Halt | None:
    """The halt that an event line tells of, if it does."""
    if line["kind"] == "advice" and line["tier"] in HALTS:
        return Halt(line["tier"], line["id"], line["at"])
    if line["kind"] == "fault":
        return Halt("fault", line["what"], line["at"])
    return None
