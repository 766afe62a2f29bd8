"""The word ear that ships inside: pocketsphinx, for practice on a machine without a Vosk model.

It must never be given more to choose from than the question allows, and never arm a real massager:
it hears people badly (measured by bench/hearing_words.py).
"""

from collections import Counter
from collections.abc import Iterable
from itertools import islice, product

from pocketsphinx import Decoder

from audio.cutter import Cutter
from audio.recogniser import Reading
from audio.sound import Samples
from intents.intent import SAFETY, Intent
from intents.phrasebook import Phrasebook

USUAL_WORDINGS = 2
"""Only the first templates of each meaning are listened for: every further choice costs words."""

MOST_WORDS = 5
"""Longer phrases are not listened for; nobody answers so, and they draw talk to themselves."""

MOST_SAYINGS = 4
"""Ways to pronounce a phrase that are listened for."""


class SphinxRecogniser:
    """Decodes one whole utterance at a time: while nothing sounds it costs nothing.

    There are no unfinished readings. Those of pocketsphinx change from block to block, and its
    cepstral mean is right only over a whole utterance; the alarm ear is there for haste.
    """

    engine = "sphinx"
    model = "pocketsphinx en-us (practice)"
    practice = True

    def __init__(self, book: Phrasebook) -> None:
        self._book = book
        self._decoder = Decoder(lm=None, cmn="batch", loglevel="FATAL")
        self._cutter = Cutter()
        self._names: dict[str, str | None] = {}
        self._phrases: dict[str, str] = {}
        self.expect(frozenset())

    def expect(self, intents: frozenset[Intent]) -> None:
        """Choose only between the usual wordings of `intents`, the safety words and the decoys."""
        chosen = self._book.phrases(intents or None, most=USUAL_WORDINGS)
        self._choose([*chosen, *self._safety(), *self._book.decoys])

    def hear(self, block: Samples) -> list[Reading]:
        """Take one block; a reading when it ends an utterance."""
        utterance = self._cutter.hear(block)
        if utterance is None:
            return []
        return [Reading(self.read(utterance), final=True)]

    def read(self, utterance: Samples) -> str:
        """The phrase that this utterance is most like; empty when it is like none."""
        self._decoder.start_utt()
        self._decoder.process_raw(utterance.tobytes(), full_utt=True)
        self._decoder.end_utt()
        best = self._decoder.hyp()
        return self._phrases.get(best.hypstr, "") if best else ""

    def reset(self) -> None:
        """Forget the utterance that is being heard."""
        self._cutter.reset()

    def _safety(self) -> Iterable[str]:
        """The safety phrases that the phrasebook weighs, and the first wording of the others."""
        weighed = [p for p in self._book.sensitivity if self._book.safety(p)]
        first = [p for p in self._book.phrases(SAFETY, most=1) if " " in p]
        return dict.fromkeys(weighed + first)

    def _choose(self, phrases: Iterable[str]) -> None:
        names = Counter(n for n in map(self._name, dict.fromkeys(phrases)) if n is not None)
        share = 1.0 / max(len(names), 1)
        choices = [(0, 1, share, name) for name in names]
        self._decoder.add_fsg("choice", self._decoder.create_fsg("choice", 0, 1, choices))
        self._decoder.activate_search("choice")

    def _name(self, phrase: str) -> str | None:
        """The phrase as one word of the dictionary; None when a word of it has no pronunciation.

        In a grammar of words pocketsphinx answers with the beginning of a phrase ("it" of "it
        hurts" for "eight"); a phrase that is one word is heard whole or not at all.
        """
        if phrase not in self._names:
            self._names[phrase] = self._add(phrase)
        return self._names[phrase]

    def _add(self, phrase: str) -> str | None:
        words = phrase.split()
        if len(words) > MOST_WORDS:
            return None
        sayings = [self._sayings(word) for word in words]
        if not all(sayings):
            return None
        name = "_".join(words)
        if len(words) > 1:
            for count, saying in enumerate(islice(product(*sayings), MOST_SAYINGS), start=1):
                entry = name if count == 1 else f"{name}({count})"
                self._decoder.add_word(entry, " ".join(saying), False)
        self._phrases[name] = phrase
        return name

    def _sayings(self, word: str) -> list[str]:
        entries = [word, f"{word}(2)"]
        return [s for s in map(self._decoder.lookup_word, entries) if s is not None]
