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
from audio.sound import Samples
from audio.sphinx import SphinxRecogniser
from audio.words_network import OTHER, WordsNetwork, load
from intents.intent import Intent
from intents.phrasebook import Phrasebook

NOT_ASKED = 0.1
"""Weight of a known word that makes no sense now: it speaks against the others, softly."""

SURE_ASKED = 0.5
SURE_UNASKED = 0.8
"""From this chance on the network's word is taken: after a question, and when nothing was asked."""

PERHAPS = 0.1
"""Below this chance a word that the network knows is not taken from pocketsphinx either."""


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
        self._network = network or WordsNetwork(load(None))
        self._phrases = SphinxRecogniser(book)
        self._cutter = Cutter()
        self.expect(frozenset())

    def expect(self, intents: frozenset[Intent]) -> None:
        """Choose only between words of `intents` and the safety words."""
        self._phrases.expect(intents)
        self._asked = np.array([self._makes_sense(word, intents) for word in self._network.words])
        self._sure = SURE_ASKED if intents else SURE_UNASKED

    def hear(self, block: Samples) -> list[Reading]:
        """Take one block; a reading when it ends an utterance."""
        utterance = self._cutter.hear(block)
        text = self.read(utterance) if utterance is not None else ""
        return [Reading(text, final=True)] if text else []

    def read(self, utterance: Samples) -> str:
        """The word or phrase that this utterance is; empty when it is none."""
        chances = self._chances(utterance)
        word = max(chances, key=lambda word: chances[word])
        if word != OTHER and chances[word] >= self._sure:
            return word
        text = self._phrases.read(utterance)
        return text if chances.get(text, 1.0) >= PERHAPS else ""

    def reset(self) -> None:
        """Forget the utterance that is being heard."""
        self._cutter.reset()

    def _chances(self, utterance: Samples) -> Mapping[str, float]:
        """Of the words that make sense now, and of OTHER; what makes none takes its share."""
        chances = np.exp(self._network(utterance)) * self._weights()
        chances /= chances.sum()
        listed = zip(self._network.words, chances.tolist(), self._asked, strict=True)
        return {word: chance for word, chance, asked in listed if asked or word == OTHER}

    def _weights(self) -> Floats:
        weights: Floats = np.where(self._asked, 1.0, NOT_ASKED).astype(np.float32)
        weights[self._network.words.index(OTHER)] = 1.0
        return weights

    def _makes_sense(self, word: str, intents: frozenset[Intent]) -> bool:
        meaning = self._book.match(word) if word != OTHER else None
        wanted = intents or frozenset(Intent)
        return meaning is not None and (
            meaning.intent in wanted or self._book.safety(word) is not None
        )
