"""Starts, watches and restarts the audio process, so that whatever hangs there hangs nothing here.

It must never make the session wait: what cannot be sent is kept or dropped, and silence is a fault.
"""

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.line_process import LineProcess
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
from audio.wire import Garbage, encode, from_audio

COMMAND = (sys.executable, "-P", "-m", "audio")
DIED, HANGS, GAVE_UP = "audio_process_died", "audio_process_hangs", "audio_gave_up"

USAGE_CODES = frozenset({AudioMissing.exit_code, 2, 3})
"""Exit codes of a process that cannot even begin: starting it again would not help."""

LEAST_WAIT_SECONDS = 0.05
"""A session that was late itself still reads what has come before it calls the process silent."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long is too long, in seconds, and how often too often."""

    start: float = 60.0
    """Until the first line: a slow machine loads its ears for a while."""
    silence: float = 0.9
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
        self._child: LineProcess | None = None
        self._standing: dict[type, ToAudio] = {}
        self._speech: list[ToAudio] = []
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
        if child is not None:
            await child.end(self._patience.closing)

    # One process

    async def _live_once(self, broken: str) -> tuple[str, str]:
        """Start a process and follow it to its end: what went wrong, and its last words."""
        try:
            child = await LineProcess.start(self._command, _log.info)
        except OSError as error:
            return DIED, str(error)
        self._child = child
        self._brief(child)
        try:
            why = await self._follow(child, broken)
            if why:
                return HANGS, why
            code = await child.ended(self._patience.silence)
            what = GAVE_UP if code in USAGE_CODES else DIED
            return what, child.last_words or f"it ended with {code}"
        finally:
            if self._child is child:
                self._child = None
                await child.kill()

    def _brief(self, child: LineProcess) -> None:
        """Tell a new process what the one before it knew, and what was to be said meanwhile."""
        for command in [*self._standing.values(), *self._speech]:
            self._write(child, command)
        self._speech = []

    def _write(self, child: LineProcess, command: ToAudio) -> bool:
        """False when nobody takes it."""
        if child.unread > self._patience.unread_bytes:
            child.kill_at_once()
            return False
        return child.write(encode(command))

    async def _follow(self, child: LineProcess, broken: str) -> str:
        """Tell what it tells until it ends, or until it must be ended: then the reason."""
        patience = self._patience
        heard_at, wait = time.monotonic(), patience.start
        flood = _Flood(patience.lines_a_second)
        while True:
            left = heard_at + wait - time.monotonic()
            try:
                # Not wait_for: before Python 3.12 it can swallow the cancellation of this task.
                async with asyncio.timeout(max(LEAST_WAIT_SECONDS, left)):
                    line = await child.read()
            except TimeoutError:
                return f"no sign for {wait:.1f} s"
            if not line:
                return ""
            if flood.counts(time.monotonic()):
                return f"more than {patience.lines_a_second} lines a second"
            if self._take(line, broken):
                heard_at, wait = time.monotonic(), patience.silence
            # A reader that never waits would keep the session from its turn.
            await asyncio.sleep(0)

    def _take(self, line: bytes, broken: str) -> bool:
        """Tell one message; false for garbage, which is no sign of life."""
        message = from_audio(line)
        if isinstance(message, Garbage):
            self.garbage += 1
            _log.warning("garbage from the audio process: %s", message.why)
            return False
        if isinstance(message, Ready) and broken:
            self._tell(Recovered(broken))
        self._tell(message)
        return True


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


def live_arguments(settings: Settings, microphone: str, loudspeaker: str) -> list[str]:
    """The command line of an audio process with these settings; "" takes the set device."""
    hearing, voice = settings.hearing, settings.voice
    given = {
        "microphone": microphone or hearing.microphone,
        "loudspeaker": loudspeaker or hearing.loudspeaker,
        "engine": hearing.engine,
        "model": hearing.model,
        "data": str(data_folder()),
        "phrases": str(settings.phrases_file),
        "voice": voice.name,
        "voice-engine": voice.engine,
        "rate": str(voice.rate),
        "cache": str(voice_folder()),
    }
    return ["--live", *(f"--{name}={value}" for name, value in given.items() if value)]
