"""What a microphone costs that loses part of its sound: "stop" heard, by the share that is lost.

    python bench/gaps.py [FOLDER] [--every N]

FOLDER holds manifest.csv and recordings (default: ../shared/audio beside the project). On some of
these recordings the shipped networks were trained: compare the rows, not the numbers. It must never
let the ear know what was lost.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

from hearing_streams import Stream, Streams

from audio.alarm_ear import AlarmEar
from intents.spotter import Spotter

LOST = ((0.0, 1), (0.05, 1), (0.15, 1), (0.25, 1), (0.25, 5), (0.5, 1), (0.5, 5), (0.8, 5))
"""The share of the sound that is lost, and in pieces of how many blocks of 20 ms."""


def heard(streams: list[Stream], lost: float, run: int) -> float:
    """The share of the streams in which the alarm ear at least suspects the word."""
    chance, ear, found = np.random.default_rng(3), AlarmEar(), 0
    for _, blocks in streams:
        ear.reset()
        spotter = Spotter()
        gone = np.repeat(chance.random(len(blocks) // run + 1) < lost, run)
        arrived = (block for block, is_gone in zip(blocks, gone, strict=False) if not is_gone)
        verdicts = [v for block in arrived for clue in ear.hear(block) for v in spotter.hear(clue)]
        found += bool(verdicts)
    return found / len(streams)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    beside = Path(__file__).resolve().parents[2] / "shared" / "audio"
    parser.add_argument("folder", nargs="?", type=Path, default=beside)
    parser.add_argument("--every", type=int, default=1, help="only each n-th clip")
    options = parser.parse_args()
    if not (options.folder / "manifest.csv").exists():
        print(f"gaps: skipped, {options.folder}/manifest.csv is missing")
        return 0
    streams = Streams(options.folder, [], options.every).word("stop", "clean")
    print(f"{len(streams)} times stop, clean\n\n| lost | in pieces of | heard |\n|---|---|---|")
    for lost, run in LOST:
        print(f"| {lost:.0%} | {20 * run} ms | {heard(streams, lost, run):.0%} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
