"""Every verb in every state: the whole table as a text that a person can read and judge.

`pytest -s tests/test_verbs.py` prints it. Where it changes on purpose, write it anew with
`UNKNOT_WRITE_SNAPSHOTS=1` and read the difference.
"""

from collections.abc import Callable

import pytest
from approved import check_snapshot
from walking import walk

from assistant.messages import Ended, Say, StateChanged
from assistant.rehearsal import Rehearsal
from assistant.state import EVERY, State
from audio.messages import Ear, Heard, Level
from intents.intent import SAFETY, Intent

VERBS = [intent for intent in Intent if intent not in SAFETY]

VALUES = {Intent.NUMBER: 5, Intent.COUNT: 20, Intent.LENGTH: 10}
TOPICS = {Intent.TOOL: "hands", Intent.USUAL_TOOL: "hands", Intent.QUESTION: "how_long"}


def answer(rehearsal: Rehearsal, intent: Intent) -> str:
    """What a verb does: the prompts it is met with, and where it leads."""
    value = VALUES.get(intent)
    topic = TOPICS.get(intent)
    heard = Heard(Level.FINAL, intent, intent.value, Ear.WORDS, rehearsal.now, value, topic)
    told: list[str] = []
    for effect in rehearsal.session.handle(heard, rehearsal.now):
        if isinstance(effect, Say):
            told.append(effect.prompt)
        elif isinstance(effect, StateChanged):
            told.append(f"-> {effect.dest}")
        elif isinstance(effect, Ended):
            told.append(f"end: {effect.why}")
    return ", ".join(told)


def test_every_verb_in_every_state_does_what_the_table_says(
    make_rehearsed: Callable[[], Rehearsal],
) -> None:
    lines: list[str] = []
    for state in EVERY:
        lines.append(f"## {state.value}")
        for intent in VERBS:
            rehearsal = walk(make_rehearsed(), state)
            done = answer(rehearsal, intent)
            assert done or state is State.ENDED, f"{intent.value} in {state.value} is silence"
            lines.append(f"{intent.value:16} {done or '(it is over)'}")
        lines.append("")
    table = "\n".join(lines)
    print(table)  # noqa: T201, the table is the point
    check_snapshot("verbs.txt", table)


@pytest.mark.parametrize("state", EVERY, ids=lambda s: s.value)
def test_every_state_knows_what_can_be_said_in_it(
    make_rehearsed: Callable[[], Rehearsal], state: State
) -> None:
    rehearsal = walk(make_rehearsed(), state)
    for intent in (Intent.HELP, Intent.WHAT_CAN_I_SAY):
        assert intent.value in answer(rehearsal, intent) or state is State.ENDED
