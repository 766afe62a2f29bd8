"""A massage that is on, with a real loop, a simulated massager, and an audio process of choice.

It is rehearsed up to there in no time; from then on time is real. It must never know a fault.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from assistant.build import make_rehearsal
from assistant.conductor import Conductor, Line
from assistant.ear import COMMAND, AudioProcess, Patience
from assistant.live import Live
from assistant.massager.simulated import SimulatedMassager
from assistant.settings import Settings
from assistant.state import State
from audio.messages import Ear, FromAudio, Heard, Level, Ready
from intents.intent import Intent

LOOK_SECONDS = 0.002
START_SECONDS = 60.0


class Massage:
    """A session in its massage; `told` is what the ears told, `lines` what the session did."""

    def __init__(
        self,
        settings: Settings,
        arguments: Sequence[str],
        environment: Sequence[str] = (),
        command: Sequence[str] = COMMAND,
        patience: Patience | None = None,
    ) -> None:
        """`environment`: words as `NAME=value` for the audio process."""
        self._rehearsal = make_rehearsal(settings)
        self._rehearsal.begin("neck-massager")
        self._rehearsal.run_until(State.DOING)
        self._from = self._rehearsal.now
        self._began: float | None = None
        self.told: list[FromAudio] = []
        self.lines: list[Line] = []
        whole = ("env", *environment, *command)
        self.ears = AudioProcess(arguments, self._tell, whole, patience or Patience())
        session, massager = self._rehearsal.session, self._rehearsal.massager
        conductor = Conductor(session, massager, self.ears.send, self.lines.append)
        self.live = Live(conductor, self.clock)

    def clock(self) -> float:
        """Session time goes on where the rehearsal left it."""
        passed = 0.0 if self._began is None else time.monotonic() - self._began
        self._rehearsal.now = self._from + passed
        return self._rehearsal.now

    @property
    def on(self) -> bool:
        """Whether the device is on now."""
        self.clock()
        massager = self._rehearsal.massager
        return isinstance(massager, SimulatedMassager) and massager.on

    @property
    def ready(self) -> Ready | None:
        """What the ears last said of themselves."""
        found = [message for message in self.told if isinstance(message, Ready)]
        return found[-1] if found else None

    def go_on(self) -> None:
        """The person says continue."""
        now = self.clock()
        self.live.tell(Heard(Level.FINAL, Intent.CONTINUE, "continue", Ear.BUTTON, now))

    @contextlib.asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """Everything runs from the moment that the ears are ready, until this ends."""
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(self.ears.listen())]
        try:
            await seconds_until(lambda: self.ready, START_SECONDS)
            self._began = time.monotonic()
            tasks.append(asyncio.create_task(self.live.run()))
            yield
        finally:
            await self.ears.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _tell(self, message: FromAudio) -> None:
        self.told.append(message)
        if self._began is not None:
            self.live.tell(message)


async def seconds_until(condition: Callable[[], object], most: float) -> float:
    """Wait for it; the seconds that it took, infinite when it did not come."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > most:
            return float("inf")
        await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic() - began
