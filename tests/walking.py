"""Brings a rehearsed session into any state, as a person would; it must never jump there."""

from collections.abc import Callable

from assistant.rehearsal import Rehearsal
from assistant.state import State
from audio.messages import Fault
from intents.intent import Intent


def walk(rehearsal: Rehearsal, state: State) -> Rehearsal:
    """Bring a fresh session into `state`, as a person would."""
    say, run = rehearsal.say, rehearsal.run_until
    ways: dict[State, Callable[[], object]] = {
        State.IDLE: lambda: None,
        State.CHOOSING: lambda: say(Intent.START),
        State.SCREENING: lambda: say(Intent.START, topic="neck-massager"),
        State.HEARING_CHECK: lambda: (walk(rehearsal, State.SCREENING), run(state)),
        State.HANDS_ONLY: lambda: (walk(rehearsal, State.HEARING_CHECK), say(Intent.NO)),
        State.RATING_BEFORE: lambda: (walk(rehearsal, State.SCREENING), run(state)),
        State.PREPARING: lambda: (walk(rehearsal, State.SCREENING), run(state)),
        State.SPEAKING: lambda: (walk(rehearsal, State.SCREENING), run(state)),
        State.DOING: lambda: (walk(rehearsal, State.SCREENING), run(state)),
        State.HOLDING: lambda: (walk(rehearsal, State.DOING), say(Intent.HOLD)),
        State.PAUSED: lambda: (walk(rehearsal, State.DOING), say(Intent.PAUSE)),
        State.PAUSED_SORE: lambda: (
            walk(rehearsal, State.DOING),
            say(Intent.PAIN, topic="sore"),
        ),
        State.PAUSED_FAULT: lambda: (
            walk(rehearsal, State.DOING),
            rehearsal.tell(Fault("microphone_lost")),
        ),
        State.HALTED: lambda: (walk(rehearsal, State.DOING), say(Intent.STOP)),
        State.HALTED_ASKING: lambda: (walk(rehearsal, State.DOING), say(Intent.DIZZY)),
        State.HALTED_EMERGENCY: lambda: (walk(rehearsal, State.DOING), say(Intent.EMERGENCY)),
        State.HALTED_RESTING: lambda: (walk(rehearsal, State.DOING), say(Intent.DEVICE)),
        State.RATING_AFTER: lambda: (walk(rehearsal, State.DOING), say(Intent.FINISH)),
        State.CLOSING: lambda: (
            walk(rehearsal, State.RATING_AFTER),
            say(Intent.NUMBER, value=3),
        ),
        State.ENDED: lambda: (walk(rehearsal, State.CLOSING), rehearsal.run_to_the_end()),
        State.WAITING: lambda: (say(Intent.START, topic="screen-break"), run(state)),
        State.COUNTING: lambda: (say(Intent.START, topic="biofeedback"), run(state)),
    }
    ways[state]()
    assert rehearsal.session.state is state
    return rehearsal
