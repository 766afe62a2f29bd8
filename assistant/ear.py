"""Starts, watches and restarts the audio process, so that whatever hangs there hangs nothing here.

It must never make the session wait: what cannot be sent is kept or dropped, and silence is a fault.
"""

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from assistant.paths import data_folder, voice_folder
from assistant.settings import Settings
from audio.errors import AudioMissing
from audio.messages import (
    ExpectCommand,
    Fault,
    FromAudio,
    HushCommand,
    Ready,
    Recovered,
    SpeakCommand,
    ToAudio,
    VolumeCommand,
)
from audio.wire import LONGEST_LINE, Garbage, encode, from_audio

COMMAND = (sys.executable, "-m", "audio")
DIED, HANGS, GAVE_UP = "audio_process_died", "audio_process_hangs", "audio_gave_up"

USAGE_CODES = frozenset({AudioMissing.exit_code, 2, 3})
"""Exit codes of a process that cannot even begin: starting it again would not help."""

LEAST_WAIT_SECONDS = 0.05
"""A session that was late itself still reads what has come before it calls the process silent."""

KILLED_SECONDS = 2.0
"""A process that even a kill does not end, as one that waits for a broken disk, is left behind."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long is too long, in seconds, and how often too often."""

    start: float = 60.0
    """Until the first line: a slow machine loads its ears for a while."""
    silence: float = 1.0
    """Between two messages: the heartbeat comes five times a second."""
    back_off: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0)
    restarts: int = 5
    """So many failures within `within` are final."""
    within: float = 600.0
    lines_a_second: int = 500
    """More is a flood, in which nothing else would be heard."""
    unread_bytes: int = 1_000_000
    """Commands that nobody reads."""
    closing: float = 2.0


class AudioProcess:
    """The audio process: `send` to it, `listen` to it. All in the event loop's own thread."""

    def __init__(
        self,
        arguments: Sequence[str],
        tell: Callable[[FromAudio], None],
        command: Sequence[str] = COMMAND,
        patience: Patience = Patience(),
    ) -> None:
        self.garbage = 0
        """Lines that were no messages."""
        self.failure: AudioMissing | None = None
        """Why `listen` ended for good."""
        self._command = [*command, *arguments]
        self._tell = tell
        self._patience = patience
        self._child: asyncio.subprocess.Process | None = None
        self._standing: dict[type, ToAudio] = {}
        self._speech: list[ToAudio] = []
        self._last_words = ""
        self._closed = False

    def send(self, command: ToAudio) -> None:
        """Give a command; never waits. What a new process must know is told to it again."""
        if isinstance(command, ExpectCommand | VolumeCommand):
            self._standing[type(command)] = command
        if self._child is not None and self._write(self._child, command):
            return
        if isinstance(command, SpeakCommand | HushCommand):
            self._speech = [command] if isinstance(command, SpeakCommand) else []

    async def listen(self) -> None:
        """Tell everything that comes, restarting the process, until it has failed for good."""
        failures: deque[float] = deque()
        broken = ""
        while True:
            what, detail = await self._live_once(broken)
            if self._closed:
                return
            self._tell(Fault(what, detail))
            if what == GAVE_UP:
                break
            _log.warning("%s: %s", what, detail)
            broken = what
            now = time.monotonic()
            failures.append(now)
            while failures[0] < now - self._patience.within:
                failures.popleft()
            if len(failures) >= self._patience.restarts:
                self._tell(Fault(GAVE_UP, detail))
                break
            pauses = self._patience.back_off
            await asyncio.sleep(pauses[min(len(failures), len(pauses)) - 1])
        self.failure = AudioMissing(f"the ears do not start: {detail}", "see: unknot doctor")

    async def close(self) -> None:
        """End the process; it is killed when it does not end by itself."""
        self._closed = True
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.closing):
                await child.wait()
        await _kill(child)

    # One process

    async def _live_once(self, broken: str) -> tuple[str, str]:
        """Start a process and follow it to its end: what went wrong, and its last words."""
        try:
            child = await self._start()
        except OSError as error:
            return DIED, str(error)
        log = asyncio.create_task(self._follow_log(child))
        try:
            what, detail = await self._follow(child, broken)
            if what == HANGS:
                return what, detail
            await asyncio.wait({log}, timeout=self._patience.silence)
            return what, self._last_words or detail
        finally:
            if self._child is child:
                self._child = None
                await _kill(child)
            log.cancel()

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        # Its own session: Ctrl-C is for us, who turn the massager off and say so through it.
        child = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            limit=2 * LONGEST_LINE,
            start_new_session=True,
        )
        self._last_words = ""
        self._child = child
        for command in [*self._standing.values(), *self._speech]:
            self._write(child, command)
        self._speech = []
        return child

    def _write(self, child: asyncio.subprocess.Process, command: ToAudio) -> bool:
        """False when nobody takes it."""
        pipe = child.stdin
        if pipe is None or pipe.is_closing():
            return False
        if pipe.transport.get_write_buffer_size() > self._patience.unread_bytes:
            with suppress(ProcessLookupError):
                child.kill()
            return False
        pipe.write(encode(command).encode())
        return True

    async def _follow(self, child: asyncio.subprocess.Process, broken: str) -> tuple[str, str]:
        patience = self._patience
        heard_at, wait = time.monotonic(), patience.start
        flood = _Flood(patience.lines_a_second)
        while True:
            left = heard_at + wait - time.monotonic()
            try:
                # Not wait_for: before Python 3.12 it can swallow the cancellation of this task.
                async with asyncio.timeout(max(LEAST_WAIT_SECONDS, left)):
                    line = await _line(child)
            except TimeoutError:
                return HANGS, f"no sign for {wait:.1f} s"
            if line == b"":
                return await self._ended(child)
            if flood.counts(time.monotonic()):
                return HANGS, f"more than {patience.lines_a_second} lines a second"
            message = from_audio(line)
            if isinstance(message, Garbage):
                self.garbage += 1
                _log.warning("garbage from the audio process: %s", message.why)
                # A reader that never waits would keep the session from its turn.
                await asyncio.sleep(0)
                continue
            heard_at, wait = time.monotonic(), patience.silence
            if isinstance(message, Ready) and broken:
                self._tell(Recovered(broken))
                broken = ""
            self._tell(message)
            await asyncio.sleep(0)

    async def _ended(self, child: asyncio.subprocess.Process) -> tuple[str, str]:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.silence):
                await child.wait()
        code = child.returncode
        return (GAVE_UP if code in USAGE_CODES else DIED), f"it ended with {code}"

    async def _follow_log(self, child: asyncio.subprocess.Process) -> None:
        """Pass on what it logs; its last words are the best reason there is."""
        assert child.stderr is not None
        while line := await _read(child.stderr):
            self._last_words = line.decode(errors="replace").strip() or self._last_words
            _log.info("%s", self._last_words)


class _Flood:
    """Counts lines a second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._since = self._lines = 0.0

    def counts(self, now: float) -> bool:
        """One more line; true when there were too many."""
        if now - self._since > 1.0:
            self._since, self._lines = now, 0
        self._lines += 1
        return self._lines > self._most


async def _line(child: asyncio.subprocess.Process) -> bytes:
    assert child.stdout is not None
    return await _read(child.stdout)


async def _read(stream: asyncio.StreamReader) -> bytes:
    """The next line; one that is too long comes as garbage, in pieces."""
    try:
        return await stream.readline()
    except ValueError:
        return b"too long\n"


async def _kill(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(KILLED_SECONDS):
            await _drained(child)


async def _drained(child: asyncio.subprocess.Process) -> None:
    """Its end comes only after what it has written was read."""
    assert child.stdout is not None
    while await child.stdout.read(LONGEST_LINE):
        pass
    await child.wait()


def live_arguments(settings: Settings, microphone: str, loudspeaker: str) -> list[str]:
    """The command line of an audio process with these settings; "" takes the set device."""
    hearing, voice = settings.hearing, settings.voice
    given = {
        "microphone": microphone or hearing.microphone,
        "loudspeaker": loudspeaker or hearing.loudspeaker,
        "engine": hearing.engine,
        "model": hearing.model,
        "data": str(data_folder()),
        "voice": voice.name,
        "voice-engine": voice.engine,
        "rate": str(voice.rate),
        "cache": str(voice_folder()),
    }
    return ["--live", *(f"--{name}={value}" for name, value in given.items() if value)]
