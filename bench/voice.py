"""Prints what rendering a routine costs with each speech engine, and how loud voice and tones are.

Usage: python bench/voice.py [ROUTINE] [--again SENTENCES]
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.settings import load
from audio.clips import speech_level_db
from audio.sound import RATE
from audio.speech_engine import ENGINES
from audio.tones import NOTES, tone
from audio.voice import Voice

AGAIN = 100
"""Sentences rendered once more, in another order."""


def main() -> None:
    """Render every sentence of a session with each engine; the lightest engine first, because the
    largest memory is told of all children so far."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("routine", nargs="?", default="neck-massager")
    asked.add_argument("--again", type=int, default=AGAIN)
    options = asked.parse_args()
    settings = load(personal=False)
    sentences = list(settings.script.every_sentence(options.routine))
    print(f"{options.routine}: {len(sentences)} sentences can be spoken in a session")
    for engine in reversed(ENGINES):
        if ENGINES[engine]().is_there():
            print_cost(engine, settings.voice.rate, sentences, options.again)
        else:
            print(f"{engine}: is not installed")
    levels = [speech_level_db(tone(name)) for name in NOTES]
    print(f"tones: {min(levels):.1f} to {max(levels):.1f} dB")


def print_cost(engine: str, rate: int, sentences: Sequence[str], again: int) -> None:
    """Render into two empty caches and compare."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        voice = Voice(Path(one), rate=rate, engine_name=engine)
        other = Voice(Path(two), rate=rate, engine_name=engine)
        first = took(lambda: other.prepare(sentences[:1]))
        before = processor_seconds()
        seconds = took(lambda: voice.prepare(sentences))
        processor = processor_seconds() - before
        cached = took(lambda: Voice(Path(one), rate=rate, engine_name=engine).prepare(sentences))
        other.prepare(reversed(sentences[:again]))
        clips = [voice.clip(text) for text in sentences]
        alike = sum(
            other.clip(text).tobytes() == clip.tobytes()
            for text, clip in zip(sentences[:again], clips, strict=False)
        )
        megabytes = sum(file.stat().st_size for file in Path(one).iterdir()) / 1e6
    speech = sum(map(len, clips)) / RATE
    words = sum(len(text.split()) for text in sentences)
    levels = sorted(map(speech_level_db, clips))
    print(f"{voice.speaker.engine}, voice {voice.speaker.voice}:")
    print(f"  the first sentence is there after {first:.1f} s, all after {seconds:.0f} s")
    print(f"  {1000 * seconds / len(sentences):.0f} ms a sentence", end=", ")
    print(f"{1000 * processor / speech:.0f} ms of processor time a second of speech")
    print(f"  {largest_memory():.0f} MB in the child at most, nothing when it is done")
    print(
        f"  {speech:.0f} s of speech, {megabytes:.0f} MB on the disk; read again in {cached:.1f} s"
    )
    print(f"  {60 * words / speech:.0f} words a minute at rate {rate}")
    print(f"  level {levels[0]:.1f} to {levels[-1]:.1f} dB")
    print(f"  {alike} of {min(again, len(sentences))} are the same samples in another order")


def took(work: Callable[[], None]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def processor_seconds() -> float:
    """What all children have used so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def largest_memory() -> float:
    """MB that the largest child so far has used."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()
