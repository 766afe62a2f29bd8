"""A rehearsed session that goes on in real time while others watch it; for the page and the like.

Its massager is simulated, and already on when `in_massage` returns.
"""

import asyncio
import time
from types import TracebackType
from typing import Self

from assistant.build import make_session, simulated
from assistant.conductor import Conductor
from assistant.live import Live
from assistant.massager.simulated import SimulatedMassager
from assistant.rehearsal import Rehearsal
from assistant.settings import Settings
from assistant.state import State
from assistant.watching import Watching
from intents.intent import Intent

STEP_SECONDS = 0.02


class WatchedRehearsal(Rehearsal):
    """A session with a board. As a context manager its time is the clock's."""

    def __init__(self, settings: Settings) -> None:
        device = SimulatedMassager(lambda: 0.0).capabilities
        session = make_session(settings, device)
        super().__init__(session, simulated)
        self.watching = Watching(lambda: self.now, self.lines.append)
        self.watching.follow(session)
        self.conductor = Conductor(session, self.massager, self._reader.do, self.watching.publish)
        self.live = Live(self.conductor, lambda: self.now)
        self.off_at: list[float] = []
        """Monotonic times at which a stop from outside had switched the massager off."""

    def tell(self, event: object) -> None:
        super().tell(self.watching.passing(event))  # type: ignore[arg-type]

    def in_massage(self) -> Self:
        """Go to the first part of the massager routine, with the massager on."""
        self.begin()
        self.say(Intent.START, topic="neck-massager")
        assert self.run_until(State.DOING)
        self.run_for(5.0)
        assert self.device.on
        return self

    @property
    def device(self) -> SimulatedMassager:
        assert isinstance(self.massager, SimulatedMassager)
        return self.massager

    def stop(self) -> None:
        """What a watcher may do; the time is taken when the massager is off."""
        self.live.interrupt()
        assert not self.device.on
        self.off_at.append(time.monotonic())

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task.cancel()
        self.watching.close()

    async def _go_on(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(STEP_SECONDS)
            now = time.monotonic()
            self.run_for(now - last)
            self._beat()
            last = now
