"""Chooses who listens: the word ear by what is installed, the alarm ear always.

It must never take a model that was not verified, and never fall back silently when one was named.
"""

from enum import Enum

from audio.models import Places, find, tuned
from audio.pipeline import Ears, SoundEar
from audio.recogniser import Recogniser
from intents.phrasebook import Phrasebook


class Engine(Enum):
    """Which word ear; `auto` is Vosk where a verified model is, else the embedded one."""

    AUTO = "auto"
    VOSK = "vosk"
    SPHINX = "sphinx"


class Listening(Enum):
    """Which ears listen."""

    ALL = "all"
    WORDS = "words"
    ALARM = "alarm"


def open_ears(listening: Listening, engine: Engine, places: Places, book: Phrasebook) -> Ears:
    """Load the ears that listen. Raises `NotFit` for a model that is named and not usable."""
    words = None if listening is Listening.ALARM else open_words(engine, places, book)
    alarm = None if listening is Listening.WORDS else _alarm_ear()
    return Ears(alarm, words)


def open_words(engine: Engine, places: Places, book: Phrasebook) -> Recogniser:
    """Load the word ear. Raises `NotFit` for a model that is named and not usable."""
    # Imported only when wanted: either engine costs memory that the other one needs.
    folder = None if engine is Engine.SPHINX else find(places, required=engine is Engine.VOSK)
    if folder is None:
        from audio.sphinx import SphinxRecogniser

        return SphinxRecogniser(book)
    from audio.vosk_ear import VoskRecogniser

    return VoskRecogniser(tuned(folder, places), book)


def _alarm_ear() -> SoundEar:
    from audio.alarm_ear import AlarmEar

    return AlarmEar()
