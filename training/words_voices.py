"""Synthetic speakers of the word ear's words: `python -m training.words_voices OUT`.

Few people recorded more than yes, no, stop, digits and directions; the rest is spoken by Kokoro
(set up as training.voices says), espeak-ng and flite. It must never let a voice that judges
(JUDGES) speak for training.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

from training.voices import HELD_OUT, Kokoro, plain, turns
from training.words_list import SAID, SOUND_ALIKES

JUDGES = ("flite:rms", *(f"kokoro:{name}" for name in HELD_OUT))


def main() -> int:
    """Speak with one engine until its jobs or the seconds are used up; FLAC and index.csv."""
    parser = argparse.ArgumentParser(prog="python -m training.words_voices", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kokoro", type=Path, help="kokoro-js's folder `voices`; else plain ones")
    parser.add_argument("--seconds", type=float, default=1200.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(options.seed)
    if options.kokoro:
        spoken = turns(Kokoro(options.kokoro, rng), rng, SAID, SOUND_ALIKES)
    else:
        spoken = plain(rng, SAID, SOUND_ALIKES)
    end = time.monotonic() + options.seconds
    with (options.out / "index.csv").open("w", newline="") as index:
        rows = csv.writer(index)
        rows.writerow(["file", "voice", "text"])
        for number, (voice, text, sound) in enumerate(spoken):
            name = f"{number:05d}.flac"
            soundfile.write(options.out / name, sound, 16_000)
            rows.writerow([name, voice, text])
            if time.monotonic() > end:
                break
    return 0


if __name__ == "__main__":
    sys.exit(main())
