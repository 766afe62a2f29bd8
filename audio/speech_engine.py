"""What a speech engine can do, and the list of those there are; it must never make sound itself.

Another engine is one file with these four methods, and one line in `speech_engine()`.
"""

from pathlib import Path
from typing import Protocol

from audio.errors import UnknotError


class VoiceError(UnknotError):
    """A sentence that cannot be spoken; the voice, the engine or the disk needs mending."""


class SpeechEngine(Protocol):
    """Text to a WAV file. `render` and `voices` run in a short-lived child only (audio.render)."""

    def version(self) -> str:
        """Names the engine and its version, for the cache's key; quick and safe in any process."""

    def warm(self) -> None:
        """Load what sentences can share. Starts no thread: the process is forked afterwards."""

    def render(self, text: str, voice: str, rate: int, file: Path) -> None:
        """Write `text` at `rate` words a minute. Once a process. Raises `VoiceError`."""

    def voices(self) -> tuple[str, ...]:
        """The names that `render` takes. Once a process."""


def speech_engine(name: str) -> SpeechEngine:
    """The engine of this name. Raises `VoiceError`."""
    if name == "pyttsx3":
        from audio.espeak import Espeak

        return Espeak()
    raise VoiceError(f"speech engine {name!r} is unknown", "use pyttsx3")
