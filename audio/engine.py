"""Chooses who listens: the word ear by what is installed, the alarm ear always.

It must never take a model that was not verified, and never fall back silently when one was named.
"""

import logging
from enum import Enum

from audio.errors import NotFit
from audio.models import Places, find, tuned
from audio.pipeline import Ears, SoundEar
from audio.recogniser import Recogniser
from intents.intent import SAFETY
from intents.phrasebook import Phrasebook

_log = logging.getLogger(__name__)

FORMER_NAME = "sphinx"
"""Of the embedded word ear."""


class Engine(Enum):
    """Which word ear; `auto` is Vosk where a verified model is, else the embedded one."""

    AUTO = "auto"
    VOSK = "vosk"
    EMBEDDED = "embedded"

    @classmethod
    def _missing_(cls, value: object) -> "Engine | None":
        """What was embedded once: scripts name it."""
        return cls.EMBEDDED if value == FORMER_NAME else None


class Listening(Enum):
    """Which ears listen."""

    ALL = "all"
    WORDS = "words"
    ALARM = "alarm"


def open_ears(listening: Listening, engine: Engine, places: Places, book: Phrasebook) -> Ears:
    """Load the ears that listen. Raises `NotFit` for a model that is named and not usable."""
    words = None if listening is Listening.ALARM else open_words(engine, places, book)
    alarm = None if listening is Listening.WORDS else _alarm_ear()
    second = _second_ear(places) if listening is Listening.ALL and is_english(book) else None
    return Ears(alarm, words, of_this_language=is_english(book), second=second)


def open_words(engine: Engine, places: Places, book: Phrasebook) -> Recogniser | None:
    """Load the word ear; None where no ear hears the language of `book`.

    Raises `NotFit` for a model that is named and not usable.
    """
    if not is_english(book) and (engine is Engine.EMBEDDED or not any(places.named())):
        # What is installed or embedded is English: it would take one word for another.
        if engine is Engine.AUTO:
            return None
        raise NotFit("no speech model of this language", "set hearing.model to its folder")
    # Imported only when wanted: either engine costs memory that the other one needs.
    folder = None if engine is Engine.EMBEDDED else find(places, required=engine is Engine.VOSK)
    if folder is None:
        from audio.words_ear import EmbeddedRecogniser

        return EmbeddedRecogniser(book)
    from audio.vosk_ear import VoskRecogniser

    return VoskRecogniser(tuned(folder, places), book)


def is_english(book: Phrasebook) -> bool:
    """The safety words that the alarm ear knows by sound mean the same in this phrasebook."""
    from audio.alarm_ear import MEANINGS

    meanings = {word: book.safety(word) for word, meant in MEANINGS.items() if meant in SAFETY}
    return all(found and found.intent is MEANINGS[word] for word, found in meanings.items())


def _alarm_ear() -> SoundEar:
    from audio.alarm_ear import AlarmEar

    return AlarmEar()


def _second_ear(places: Places) -> SoundEar | None:
    """The second ear where somebody installed it; one that cannot be used is named and left out."""
    if not places.second_ear.exists():
        return None
    from audio.second_ear import SecondEar

    try:
        return SecondEar(places.second_ear)
    except NotFit as error:
        _log.warning("going on without the second ear: %s", error)
        return None
