"""Synthetic speakers of the word ear's words: `python -m training.words_voices OUT`.

Few people recorded more than yes, no, stop, digits and directions; the rest is spoken by Kokoro
(set up as training.voices says), espeak-ng and flite. It must never let a voice that judges
(JUDGES) speak for training.
"""
# ruff: noqa: SIM905 - a list of words reads best as text

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from training.voices import HELD_OUT, SENTENCES, Kokoro
from training.words_list import SAID, SOUND_ALIKES

JUDGES = ("flite:rms", *(f"kokoro:{name}" for name in HELD_OUT))
ACCENTS = "en-us en-us en-gb en-gb-scotland en-gb-x-rp en-us-nyc en-029".split()
VARIANTS = (
    "f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 klatt klatt3 adam anika annie belinda benjamin boris "
    "caleb david ed edward iven john linda marcelo max michael mike quincy rob steph victor zac"
).split()
FLITE = "awb slt kal16 rms".split()
EACH, EACH_ALIKE = 26, 3
"""Plain voices' clips of a word, and of a sound-alike."""


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
    spoken = _kokoro(options.kokoro, rng) if options.kokoro else _plain(rng)
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


def _kokoro(voices: Path, rng: np.random.Generator) -> Iterator[tuple[str, str, Any]]:
    """All words again and again, every seventh by a judge; sound-alikes and sentences between."""
    speaker = Kokoro(voices, rng)
    for again in range(100):
        for number, text in enumerate(rng.permutation(np.array(SAID))):
            voice, sound = speaker.say(str(text), test=(number + again) % 7 == 0)
            yield f"kokoro:{voice}", str(text), sound
            if number % 3 == 0:
                other = str(rng.choice(SENTENCES if rng.random() < 0.2 else SOUND_ALIKES))
                voice, sound = speaker.say(other, test=False)
                yield f"kokoro:{voice}", other, sound


def _plain(rng: np.random.Generator) -> Iterator[tuple[str, str, Any]]:
    for text in (*SAID, *SOUND_ALIKES):
        for number in range(EACH if text in SAID else EACH_ALIKE):
            voice, wav = (_flite if number % 4 == 0 else _espeak)(text, rng)
            sound, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
            yield voice, text, soxr.resample(sound, rate, 16_000)


def _espeak(text: str, rng: np.random.Generator) -> tuple[str, bytes]:
    voice = f"{rng.choice(ACCENTS)}+{rng.choice(VARIANTS)}"
    speed, pitch = str(int(rng.integers(110, 210))), str(int(rng.integers(15, 85)))
    command = ["espeak-ng", "--stdout", "-v", voice, "-s", speed, "-p", pitch, text]
    return f"espeak:{voice}", subprocess.run(command, capture_output=True, check=True).stdout


def _flite(text: str, rng: np.random.Generator) -> tuple[str, bytes]:
    voice = str(rng.choice(FLITE))
    stretch = f"duration_stretch={rng.uniform(0.75, 1.35):.2f}"
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o", file.name]
        subprocess.run(command, capture_output=True, check=True)
        return f"flite:{voice}", Path(file.name).read_bytes()


if __name__ == "__main__":
    sys.exit(main())
