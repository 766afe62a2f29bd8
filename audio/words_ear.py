"""The word ear that ships inside: a network of ours for single words, pocketsphinx for phrases.

The network knows the words that questions are answered with and hears them better; what it does
not know (long phrases, the names of routines) pocketsphinx decides. It must never choose a word
that makes no sense now, and never arm a massager: `practice`.
"""

from collections.abc import Mapping

import numpy as np

from audio.cutter import Cutter
from audio.embedding import Floats
from audio.recogniser import Reading
from audio.sound import RATE, Samples
from audio.sphinx import LONG_WORDS, SphinxRecogniser
from audio.words_network import OTHER, WordsNetwork, shipped
from intents.intent import Intent
from intents.phrasebook import Phrasebook

NOT_ASKED = 0.03
"""Weight of a known word that makes no sense now: it speaks against the others, softly."""

SAFETY_WEIGHT = 0.1
"""Weight of a safety word: here it is only a vote, and the alarm ear knows its sound better."""

OTHER_ASKED = 0.3
"""Weight of "none of these" after a question: then an answer is likelier than talk."""

SURE_ASKED = 0.35
SURE_UNASKED = 0.5
"""From this chance on the network's word is taken: after a question, and when nothing was asked.
What these let through and keep out is printed by bench/hearing_words.py."""

CERTAIN = 0.8
"""From this chance on nobody asks pocketsphinx for a word that the network never learned."""

PERHAPS = 0.1
"""Below this chance a word that the network knows is not taken from pocketsphinx either."""

NONE_OF_THESE = 0.9
"""Above this chance of OTHER a single word of pocketsphinx is noise that it made a word of."""

NOT_AT_ALL = 0.005
MOSTLY_NOISE = 0.7
"""A safety word of pocketsphinx is noise only where both say so: else nobody doubts it."""

PHRASE_SECONDS = 1.5
"""Utterances so long (0.66 s of them are the quiet around) may be a phrase about one's safety."""


class EmbeddedRecogniser:
    """Reads one whole utterance at a time: while nothing sounds it costs nothing.

    There are no unfinished readings; the alarm ear is there for haste.
    """

    engine = "sphinx"
    model = "our words, pocketsphinx en-us (practice)"
    practice = True

    def __init__(self, book: Phrasebook, network: WordsNetwork | None = None) -> None:
        """`network` None means the one that ships. Raises WeightsError and EmbeddingError."""
        self._book = book
        self._network = network or shipped()
        self._phrases = SphinxRecogniser(book)
        self._cutter = Cutter()
        self.expect(frozenset())

    def expect(self, intents: frozenset[Intent]) -> None:
        """Choose only between words of `intents` and the safety words."""
        self._phrases.expect(intents)
        words = self._network.words
        self._asked = np.array([self._makes_sense(word, intents) for word in words])
        self._weights = np.array([self._weight(word, intents) for word in words], np.float32)
        self._sure = SURE_ASKED if intents else SURE_UNASKED

    def hear(self, block: Samples) -> list[Reading]:
        """Take one block; a reading when it ends an utterance."""
        utterance = self._cutter.hear(block)
        if utterance is None:
            return []
        found = np.exp(self._network(utterance))
        text, perhaps = self._read(utterance, found), self._perhaps(found)
        return [Reading(text, True, perhaps)] if text or perhaps else []

    def _perhaps(self, found: Floats) -> str:
        """The likeliest safety word that an utterance may be; empty when it can be none."""
        chances = zip(found.tolist(), self._network.words, strict=True)
        words = [(c, word) for c, word in chances if word != OTHER and self._book.safety(word)]
        chance, word = max(words, default=(0.0, ""))
        return word if chance >= PERHAPS else ""

    def _read(self, utterance: Samples, found: Floats) -> str:
        """The word or phrase that this utterance is; empty when it is none."""
        chances = self._chances(found)
        word = max(chances, key=lambda word: chances[word])
        sure = word != OTHER and chances[word] >= self._sure
        short = len(utterance) < PHRASE_SECONDS * RATE
        if sure and short and chances[word] >= CERTAIN:
            return word
        text = self._phrases.read(utterance)
        long_phrase = not short and len(text.split()) >= LONG_WORDS
        if self._book.safety(text) and (not sure or long_phrase):
            return "" if self._is_noise(text, found) else text
        if sure and not self._is_news(text):
            return word
        return self._believed(text, chances)

    def reset(self) -> None:
        """Forget the utterance that is being heard."""
        self._cutter.reset()

    def _chances(self, found: Floats) -> Mapping[str, float]:
        """Of the words that make sense now, and of OTHER; what makes none takes its share."""
        chances = found * self._weights
        chances /= chances.sum()
        listed = zip(self._network.words, chances.tolist(), self._asked, strict=True)
        return {word: chance for word, chance, asked in listed if asked or word == OTHER}

    def _believed(self, text: str, chances: Mapping[str, float]) -> str:
        """What pocketsphinx read, unless the network heard otherwise. Safety words never come here:
        nobody but the network doubts them, and it learned most of them from synthetic voices."""
        if text in chances:
            return text if chances[text] >= PERHAPS else ""
        alone = len(text.split()) == 1
        return "" if alone and chances[OTHER] > NONE_OF_THESE else text

    def _is_noise(self, text: str, found: Floats) -> bool:
        """Music read as "pain": one word that the network knows, and does not find in it at all."""
        chances = dict(zip(self._network.words, found.tolist(), strict=True))
        return bool(chances.get(text, 1.0) < NOT_AT_ALL and chances[OTHER] > MOSTLY_NOISE)

    def _is_news(self, text: str) -> bool:
        """A single word that the network does not know, as "knot", and must take for another."""
        return len(text.split()) == 1 and text not in self._network.words

    def _weight(self, word: str, intents: frozenset[Intent]) -> float:
        if word == OTHER:
            return OTHER_ASKED if intents else 1.0
        if self._book.safety(word) is not None:
            return SAFETY_WEIGHT
        return 1.0 if self._makes_sense(word, intents) else NOT_ASKED

    def _makes_sense(self, word: str, intents: frozenset[Intent]) -> bool:
        meaning = self._book.match(word) if word != OTHER else None
        wanted = intents or frozenset(Intent)
        return meaning is not None and (
            meaning.intent in wanted or self._book.safety(word) is not None
        )
