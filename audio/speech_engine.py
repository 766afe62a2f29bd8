"""What a speech engine can do, and the list of those there are; it must never make sound itself.

Another engine, as Piper, is one file with the members of `SpeechEngine`, and one line in `ENGINES`.
"""

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from audio.errors import UnknotError
from audio.messages import Fault

AUTO = "auto"
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PLAIN = "pyttsx3"
"""The engine that is always there: what another one cannot speak, this one does."""


class VoiceError(UnknotError):
    """A sentence that cannot be spoken; the voice, the engine or the disk needs mending."""

    fault = "voice_failed"
    """What the session is told that it is."""


class NoRoomError(VoiceError):
    """The voice is well: the disk takes no more."""

    fault = "disk_full"


def disk_error(message: str, remedy: str, error: OSError) -> VoiceError:
    """What a disk's refusal is: a full one is told as that."""
    kind = NoRoomError if error.errno in FULL_DISK else VoiceError
    return kind(f"{message}: {error.strerror or error}", remedy)


def fault_of(error: UnknotError) -> Fault:
    """What the session is told when a sentence cannot be spoken."""
    what = error.fault if isinstance(error, VoiceError) else VoiceError.fault
    return Fault(what, str(error))


class SpeechEngine(Protocol):
    """Text to a WAV file. `warm`, `render` and `voices` run in a short-lived child only
    (audio.render); the rest is quick and safe in any process."""

    @property
    def own_voice(self) -> str:
        """The voice that speaks when none is named."""

    @property
    def at_once(self) -> int:
        """How many processes are best rendering side by side."""

    @property
    def in_a_row(self) -> int:
        """How many sentences one process may render, one after another."""

    def is_there(self) -> bool:
        """Whether it is installed."""

    def knows(self, voice: str) -> bool:
        """Whether a voice of this name could be one of its own."""

    def version(self) -> str:
        """Names the engine and its version, for the cache's key. Raises `VoiceError`."""

    def warm(self) -> None:
        """Load what sentences can share. The process is forked afterwards. Raises `VoiceError`."""

    def render(self, text: str, voice: str, rate: int, file: Path) -> None:
        """Write `text` at `rate` words a minute; must sound the same whatever was rendered before,
        `in_a_row` times a process. Raises `VoiceError`."""

    def voices(self) -> tuple[str, ...]:
        """The names that `render` takes. Once a process."""


@dataclass(frozen=True)
class Speaker:
    """Who speaks: an engine by its name, and one of its voices."""

    engine: str
    voice: str


def _espeak() -> SpeechEngine:
    from audio.espeak import Espeak

    return Espeak()


def _hibari() -> SpeechEngine:
    from audio.hibari import Hibari

    return Hibari()


ENGINES: Mapping[str, Callable[[], SpeechEngine]] = MappingProxyType(
    {"hibari": _hibari, PLAIN: _espeak}
)
"""Every engine, the one that people like best first."""


def speech_engine(name: str) -> SpeechEngine:
    """The engine of this name. Raises `VoiceError`."""
    if name not in ENGINES:
        raise VoiceError(f"speech engine {name!r} is unknown", f"use {AUTO}, {', '.join(ENGINES)}")
    return ENGINES[name]()


def speaker(engine: str, voice: str = "") -> Speaker:
    """Who speaks with these settings. "auto" is the first engine that is there and knows the voice;
    an engine's own voice is the one that is not named. Raises `VoiceError`."""
    if engine == AUTO:
        fitting = (n for n, make in ENGINES.items() if make().is_there() and make().knows(voice))
        engine = next(fitting, PLAIN)
    return Speaker(engine, voice or speech_engine(engine).own_voice)
