"""Somebody who listens to an audio process, and can wait for what it tells."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from assistant.ear import AudioProcess, Patience
from audio.messages import Fault, FromAudio


class Listener:
    """Keeps what an audio process tells, and lets a test wait for one message."""

    def __init__(self, command: tuple[str, ...], patience: Patience) -> None:
        self.told: list[FromAudio] = []
        self.process = AudioProcess([], self.take, command, patience)
        self._seen = 0
        self._came = asyncio.Event()

    def take(self, message: FromAudio) -> None:
        self.told.append(message)
        self._came.set()

    async def until(self, wanted: Callable[[FromAudio], bool], seconds: float = 30.0) -> None:
        """Wait for a message; one that came since the last `until` counts."""
        async with asyncio.timeout(seconds):
            while not any(map(wanted, self.told[self._seen :])):
                self._came.clear()
                await self._came.wait()
        self._seen = len(self.told)

    def faults(self) -> list[str]:
        return [message.what for message in self.told if isinstance(message, Fault)]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.process.listen())
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.process.close()
