"""A keyboard in place of the microphone: a typed line is a heard utterance, an empty one a stop.

For trying things out, and for a machine without sound. It must never be used with a real massager.
"""

import asyncio
import os
import stat
import sys
from collections.abc import Callable

from assistant.reader import Reader
from audio.errors import UnknotError
from audio.messages import (
    Ear,
    FromAudio,
    Health,
    Heard,
    Level,
    Ready,
    ToAudio,
)
from intents.intent import Intent
from intents.phrasebook import Phrasebook

HEARTBEAT_SECONDS = 0.25
QUIET_DB = -60.0


def heard(line: str, book: Phrasebook, at: float) -> Heard:
    """What a typed line means; an empty line is a stop, the nearest key being the surest one."""
    text = line.strip()
    if not text:
        return Heard(Level.CONFIRMED, Intent.STOP, "", Ear.KEYBOARD, at)
    meaning = book.match(text) or book.question(text)
    if meaning is None:
        return Heard(Level.FINAL, None, text, Ear.KEYBOARD, at)
    return Heard(Level.FINAL, meaning.intent, text, Ear.KEYBOARD, at, meaning.value, meaning.topic)


class Keyboard:
    """Stands where the audio process stands: `send` takes commands, `listen` tells what comes."""

    def __init__(
        self,
        book: Phrasebook,
        clock: Callable[[], float],
        tell: Callable[[FromAudio], None],
    ) -> None:
        self._book = book
        self._clock = clock
        self._tell = tell
        self._reader = Reader(clock)
        self.failure: UnknotError | None = None

    def send(self, command: ToAudio) -> None:
        """Take a command of the session."""
        self._reader.do(command)

    async def listen(self) -> None:
        """Tell typed lines, what the reader has read, and a heartbeat, until the input ends."""
        self._tell(Ready("keyboard", ""))
        lines = asyncio.create_task(self._read_lines())
        try:
            while not lines.done():
                self._beat()
                await asyncio.sleep(HEARTBEAT_SECONDS)
        finally:
            lines.cancel()

    async def close(self) -> None:
        """Nothing is held."""

    def _beat(self) -> None:
        now = self._clock()
        self._tell(Health(now, 0.0, QUIET_DB, 0))
        for message in self._reader.take():
            self._tell(message)

    async def _read_lines(self) -> None:
        if not _can_be_waited_for(sys.stdin.fileno()):
            for text in sys.stdin:
                self._tell(heard(text, self._book, self._clock()))
            return
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        async for line in reader:
            self._tell(heard(line.decode(errors="replace"), self._book, self._clock()))


def _can_be_waited_for(file: int) -> bool:
    """A pipe or a terminal; a file or /dev/null gives all it has at once, and no loop takes it."""
    mode = os.fstat(file).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(file)
