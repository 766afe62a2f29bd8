"""Lets others watch a live session: keeps the board, and wakes whoever waits for news.

It must never stop or delay the session: what goes wrong here is told once, and the watching ends.
Nobody who watches can do more than halt.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, TypeVar

from assistant.board import Board
from assistant.conductor import Line
from assistant.routine import Routine
from assistant.settings import Settings
from assistant.settings_file import PageTable
from audio.errors import UnknotError
from audio.messages import Health

Sent = TypeVar("Sent")
CLOSE_SECONDS = 1.5
"""The end of the program waits no longer for those who watched."""


class Timed(Protocol):
    """What the board asks of a session, and not of its lines: what is left of the time."""

    @property
    def routine(self) -> Routine | None:
        """The routine that was chosen."""

    @property
    def step_seconds_left(self) -> float:
        """How long the part that is on still runs."""


class Watching:
    """The board of one session; `clock` gives session time in seconds.

    `publish` is called with every event line, before anybody else learns of it.
    """

    def __init__(self, clock: Callable[[], float], publish: Callable[[Line], None]) -> None:
        self.over = False
        """The session has ended, and nothing more will come."""
        self._clock = clock
        self._publish = publish
        self._board = Board()
        self._session: Timed | None = None
        self._listeners: list[Callable[[Line], None]] = []
        self._news = asyncio.Event()
        self._changes = 0
        self._wrong = False

    def publish(self, line: Line) -> None:
        """Take an event line of the session."""
        self._publish(line)
        self._guarded(self._note, line)

    def passing(self, event: Sent) -> Sent:
        """Note an event on its way to the session, and give it back unchanged."""
        if isinstance(event, Health):
            self._guarded(self._beat, event)
        return event

    def follow(self, session: Timed) -> None:
        """Take what is left of the time from this session."""
        self._session = session

    def listen(self, listener: Callable[[Line], None]) -> None:
        """Call `listener` with every event line from now on."""
        self._listeners.append(listener)

    def board(self) -> Board:
        """What is going on now."""
        now, session = self._clock(), self._session
        routine = session.routine if session else None
        if session is None or routine is None:
            return self._board.timed(now, 0.0, 0.0)
        later = sum(step.seconds for step in routine.steps[self._board.step :])
        return self._board.timed(now, session.step_seconds_left, later)

    async def news(self, seen: int, seconds: float) -> int:
        """Wait until there were more than `seen` changes, or for `seconds`; return how many.

        Whoever comes late gets one answer for all that changed meanwhile.
        """
        if self._changes == seen and not self.over:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)
        return self._changes

    def close(self) -> None:
        """The session is over: wake everybody for the last time."""
        self.over = True
        self._tell()

    def _note(self, line: Line) -> None:
        self._board = self._board.after(line)
        for listener in self._listeners:
            listener(line)
        self._tell()

    def _beat(self, health: Health) -> None:
        now = self._clock()
        before = self.board().microphone
        self._board = self._board.beaten(health, now)
        if self._board.microphone is not before:
            self._tell()

    def _tell(self) -> None:
        self._changes += 1
        waiting, self._news = self._news, asyncio.Event()
        waiting.set()

    def _guarded(self, note: Callable[[Any], None], what: object) -> None:
        """Whatever breaks here must not reach the session, which may be switching off."""
        try:
            note(what)
        except Exception as error:
            if not self._wrong:
                complain(f"what helpers see is wrong from here on: {error!r}")
            self._wrong = True


def complain(what: object) -> None:
    """Tell one line on stderr."""
    with suppress(OSError):
        sys.stderr.write(f"unknot: {what}\n")


@asynccontextmanager
async def watched(
    watching: Watching, settings: Settings, page: PageTable, stop: Callable[[], None]
) -> AsyncIterator[None]:
    """Serve the helper's page and tell Home Assistant, where the settings say so.

    `stop` halts the session. Nothing in here raises: a page that cannot be served is told.
    """
    works: list[Coroutine[Any, Any, None]] = []
    if page.enabled:
        works += _made(lambda: _page(watching, page, stop))
    if settings.home_assistant.enabled:
        works += _made(lambda: _home_assistant(watching, settings, stop))
    tasks = [asyncio.create_task(_quietly(work)) for work in works]
    try:
        yield
    finally:
        watching.close()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()


def _made(
    make: Callable[[], Coroutine[Any, Any, None]],
) -> list[Coroutine[Any, Any, None]]:
    try:
        return [make()]
    except (UnknotError, OSError) as error:
        complain(error)
    return []


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    """One of those who watch; its failure ends it and nothing else."""
    try:
        await work
    except Exception as error:
        complain(str(error) if isinstance(error, UnknotError | OSError) else repr(error))


def _page(
    watching: Watching, page: PageTable, stop: Callable[[], None]
) -> Coroutine[Any, Any, None]:
    try:
        from assistant.page.server import Server
    except ModuleNotFoundError as error:
        raise UnknotError(
            f"the helper's page needs {error.name}", "pip install 'unknot[page]'"
        ) from None
    server = Server(watching, stop, lan=page.lan, port=page.port)
    complain(server.invitation())
    return server.serve()


def _home_assistant(
    watching: Watching, settings: Settings, stop: Callable[[], None]
) -> Coroutine[Any, Any, None]:
    try:
        from assistant.homeassistant import Room
    except ModuleNotFoundError as error:
        raise UnknotError(
            f"Home Assistant needs {error.name}", "pip install 'unknot[mqtt]'"
        ) from None
    return Room(watching, stop, settings.home_assistant).run()
