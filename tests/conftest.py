"""What many tests need; it must never hide what a test is about."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future

import pytest
from played_beside import Command, Ended, command_of, playing

from assistant.build import make_rehearsal
from assistant.rehearsal import Rehearsal
from assistant.settings import Settings, load


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for a command that runs beside the tests comes last."""
    items.sort(key=lambda item: command_of(item) is not None)


@pytest.fixture(scope="session", autouse=True)
def beside(request: pytest.FixtureRequest) -> Iterator[Mapping[Command, Future[Ended]]]:
    """The commands that tests marked `beside` look at, running from the first test on."""
    asked = [command for item in request.session.items if (command := command_of(item))]
    if not asked:
        yield {}
        return
    with playing(asked, request.config.cache.mkdir("unknot")) as played:
        yield played


@pytest.fixture
def ended(request: pytest.FixtureRequest, beside: Mapping[Command, Future[Ended]]) -> Ended:
    """What became of this test's own command."""
    command = command_of(request.node)
    assert command
    return beside[command].result()


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
