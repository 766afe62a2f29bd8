"""Prints what rendering prompts costs, and how often the same sentence sounds the same.

Usage: python bench/voice.py [SENTENCES]
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from audio.sound import RATE
from audio.voice import Voice

TEXTS = (
    "Lean your head gently to the left, and hold it there, part {}.",
    "Press where it is tense, part {}, and breathe out slowly.",
    "Now part {}.",
)


def main() -> None:
    """Render into two empty caches and compare."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    sentences = [TEXTS[number % len(TEXTS)].format(number) for number in range(count)]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first, second = Voice(Path(one)), Voice(Path(two))
        seconds = took(lambda: first.prepare(sentences))
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = children.ru_utime + children.ru_stime
        again = took(lambda: first.prepare(sentences))
        second.prepare(reversed(sentences))
        length = sum(len(first.clip(text)) for text in sentences) / RATE
        same = sum(bool((first.clip(t) == second.clip(t)).all()) for t in sentences)
    print(f"{count} sentences, {length:.0f} s of speech, rendered in {seconds:.1f} s:")
    print(
        f"  {1000 * seconds / count:.0f} ms a sentence, {1000 * seconds / length:.1f} ms a second"
    )
    print(f"  {1000 * processor / length:.1f} ms of processor time a second of speech")
    print(f"  {again:.2f} s when all of them are in the cache")
    print(f"  {same} of {count} are the same samples when rendered again in another order")


def took(work: Callable[[], None]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
