"""Makes ears and mouth out of the settings. It must never listen or speak itself."""

from pathlib import Path

from assistant.paths import data_folder, voice_folder
from assistant.settings import Settings
from audio.echo import EchoCanceller
from audio.engine import Engine, Listening, open_ears
from audio.headset import Headset
from audio.models import Places
from audio.pipeline import Ears, Pipeline
from audio.speaker import Player
from audio.speech_engine import AUTO, PLAIN
from audio.voice import Voice


def places(settings: Settings) -> Places:
    """Where a speech model is looked for."""
    model = settings.hearing.model
    return Places(data_folder(), option=None, setting=Path(model) if model else None)


def make_voice(settings: Settings, *, live: bool = True) -> Voice:
    """The voice as set, with its cache.

    In virtual time nobody waits for a nicer voice, and a scenario or a recording gives the same
    session on every machine: the plain one speaks, unless another one is named.
    """
    voice = settings.voice
    open_choice = voice.engine == AUTO and not voice.name
    engine = PLAIN if open_choice and not live else voice.engine
    return Voice(voice_folder(), voice.name, voice.rate, engine)


def load_ears(settings: Settings) -> Ears:
    """Every ear there is. Raises `NotFit` for a model that is named and not usable."""
    engine = Engine(settings.hearing.engine)
    return open_ears(Listening.ALL, engine, places(settings), settings.phrasebook)


def make_headset(settings: Settings, ears: Ears, voice: Voice) -> Headset:
    """Ears and mouth in one object, from a fresh state."""
    pipeline = Pipeline(ears, EchoCanceller(), settings.phrasebook)
    pipeline.reset()
    return Headset(pipeline, Player(), voice)
