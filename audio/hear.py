"""Runs recordings through what a live session runs, as if their samples arrived one by one.

It must never do anything to the sound that a live session would not do.
"""

import resource
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from audio.echo import EchoCanceller
from audio.errors import UnknotError
from audio.messages import Heard
from audio.models import catalogue
from audio.pipeline import Ears, Pipeline
from audio.sound import RATE, Samples, blocks, read
from intents.intent import Intent
from intents.phrasebook import Phrasebook

FLUSH_SECONDS = 1.0
"""Silence after the recording, so that a word at its very end is decided."""


class Hearing:
    """Hears files one after the other with the same ears, each from a fresh state."""

    def __init__(self, ears: Ears, book: Phrasebook, expected: Iterable[Intent] = ()) -> None:
        self._ears = ears
        self._book = book
        self._expected = frozenset(expected)
        self._samples = 0
        self._began = time.process_time()

    def hear(self, path: Path, playing: Samples | None = None) -> Iterator[dict[str, Any]]:
        """What is heard in a recording, one event at a time. Raises `BadSound`.

        `playing` is what the loudspeaker played, sample for sample; where it ends there is silence.
        """
        sound = read(path)
        self._samples += len(sound)
        for heard in self._events(path, sound, playing):
            yield _event(path, heard)

    def summary(self, load_seconds: float) -> dict[str, Any]:
        """What all the hearing so far took; `load_seconds` is what came before it."""
        ready = self._pipeline().ready
        return {
            "summary": True,
            "audio_seconds": round(self._samples / RATE, 3),
            "cpu_seconds": round(time.process_time() - self._began, 3),
            "max_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "load_seconds": round(load_seconds, 3),
            "engine": ready.engine,
            "model": ready.model,
        } | ({"second_ear": catalogue().second_ear.name} if self._ears.second else {})

    def _pipeline(self) -> Pipeline:
        return Pipeline(self._ears, EchoCanceller(), self._book)

    def _events(self, path: Path, sound: Samples, playing: Samples | None) -> Iterator[Heard]:
        pipeline = self._pipeline()
        pipeline.reset()
        pipeline.enrol(False)
        pipeline.expect(self._expected)
        whole = np.concatenate([sound, np.zeros(round(FLUSH_SECONDS * RATE), np.int16)])
        for mic, played in zip(blocks(whole), _beside(whole, playing), strict=True):
            yield from pipeline.hear(mic, played)
            for fault in pipeline.take_faults():
                raise UnknotError(f"{path}: {fault.what}: {fault.detail}")


def _beside(sound: Samples, playing: Samples | None) -> Iterator[Samples]:
    """What was played, as long as the recording."""
    played = np.zeros_like(sound)
    if playing is not None:
        length = min(len(playing), len(played))
        played[:length] = playing[:length]
    return blocks(played)


def _event(path: Path, heard: Heard) -> dict[str, Any]:
    event = {
        "file": str(path),
        "at": round(heard.at, 3),
        "level": heard.level.value,
        "intent": heard.intent.value if heard.intent else None,
        "text": heard.text,
        "ear": heard.ear.value,
    }
    extra = {"value": heard.value, "topic": heard.topic}
    return event | {name: value for name, value in extra.items() if value is not None}
