"""Each routine from its first word to its last, as a text that a physiotherapist can review."""

from collections.abc import Callable

import pytest
from approved import check_snapshot

from assistant.build import make_rehearsal
from assistant.rehearsal import Rehearsal, spoken
from assistant.settings import Settings, load

NAMES = sorted(load(personal=False).routines)


@pytest.mark.parametrize("name", NAMES)
def test_a_routine_goes_through_to_its_end_as_it_was_approved(
    settings: Settings, name: str
) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin(name)
    ended = rehearsal.run_to_the_end(limit_seconds=1500.0)
    comes_again = bool(settings.routines[name].again_minutes)
    assert ended is not comes_again
    check_snapshot(f"rehearsals/{name}.txt", "\n".join(spoken(rehearsal.lines)))


@pytest.mark.parametrize("name", NAMES)
def test_a_routine_can_be_started_by_its_name(
    make_rehearsed: Callable[[], Rehearsal], settings: Settings, name: str
) -> None:
    said = settings.phrasebook.match(f"start {name.replace('-', ' ')}")
    assert said is not None
    assert said.topic == name
    rehearsal = make_rehearsed()
    rehearsal.say(said.intent, topic=said.topic)
    chosen = rehearsal.session.routine
    assert chosen is not None
    assert chosen.name == name


def test_the_screen_break_comes_again_until_finish(settings: Settings) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin("screen-break")
    rehearsal.run_for(60.0 * 50)
    rounds = [line for line in rehearsal.lines if line["kind"] == "step" and line["index"] == 1]
    assert len(rounds) == 3
