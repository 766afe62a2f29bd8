"""What many tests need; it must never hide what a test is about."""

from collections.abc import Callable

import pytest

from assistant.build import make_rehearsal
from assistant.rehearsal import Rehearsal
from assistant.settings import Settings, load


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings that come with the program."""
    return load(personal=False)


@pytest.fixture
def rehearsal(settings: Settings) -> Rehearsal:
    """A session as text, awake and listening."""
    rehearsed = make_rehearsal(settings)
    rehearsed.begin()
    return rehearsed


@pytest.fixture
def in_massage(rehearsal: Rehearsal) -> Rehearsal:
    """A session in the first step of the massager routine, its time running."""
    from assistant.state import State
    from intents.intent import Intent

    rehearsal.say(Intent.START, topic="neck-massager")
    assert rehearsal.run_until(State.DOING)
    rehearsal.run_for(2.0)
    return rehearsal


@pytest.fixture(scope="session")
def make_rehearsed(settings: Settings) -> Callable[[], Rehearsal]:
    """Makes sessions as text, awake and listening."""

    def made() -> Rehearsal:
        rehearsed = make_rehearsal(settings)
        rehearsed.begin()
        return rehearsed

    return made
