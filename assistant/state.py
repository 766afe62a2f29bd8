"""The session's states, its triggers, and the one table that says which move is legal.

Pure data. Nothing here may cause anything: what a move brings about is said in `assistant.phases`.

Rules
  1. HALT, WARN and ALARM have every state as their source.
  2. From a locked state (a warning, an emergency, rest) no row leads back to massage.
  3. RESUME leads back only to where the person came from, and only out of a pause or a plain stop.
  4. The massager may be on in the MASSAGE states and in no other.
"""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a session is; the values are the names in docs/commands.md."""

    IDLE = "idle"
    CHOOSING = "choosing"
    SCREENING = "screening"
    HEARING_CHECK = "hearing_check"
    HANDS_ONLY = "hearing_check.hands_only"
    RATING_BEFORE = "rating_before"
    PREPARING = "preparing"
    WAITING = "preparing.waiting"
    SPEAKING = "massage.speaking"
    DOING = "massage.doing"
    HOLDING = "massage.holding"
    COUNTING = "massage.counting"
    PAUSED = "paused"
    PAUSED_SORE = "paused.sore"
    PAUSED_FAULT = "paused.fault"
    HALTED = "halted"
    HALTED_ASKING = "halted.asking"
    HALTED_EMERGENCY = "halted.emergency"
    HALTED_RESTING = "halted.resting"
    RATING_AFTER = "rating_after"
    CLOSING = "closing"
    ENDED = "ended"

    @property
    def top(self) -> str:
        """The state's top name: `massage` for `massage.doing`."""
        return self.value.partition(".")[0]


class Trigger(Enum):
    """What moves a session from one state to another."""

    CHOOSE = "choose"
    CHOSEN = "chosen"
    CLEARED = "cleared"
    CHECKED = "checked"
    UNHEARD = "unheard"
    RATED = "rated"
    READY = "ready"
    SPOKEN = "spoken"
    STEP = "step"
    HOLD = "hold"
    LET_GO = "let_go"
    COUNT = "count"
    AGAIN = "again"
    DONE = "done"
    PAUSE = "pause"
    SORE = "sore"
    FAULT = "fault"
    RESUME = "resume"
    HALT = "halt"
    WARN = "warn"
    ALARM = "alarm"
    REST = "rest"
    CLOSE = "close"
    END = "end"


@dataclass(frozen=True)
class Row:
    """`trigger` moves the session from any of `sources` to `dest`; None is "stay here"."""

    trigger: Trigger
    sources: tuple[State, ...]
    dest: State | None


S, T = State, Trigger
EVERY = tuple(State)
BEFORE = (S.CHOOSING, S.SCREENING, S.HEARING_CHECK, S.HANDS_ONLY, S.RATING_BEFORE, S.PREPARING)
MASSAGE = (S.SPEAKING, S.DOING, S.HOLDING, S.COUNTING)
PAUSES = (S.PAUSED, S.PAUSED_SORE, S.PAUSED_FAULT)
LOCKED = (S.HALTED_ASKING, S.HALTED_EMERGENCY, S.HALTED_RESTING)
RESUMABLE = (*BEFORE, S.WAITING, *MASSAGE, S.RATING_AFTER)
"""Where RESUME may lead: wherever a pause or a plain stop can come from."""
UNDER_WAY = (*RESUMABLE, *PAUSES, S.HALTED)

TABLE = (
    Row(T.CHOOSE, (S.IDLE,), S.CHOOSING),
    Row(T.CHOSEN, (S.IDLE, S.CHOOSING, S.CLOSING), S.SCREENING),
    Row(T.CLEARED, (S.SCREENING,), S.HEARING_CHECK),
    Row(T.UNHEARD, (S.HEARING_CHECK,), S.HANDS_ONLY),
    Row(T.CHECKED, (S.HEARING_CHECK, S.HANDS_ONLY), S.RATING_BEFORE),
    Row(T.RATED, (S.RATING_BEFORE,), S.PREPARING),
    Row(T.RATED, (S.RATING_AFTER,), S.CLOSING),
    Row(T.READY, (S.PREPARING, S.WAITING), S.SPEAKING),
    Row(T.SPOKEN, (S.SPEAKING,), S.DOING),
    Row(T.STEP, (*MASSAGE, S.PAUSED, S.PAUSED_SORE), S.SPEAKING),
    Row(T.HOLD, (S.SPEAKING, S.DOING), S.HOLDING),
    Row(T.LET_GO, (S.HOLDING,), S.DOING),
    Row(T.COUNT, (S.DOING, S.HOLDING), S.COUNTING),
    Row(T.AGAIN, MASSAGE, S.WAITING),
    Row(T.DONE, (*MASSAGE, *PAUSES, S.WAITING, S.HALTED), S.RATING_AFTER),
    Row(T.PAUSE, (*BEFORE, S.WAITING, *MASSAGE, S.RATING_AFTER, S.PAUSED_SORE), S.PAUSED),
    Row(T.SORE, (*MASSAGE, *PAUSES), S.PAUSED_SORE),
    Row(T.FAULT, UNDER_WAY, S.PAUSED_FAULT),
    *(Row(T.RESUME, (*PAUSES, S.HALTED), state) for state in RESUMABLE),
    Row(T.HALT, (S.IDLE, *LOCKED, S.CLOSING, S.ENDED), None),
    Row(T.HALT, UNDER_WAY, S.HALTED),
    Row(T.WARN, (S.HALTED_EMERGENCY, S.ENDED), None),
    Row(
        T.WARN,
        tuple(s for s in EVERY if s not in (S.HALTED_EMERGENCY, S.ENDED)),
        S.HALTED_ASKING,
    ),
    Row(T.ALARM, (S.ENDED,), None),
    Row(T.ALARM, tuple(s for s in EVERY if s is not S.ENDED), S.HALTED_EMERGENCY),
    Row(T.REST, tuple(s for s in EVERY if s is not S.ENDED), S.HALTED_RESTING),
    Row(T.CLOSE, tuple(s for s in EVERY if s is not S.ENDED), S.CLOSING),
    Row(T.END, tuple(s for s in EVERY if s is not S.ENDED), S.ENDED),
)
"""Every legal move. RESUME takes the row that leads to where the person came from."""
