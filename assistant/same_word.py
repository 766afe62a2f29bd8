"""One word is heard more than once: by two ears, as suspected, as confirmed and as final.

It must never pass over a safety word where the massage is still on.
"""

from intents.intent import Intent, Meaning
from intents.phrasebook import seriousness

SAME_WORD_SECONDS = 2.0
SAME_UTTERANCE_SECONDS = 1.2
"""A final comes up to a second after its word (docs/facts.md A1.3): what was confirmed to be a
safety word is not, to its end, taken for an ordinary one by an ear that hears worse."""


class SameWord:
    """When which safety word was heard last, in seconds of session time."""

    def __init__(self) -> None:
        self._halted: dict[Intent, tuple[float, int]] = {}
        """When, and how serious it was."""
        self._confirmed_at = float("-inf")

    def confirmed(self, now: float) -> None:
        """A safety word was confirmed; its final is still to come."""
        self._confirmed_at = now

    def still_spoken(self, now: float) -> bool:
        """What is heard now may be the end of the safety word that was confirmed."""
        return now < self._confirmed_at + SAME_UTTERANCE_SECONDS

    def halts_again(self, meaning: Meaning, now: float, *, halted: bool) -> bool:
        """The word that halted us a moment ago, heard by another ear or to its end. Something more
        serious is another word: "it hurts" may go on to "it really hurts"."""
        last, was = self._halted.get(meaning.intent, (float("-inf"), 0))
        serious = seriousness(meaning)
        same = now - last < SAME_WORD_SECONDS and halted and serious >= was
        if not same:
            self._halted[meaning.intent] = now, serious
        return same
