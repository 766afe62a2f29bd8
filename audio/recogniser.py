"""The word ear: what every recogniser must do, whatever engine is inside.

It must never load an engine: who listens is chosen in audio/engine.py.
"""

from dataclasses import dataclass
from typing import Protocol

from audio.errors import UnknotError
from audio.sound import Samples
from intents.intent import Intent


@dataclass(frozen=True)
class Reading:
    """What the word ear makes of the sound so far. `final`: the utterance is over."""

    text: str
    final: bool
    perhaps: str = ""
    """A safety word that it may have been instead, should another ear have heard that one."""
    blocks: int = 0
    """So many blocks ago the utterance began; 0 where the engine does not tell."""


class Recogniser(Protocol):
    """Hears words in blocks of 20 ms."""

    engine: str
    model: str
    practice: bool
    """It hears too badly to arm a real massager."""

    def expect(self, intents: frozenset[Intent]) -> None:
        """The answers that make sense now; none means everything. Safety words are always heard."""

    def hear(self, block: Samples) -> list[Reading]:
        """Take one block. Raises `RecogniserFailed` when the engine is broken."""

    def reset(self) -> None:
        """Forget the sound so far, as after a gap."""


class RecogniserFailed(UnknotError, RuntimeError):
    """The engine no longer works; the words after this are lost."""
