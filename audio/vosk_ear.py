"""The word ear on Vosk, whose model is installed beside the program.

It must never let a trap of Vosk near the process (each is named where it is avoided), and never
believe a confidence: Vosk says 1.0 for words that were not said (docs/facts.md A1.5).
"""

import json
from collections.abc import Iterable
from pathlib import Path

import vosk

from audio.errors import NotFit
from audio.recogniser import Reading, RecogniserFailed
from audio.sound import BLOCK, RATE, Samples
from intents.intent import SAFETY, Intent
from intents.phrasebook import Phrasebook
from intents.vocabulary import grammar, missing

UNKNOWN = "[unk]"
"""Vosk's word for speech that is in no phrase."""

RENEW_BLOCKS = 300 * RATE // BLOCK
"""Every 10 minutes Vosk rebuilds its pipeline and drops frames; a reset in a silence every 5
minutes comes before that (docs/facts.md A1.4)."""


class VoskRecogniser:
    """Vosk with one grammar for the session: whoever asks for fewer choices filters the readings.

    A grammar per question would reset the decoder, and the word being spoken with it.
    """

    engine = "vosk"

    def __init__(self, folder: Path, book: Phrasebook) -> None:
        """Load a model from a folder that `audio.models` has verified. Raises `NotFit`."""
        self.model = folder.name
        self._model = _load(folder)
        self.missing_words = missing(_phrases(book), self._knows)
        """Words of the phrasebook that the model lacks; phrases with them cannot be heard."""
        self.rejects = self._knows(UNKNOWN)
        """The model can say "something else"; without it only the decoys keep talk away."""
        self.grammar = self._grammar(book)
        """The phrases that are listened for, as Vosk takes them."""
        self.practice = not all(self._hears(book.phrases({intent})) for intent in SAFETY)
        """Some safety word cannot be said in any wording: the model is of another language."""
        self._recogniser = vosk.KaldiRecognizer(self._model, RATE, self.grammar)
        self._blocks = 0

    def expect(self, intents: frozenset[Intent]) -> None:
        """Nothing to do: the grammar stays the same for the whole session."""

    def hear(self, block: Samples) -> list[Reading]:
        """Take one block: the unfinished text after each, the finished one when there is one."""
        self._blocks += 1
        try:
            # Result() must be taken whenever this is true: without it Vosk's memory grows.
            if self._recogniser.AcceptWaveform(block.tobytes()):
                return self._finished(json.loads(self._recogniser.Result())["text"])
            return [_reading(json.loads(self._recogniser.PartialResult())["partial"], final=False)]
        except Exception as error:  # Vosk raises nothing narrower
            raise RecogniserFailed(
                f"Vosk stopped working: {error}", "start the program again"
            ) from error

    def reset(self) -> None:
        """Forget the sound so far. Safe at any time; SetGrammar in mid-utterance would abort."""
        # Reset alone keeps the last 0.4 s of sound, which would come out as a word afterwards.
        self._recogniser.FinalResult()
        self._recogniser.Reset()
        self._blocks = 0

    def _finished(self, text: str) -> list[Reading]:
        reading = _reading(text, final=True)
        if not reading.text and self._blocks > RENEW_BLOCKS:
            self.reset()
        return [reading]

    def _hears(self, phrases: Iterable[str]) -> bool:
        return any(all(map(self._knows, phrase.split())) for phrase in phrases)

    def _knows(self, word: str) -> bool:
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def _grammar(self, book: Phrasebook) -> str:
        """The grammar as JSON, never by hand and never empty: either is a segfault."""
        listed = grammar(book, known=self._knows)
        if set(listed) <= {UNKNOWN}:
            raise NotFit(
                f"{self.model}: this model knows none of the words in config/phrases.toml",
                "use a model of the phrases' language",
            )
        return json.dumps(listed, ensure_ascii=False)


def _load(folder: Path) -> vosk.Model:
    """The model in `folder`; never by language: that downloads unchecked and may exit."""
    vosk.SetLogLevel(-1)
    if not folder.is_dir():
        raise NotFit(f"{folder}: no such model folder", "run: unknot model install")
    try:
        return vosk.Model(str(folder))
    except Exception as error:  # Vosk raises nothing narrower
        raise NotFit(
            f"{folder}: Vosk cannot load this model", "run: unknot model install"
        ) from error


def _phrases(book: Phrasebook) -> tuple[str, ...]:
    return tuple(phrase for phrase in grammar(book) if phrase != UNKNOWN)


def _reading(text: str, final: bool) -> Reading:
    """The text without the places where Vosk heard something else."""
    return Reading(" ".join(word for word in text.split() if word != UNKNOWN), final)
