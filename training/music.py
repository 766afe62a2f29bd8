"""Pieces of the music in some Debian packages: `python -m training.music OUT`.

The recordings to train on hold five minutes of music; this adds what more kinds of instruments do
to a word. Needs `apt-get` and `dpkg-deb`, no root. It must never judge: what the tables call music
is recorded music of the recordings alone.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import soundfile
import soxr

from training.voices import Spoken, write

PACKAGES: Final = (
    "asc-music",
    "fretsonfire-songs-sectoid",
    "frozen-bubble-data",
    "hyperrogue-music",
    "singularity-music",
)
"""Orchestra, electronics, rock and metal; free licences, read for training, never shipped."""
ENDINGS: Final = (".ogg", ".mp3")
LEAST_SECONDS: Final = 30.0
"""Shorter files are a game's effects."""
PIECE_SECONDS: Final = 40.0
PIECES: Final = 3
"""Of one file, from all over it."""
RATE: Final = 16_000


def main() -> int:
    """Fetch, cut, write FLAC and index.csv."""
    parser = argparse.ArgumentParser(prog="python -m training.music", description=__doc__)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as place:
        for package in PACKAGES:
            unpack(package, Path(place))
        files = sorted(path for path in Path(place).rglob("*") if path.suffix in ENDINGS)
        write((piece for path in files for piece in _pieces(path)), options.out)
    return 0


def unpack(package: str, place: Path) -> None:
    """A Debian package's files into a folder of its name."""
    # As root, apt would warn that its own user cannot read this folder.
    usual = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root"]
    subprocess.run([*usual, package], cwd=place, check=True)
    for archive in place.glob(f"{package}_*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive, place / package], check=True)


def _pieces(path: Path) -> Iterator[Spoken]:
    with soundfile.SoundFile(path) as file:
        long = int(PIECE_SECONDS * file.samplerate)
        if file.frames < LEAST_SECONDS * file.samplerate:
            return
        for begin in np.linspace(0, max(0, file.frames - long), PIECES).astype(int):
            file.seek(int(begin))
            sound = file.read(long, dtype="float32", always_2d=True).mean(axis=1)
            heard = soxr.resample(sound, file.samplerate, RATE)
            if np.abs(heard).max() > 0:
                yield Spoken(heard / np.abs(heard).max() * 0.5, path.stem, "", "music", "")


if __name__ == "__main__":
    sys.exit(main())
