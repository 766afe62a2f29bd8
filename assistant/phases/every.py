"""One phase for each state; none may be missing."""

from assistant.phases.after import Closing, Over
from assistant.phases.checks import HandsOnly, HearingCheck, Screening
from assistant.phases.choosing import Choosing, Idle
from assistant.phases.counting import Counting
from assistant.phases.halts import Asking, Emergency, Halted, Resting
from assistant.phases.massage import Doing, Holding, Speaking
from assistant.phases.phase import Phase
from assistant.phases.preparing import Preparing, Waiting
from assistant.phases.rating import Rating
from assistant.phases.rests import Faulty, Paused, Sore
from assistant.state import State


def every_phase() -> dict[State, Phase]:
    """One phase for each state."""
    return {
        State.IDLE: Idle(),
        State.CHOOSING: Choosing(),
        State.SCREENING: Screening(),
        State.HEARING_CHECK: HearingCheck(),
        State.HANDS_ONLY: HandsOnly(),
        State.RATING_BEFORE: Rating("before"),
        State.PREPARING: Preparing(),
        State.WAITING: Waiting(),
        State.SPEAKING: Speaking(),
        State.DOING: Doing(),
        State.HOLDING: Holding(),
        State.COUNTING: Counting(),
        State.PAUSED: Paused(),
        State.PAUSED_SORE: Sore(),
        State.PAUSED_FAULT: Faulty(),
        State.HALTED: Halted(),
        State.HALTED_ASKING: Asking(),
        State.HALTED_EMERGENCY: Emergency(),
        State.HALTED_RESTING: Resting(),
        State.RATING_AFTER: Rating("after"),
        State.CLOSING: Closing(),
        State.ENDED: Over(),
    }
