"""What may have been a safety word, or "pause": a moment of rest, until more is known.

It must never outlast its moment, nor move the session by itself.
"""

from assistant.stage import Stage
from audio.messages import Ear
from intents.intent import Intent

SUSPECT_SECONDS = 1.5
PAUSE_SECONDS = 1.0
"""A final comes up to a second after its word (docs/facts.md A1.3)."""
POOR_ENGINE = "embedded"
"""The word ear whose short safety phrases are only votes (DECISIONS.md)."""
ONLY_IN_WORDS = frozenset({Intent.DEVICE, Intent.PAIN, Intent.EMERGENCY})
"""Safety words that the alarm ear does not know by their sound."""


class Suspicion:
    """One suspicion at a time; while it is on, no massager is and no time passes."""

    def __init__(self, stage: Stage) -> None:
        self.paused_for: Intent | None = None
        """The safety word of which a poor word ear alone knew, and for which everything rests."""
        self._stage = stage
        self._poor_words = False
        self._until: float | None = None
        self._pause_at: float | None = None

    @property
    def on(self) -> bool:
        """Whether a moment of rest is on."""
        return self._until is not None

    @property
    def deadlines(self) -> tuple[float | None, float | None]:
        """When the moment is over, and when it is taken for a "pause"."""
        return self._until, self._pause_at

    def listens_with(self, engine: str) -> None:
        """Learn which word ear is there."""
        self._poor_words = engine == POOR_ENGINE

    def needs_repeating(self, intent: Intent, ear: Ear) -> bool:
        """No other ear can make sure of it: said once more, it is sure."""
        return self._poor_words and ear is Ear.WORDS and intent in ONLY_IN_WORDS

    def rest(self) -> None:
        """The massager rests for a moment; it costs nothing if nothing follows."""
        s = self._stage
        self._until = s.now + SUSPECT_SECONDS
        if s.governor.on:
            s.emit(s.governor.off("suspect", s.now))

    def rest_for_a_pause(self) -> None:
        """The sound of "pause", which "four" and "hold" come near: the massager rests at once, the
        session after a moment, in which a word ear may tell that it was another word."""
        self._pause_at = self._stage.now + PAUSE_SECONDS
        self.rest()

    def end(self) -> None:
        """It has become sure, or was something else."""
        self._until = self._pause_at = None

    def take_word(self) -> None:
        """An ordinary word was understood: then that was what sounded like a "pause"."""
        if self._pause_at is not None:
            self.end()

    def pass_until(self, now: float) -> bool:
        """End a moment that is over; True when it is to be taken for a "pause"."""
        if self._until is not None and now >= self._until:
            self._until = None
        return self._pause_at is not None and now >= self._pause_at
