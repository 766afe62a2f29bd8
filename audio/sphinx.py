"""The word ear that ships inside: pocketsphinx, for practice on a machine without a Vosk model.

It must never be given more to choose from than the question allows, and never arm a real massager:
it hears people badly (measured by bench/hearing_words.py).
"""

from collections.abc import Iterable
from itertools import islice, product
from math import log

import numpy as np
from pocketsphinx import Decoder, get_model_path

from audio.cutter import Cutter
from audio.echo import BLOCK_SECONDS
from audio.recogniser import Reading
from audio.sound import RATE, Samples, blocks, level_db
from intents.intent import SAFETY, Intent
from intents.phrasebook import Phrasebook

USUAL_WORDINGS = 2
"""Only the first templates of each meaning are listened for: every further choice costs words."""

MOST_WORDS = 5
"""Longer phrases are not listened for; nobody answers so, and they draw talk to themselves."""

LONG_WORDS = 3
"""Safety phrases of so many words are like nothing else; shorter ones cost answers ("chest pain"
for "six"), so only those that the phrasebook weighs are listened for."""

MOST_SAYINGS = 4
"""Ways to pronounce a phrase that are listened for."""

LIKE_A_PHRASE = -1.1
"""How much less likely the phrase may be than the likeliest string of sounds, in nats a frame. Talk
that is none of the phrases is further off. What the bar lets through and what it keeps out is
printed by bench/hearing_words.py."""

MOST_BESIDE_SECONDS = 0.4
"""Loud sound beside the phrase: with more, it was a word inside talk and not an answer."""

NEAR_PEAK_DB = 20.0
"""Blocks this near to the loudest ones of an utterance are speech."""

FRAME_SECONDS = 0.01
SCORE_UNIT = 1024.0
"""pocketsphinx divides its logarithms by this (SENSCR_SHIFT of 10 bits)."""


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
        self._any_sounds = _any_sounds()
        self._cutter = Cutter()
        self._names: dict[str, str | None] = {}
        self._phrases: dict[str, str] = {}
        self.expect(frozenset())

    def expect(self, intents: frozenset[Intent]) -> None:
        """Choose only between the usual wordings of `intents` and the safety words."""
        wanted = intents or frozenset(Intent)
        words = self._book.phrases(wanted - {Intent.NUMBER}, most=USUAL_WORDINGS)
        # "A six" sounds like "six": the bare numbers are hard enough to tell apart.
        numbers = self._book.phrases(wanted & {Intent.NUMBER}, most=1)
        self.choose([*words, *numbers, *self._safety()])

    def choose(self, phrases: Iterable[str]) -> None:
        """Choose between exactly these phrases."""
        names = [name for name in map(self._name, dict.fromkeys(phrases)) if name is not None]
        choices = [(0, 1, 1.0 / len(names), name) for name in names]
        self._decoder.add_fsg("choice", self._decoder.create_fsg("choice", 0, 1, choices))
        self._decoder.activate_search("choice")

    def hear(self, block: Samples) -> list[Reading]:
        """Take one block; a reading when it ends an utterance."""
        utterance = self._cutter.hear(block)
        text = self.read(utterance) if utterance is not None else ""
        return [Reading(text, final=True)] if text else []

    def read(self, utterance: Samples) -> str:
        """The phrase that this utterance is; empty when it is none."""
        name, likely = _decoded(self._decoder, utterance)
        phrase = self._phrases.get(name, "")
        if not phrase or self._beside(utterance) > MOST_BESIDE_SECONDS:
            return ""
        _, likeliest = _decoded(self._any_sounds, utterance)
        frames = len(utterance) / RATE / FRAME_SECONDS
        return phrase if (likely - likeliest) * SCORE_UNIT / frames >= LIKE_A_PHRASE else ""

    def reset(self) -> None:
        """Forget the utterance that is being heard."""
        self._cutter.reset()

    def _beside(self, utterance: Samples) -> float:
        """Seconds of loud sound that the decoder did not take for part of the phrase."""
        levels = np.array([level_db(block) for block in blocks(utterance)])
        loud = levels > np.sort(levels)[-3:].mean() - NEAR_PEAK_DB
        for segment in self._decoder.seg():
            if segment.word.split("(")[0] in self._phrases:
                first, last = (
                    round(frame * FRAME_SECONDS / BLOCK_SECONDS)
                    for frame in (segment.start_frame, segment.end_frame)
                )
                loud[first : last + 1] = False
        return float(loud.sum() * BLOCK_SECONDS)

    def _safety(self) -> Iterable[str]:
        """The safety phrases that the phrasebook weighs, and the first long one of the others."""
        weighed = [p for p in self._book.sensitivity if self._book.safety(p)]
        first = self._book.phrases(SAFETY, most=1)
        return dict.fromkeys(weighed + [p for p in first if len(p.split()) >= LONG_WORDS])

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


def _any_sounds() -> Decoder:
    """Finds the likeliest string of sounds of English; its narrow beams cost half a decoding."""
    return Decoder(
        allphone=get_model_path("en-us/en-us-phone.lm.bin"),
        allphone_ci=True,
        dict=None,
        cmn="batch",
        beam=1e-10,
        pbeam=1e-10,
        loglevel="FATAL",
    )


def _decoded(decoder: Decoder, utterance: Samples) -> tuple[str, float]:
    """The best hypothesis and its log-likelihood; an empty one when there is none."""
    # Else its noise estimate of the last utterance, which a pause and a person ago, counts in this.
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(utterance.tobytes(), full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return (best.hypstr, log(best.score)) if best else ("", 0.0)
