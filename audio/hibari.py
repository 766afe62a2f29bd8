"""hibari, a small neural voice (the extra "voice"); it must never fetch a voice from the network.

The same text, speed and seed give the same samples. It speaks American English; its model and its
dictionary take 200 MB, which only the short-lived child holds.

This file is all that an engine needs: one for Piper would load its model in `warm`, write a WAV
file in `render`, name the model files that are there in `voices`, and stand in `ENGINES`.
"""

import importlib
import importlib.metadata
import importlib.util
import os
from pathlib import Path
from typing import Any

from audio.speech_engine import VoiceError

OWN_RATE = 190
"""Words a minute at its own pace (bench/voice.py)."""
SLOWEST, FASTEST = 0.5, 2.0
SEED = 0
"""Of the breath in its voice: fixed, so that a sentence always sounds the same."""
VOICES = ("heart", "emma", "fenrir", "fable", "kore")
"""The names of its voices; "heart" is in the wheel, the others are files that a person adds."""
_PARTS = ("hibari", "onnxruntime")
REMEDY = "pip install 'unknot[voice]', or set voice.engine to pyttsx3"


class Hibari:
    """The package hibari-tts on one processor core."""

    own_voice = "heart"
    at_once = 1
    in_a_row = 10
    """A fork of its own doubles what a sentence costs; ten share it."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def is_there(self) -> bool:
        """Whether the package and what runs its model are installed."""
        return all(importlib.util.find_spec(part) is not None for part in _PARTS)

    def knows(self, voice: str) -> bool:
        """Its own voices by name; no name is "heart"."""
        return voice in ("", *VOICES)

    def version(self) -> str:
        """For example "hibari 0.2.1 onnxruntime 1.32.0". Raises `VoiceError` without it."""
        self._check()
        runtime = importlib.metadata.version("onnxruntime")
        return f"hibari {importlib.metadata.version('hibari-tts')} onnxruntime {runtime}"

    def warm(self) -> None:
        """Load the model, the dictionary and the grammar of its own voice, on one thread."""
        self._check()
        for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[variable] = "1"  # more of them would only wait in every fork
        self._load(self.own_voice)

    def render(self, text: str, voice: str, rate: int, file: Path) -> None:
        """Write a 24 kHz mono WAV file. Raises `VoiceError`."""
        speed = min(FASTEST, max(SLOWEST, rate / OWN_RATE))
        self._load(voice).save(text, str(file), speed=speed, seed=SEED)

    def voices(self) -> tuple[str, ...]:
        """Those whose model is on this machine."""
        self._check()
        return tuple(name for name in VOICES if self._model(name) is not None)

    def _load(self, voice: str) -> Any:
        if voice not in self._loaded:
            model = self._model(voice)
            if model is None:
                raise VoiceError(f"voice {voice!r} is unknown to hibari", "see: unknot voices")
            made = importlib.import_module("hibari").Hibari(voice, model=model)
            made.phonemize("Warm.")  # loads the dictionary
            self._loaded[voice] = made
        return self._loaded[voice]

    def _model(self, voice: str) -> str | None:
        """The file of a voice, without looking for it anywhere but here."""
        known = importlib.import_module("hibari.voices")
        try:
            return str(known.voice_path(voice, download_missing=False))
        except (FileNotFoundError, ValueError):
            return None

    def _check(self) -> None:
        if not self.is_there():
            raise VoiceError("hibari is not installed", REMEDY)
