"""The word ear that ships inside: a network of ours for single words, a transcriber for the rest.

The two learned from different recordings and err elsewhere: single words are decided by both, and
what is longer is written down. It must never choose a word that makes no sense now, and never arm a
massager: `practice`.
"""

from collections.abc import Mapping

import numpy as np

from audio import transcriber
from audio.cutter import PRE_ROLL_BLOCKS, Cutter
from audio.embedding import Floats
from audio.recogniser import Reading
from audio.sound import BLOCK, RATE, Samples
from audio.spelling import Spelling
from audio.transcriber import LEAST, Page, Transcriber
from audio.words_network import OTHER, WordsNetwork
from audio.words_network import shipped as shipped_network
from intents.intent import SAFETY, Intent
from intents.phrasebook import Phrasebook
from intents.plain import written

NOT_ASKED = 0.03
"""Weight of a known word that makes no sense now: it speaks against the others, softly."""

SAFETY_WEIGHT = 0.1
"""Weight of a safety word: here it is only a vote, and the alarm ear knows its sound better."""

OTHER_ASKED = 0.01
OTHER_UNASKED = 0.1
"""Weight of "none of these", after a question and when nothing was asked: network and transcriber
have both counted it already, and after a question an answer is likelier than talk. What these let
through and keep out is printed by bench/hearing_words.py."""

SURE = 0.5
"""From this chance on a word is taken."""

WRITTEN_WEIGHT = 0.5
"""How much the transcriber's log-chances count beside the network's; of weights from 0.25 to
1.5 among the best on people never met (audio/weights/MODEL_CARD.md)."""

SURELY_WRITTEN = -0.35
"""From this log-chance on nothing else can have been written."""

PERHAPS = 0.1
"""From this chance on the network's safety word may be what another ear has just suspected."""

NOT_AT_ALL = 0.005
MOSTLY_NOISE = 0.7
"""A safety word that was written down is noise only where both say so: else nobody doubts it."""

LIKE_A_WORD, NEAR_A_WORD = -4.0, -2.0
LIKE_A_PHRASE, NEAR_A_PHRASE = -9.5, -7.0
"""Where what was written down is no phrase ("start Nick massage"), one that makes sense now is
taken from this log-chance on, and when it is not so much less likely than the text; a single word
is come near to more easily. What the bars let through is printed by bench/hearing_words.py and
bench/own_voice.py."""
DOUBTFUL, MADE_UP = -4.0, -8.0
"""What was written down is less likely where nobody spoke: a bark is no "oh yeah". A safety word
is only left out when it is hardly likely at all."""

USUAL_WORDINGS = 2
"""Only the first templates of each meaning are looked for so: every further choice costs time."""

SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 3.0
"""No phrase of several words is shorter or longer, with the 0.66 s of quiet around it. What is
shorter is none that was misread: a beat of music is not "good night". Longer sound is only written
down, since weighing phrases of it takes memory."""


class EmbeddedRecogniser:
    """Reads one whole utterance at a time: while nothing sounds it costs nothing.

    There are no unfinished readings; the alarm ear is there for haste.
    """

    engine = "embedded"
    model = "our words, Moonshine tiny (practice)"
    practice = True

    def __init__(
        self,
        book: Phrasebook,
        network: WordsNetwork | None = None,
        writer: Transcriber | None = None,
    ) -> None:
        """`network` and `writer` None mean those that ship. Raises WeightsError, EmbeddingError and
        TranscriberError."""
        self._book = book
        self._network = network or shipped_network()
        self._writer = writer or transcriber.shipped()
        self._cutter = Cutter()
        self._words = self._network.words
        pairs = book.sounds_like.items()
        self._same_sound = {other: phrase for phrase, others in pairs for other in others}
        known = [word for word in self._words if word != OTHER]
        self._safety_words = [word for word in known if book.safety(word)]
        self._spelt_words = self._spelt(known)
        self.expect(frozenset())

    def expect(self, intents: frozenset[Intent]) -> None:
        """Choose only between words of `intents` and the safety words."""
        self._asked = np.array([self._makes_sense(word, intents) for word in self._words])
        self._weights = np.array([self._weight(word, intents) for word in self._words], np.float32)
        sensible = (intents or frozenset(Intent)) | SAFETY
        wanted = self._book.phrases(sensible, most=USUAL_WORDINGS)
        self._phrases = [phrase for phrase in wanted if phrase not in self._words]
        self._spelt_phrases = self._spelt(self._phrases)

    def hear(self, block: Samples) -> list[Reading]:
        """Take one block; a reading when it ends an utterance."""
        utterance = self._cutter.hear(block)
        if utterance is None:
            return []
        found, page = np.exp(self._network(utterance)), self._writer.listen(utterance)
        text, perhaps = self._read(found, page, len(utterance) / RATE), self._perhaps(found)
        blocks = len(utterance) // BLOCK - PRE_ROLL_BLOCKS
        return [Reading(text, True, perhaps, blocks)] if text or perhaps else []

    def reset(self) -> None:
        """Forget the utterance that is being heard."""
        self._cutter.reset()

    def spelt(self, utterance: Samples) -> Floats:
        """The transcriber's log-chances (words,) of the words that the network knows."""
        return self._of_words(self._writer.listen(utterance))

    def _read(self, found: Floats, page: Page, seconds: float) -> str:
        """The word or phrase that this utterance is; empty when it is none."""
        brief = seconds <= LONGEST_SECONDS
        spelt = self._of_words(page) if brief else None
        text = self._text(page, spelt)
        if self._book.safety(text):
            return "" if self._is_noise(text, found) else text
        if word := self._word(found, spelt) if spelt is not None else "":
            return word
        if self._book.match(text):
            # A single word that both know was not sure enough just now.
            return text if " " in text or text not in self._words else ""
        if phrase := self._phrase(page, seconds) if brief else "":
            return phrase
        # What means nothing is talk, or noise that was made words of: nobody is to answer it.
        return text if self._book.question(text) else ""

    def _text(self, page: Page, spelt: Floats | None) -> str:
        """What was said; a single word that was surely written is not written again."""
        if spelt is not None and spelt[1:].max() >= SURELY_WRITTEN:
            return self._words[1 + int(spelt[1:].argmax())]
        text = written(page.text)
        text = self._same_sound.get(text, text)
        return text if page.likely >= (MADE_UP if self._book.safety(text) else DOUBTFUL) else ""

    def _word(self, found: Floats, spelt: Floats) -> str:
        """The single word that network and transcriber make of it; empty when it is none."""
        chances = self._chances(found * np.exp(WRITTEN_WEIGHT * spelt))
        word = max(chances, key=lambda word: chances[word])
        return word if word != OTHER and chances[word] >= SURE else ""

    def _phrase(self, page: Page, seconds: float) -> str:
        """The phrase that what was written down stands for; empty when it is like none."""
        chances = page.chances(self._spelt_phrases)
        if not len(chances):
            return ""
        best = int(chances.argmax())
        phrase = self._phrases[best]
        if " " in phrase and seconds < SHORTEST_SECONDS:
            return ""
        like, near = (LIKE_A_PHRASE, NEAR_A_PHRASE) if " " in phrase else (LIKE_A_WORD, NEAR_A_WORD)
        return phrase if chances[best] >= max(like, page.likely + near) else ""

    def _perhaps(self, found: Floats) -> str:
        """The likeliest safety word that an utterance may be; empty when it can be none."""
        chances = dict(zip(self._words, found.tolist(), strict=True))
        word = max(self._safety_words, key=lambda word: chances[word], default="")
        return word if word and chances[word] >= PERHAPS else ""

    def _of_words(self, page: Page) -> Floats:
        """The transcriber's log-chances of OTHER, which is what the words leave, and of them."""
        spelt = page.chances(self._spelt_words)
        left = np.log(max(1.0 - float(np.exp(spelt).sum()), float(np.exp(LEAST))))
        return np.concatenate([[left], spelt]).astype(np.float32)

    def _chances(self, found: Floats) -> Mapping[str, float]:
        """Of the words that make sense now, and of OTHER; what makes none takes its share."""
        chances = found * self._weights
        chances /= chances.sum()
        listed = zip(self._words, chances.tolist(), self._asked, strict=True)
        return {word: chance for word, chance, asked in listed if asked or word == OTHER}

    def _is_noise(self, text: str, found: Floats) -> bool:
        """Music read as "pain": one word that the network knows, and does not find in it at all."""
        chances = dict(zip(self._words, found.tolist(), strict=True))
        return bool(chances.get(text, 1.0) < NOT_AT_ALL and chances[OTHER] > MOSTLY_NOISE)

    def _spelt(self, phrases: list[str]) -> Spelling:
        """As a transcriber writes them: "Seven", "seven" and "7", "Let's go" and "let's go"."""
        return Spelling(self._writer.tokens, [self._wordings(phrase) for phrase in phrases])

    def _wordings(self, phrase: str) -> set[str]:
        spoken = [phrase, *self._book.sounds_like.get(phrase, ())]
        small = [" ".join(_capital_i(word) for word in text.split()) for text in spoken]
        wordings = {*small, *(text[0].upper() + text[1:] for text in small)}
        digits = self._book.numerals.get(phrase)
        return wordings | {digits} if digits else wordings

    def _weight(self, word: str, intents: frozenset[Intent]) -> float:
        if word == OTHER:
            return OTHER_ASKED if intents else OTHER_UNASKED
        if self._book.safety(word) is not None:
            return SAFETY_WEIGHT
        return 1.0 if self._makes_sense(word, intents) else NOT_ASKED

    def _makes_sense(self, word: str, intents: frozenset[Intent]) -> bool:
        meaning = self._book.match(word) if word != OTHER else None
        wanted = intents or frozenset(Intent)
        return meaning is not None and (
            meaning.intent in wanted or self._book.safety(word) is not None
        )


def _capital_i(word: str) -> str:
    return f"I{word[1:]}" if word == "i" or word.startswith("i'") else word
