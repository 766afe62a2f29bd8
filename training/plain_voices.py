"""Synthetic speakers for the words of answers: `python -m training.plain_voices OUT`.

espeak-ng and flite speak them, quickly and plainly. It must never be the only source of a word that
recorded people say.
"""
# ruff: noqa: SIM905 - a list of words reads best as text

import argparse
import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

WORDS = (
    "yes|no|stop|pause|zero|one|two|three|four|five|six|seven|eight|nine|ten|continue|next|back|"
    "repeat|skip|help|finish|stronger|softer|slower|faster|louder|quieter|hold|release|ready|more|"
    "less|left|right|up|down|on|off|go|hands|balls|massager|maybe|okay|start"
).split("|")
EACH = 44
ACCENTS = ("en-us", "en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-us-nyc", "en-029")
VARIANTS = (
    "f1|f2|f3|f4|f5|m1|m2|m3|m4|m5|m6|m7|m8|klatt|klatt3|adam|anika|annie|belinda|benjamin|boris|"
    "caleb|david|ed|edward|iven|john|linda|marcelo|max|michael|mike|quincy|rob|steph|victor|zac"
).split("|")
FLITE = ("awb", "slt", "kal16", "rms")
HELD_OUT = "flite:rms"


def main() -> int:
    """EACH clips of every word; FLAC and index.csv."""
    parser = argparse.ArgumentParser(prog="python -m training.plain_voices", description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(4)
    with (out / "index.csv").open("w", newline="") as index:
        rows = csv.writer(index)
        rows.writerow(["file", "voice", "kind", "word", "text"])
        for word in WORDS:
            for number in range(EACH):
                voice, wav = _flite(word, rng) if number % 4 == 0 else _espeak(word, rng)
                sound, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
                name = f"{word}_{number:03d}.flac"
                soundfile.write(out / name, soxr.resample(sound, rate, 16_000), 16_000)
                rows.writerow([name, voice, "word", word, word])
    return 0


def _espeak(word: str, rng: np.random.Generator) -> tuple[str, bytes]:
    voice = f"{rng.choice(ACCENTS)}+{rng.choice(VARIANTS)}"
    speed, pitch = str(int(rng.integers(110, 210))), str(int(rng.integers(15, 85)))
    command = ["espeak-ng", "--stdout", "-v", voice, "-s", speed, "-p", pitch, word]
    return f"espeak:{voice}", subprocess.run(command, capture_output=True, check=True).stdout


def _flite(word: str, rng: np.random.Generator) -> tuple[str, bytes]:
    voice = str(rng.choice(FLITE))
    stretch = f"duration_stretch={rng.uniform(0.75, 1.35):.2f}"
    path = Path("/dev/shm/unknot_flite.wav")  # noqa: S108 - flite cannot write to a pipe
    command = ["flite", "-voice", voice, "--setf", stretch, "-t", word, "-o", str(path)]
    subprocess.run(command, capture_output=True, check=True)
    return f"flite:{voice}", path.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
