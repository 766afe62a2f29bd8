"""People who act and shout in two free games: `python -m training.actors OUT`.

The recordings to train on hold an hour of people's talk; this adds another hour by others, shouts,
and effects that are no speech. Needs `apt-get` and `dpkg-deb`, no root. It must never keep a line
in which a transcriber reads one of the alarm ear's words, and never judge.
"""

import argparse
import io
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from audio.sound import RATE, to_int16
from audio.transcriber import shipped
from training.clips import SAFETY
from training.music import unpack
from training.voices import Spoken, write

ADVENTURE: Final = "flight-of-the-amazon-queen"
"""Some 6,700 lines of an adventure by its actors, in English."""
BATTLE: Final = "hedgewars-data"
"""Shouts of a word or two, in English and other languages, and effects. Both are free to pass on;
read for training, never shipped."""
EACH_LINE: Final = 4
"""One line of so many: an hour of them."""
SHORTEST_SECONDS: Final = 0.3
LONGEST_SECONDS: Final = 8.0
"""Of a line that is kept: the transcriber does not listen to more at once."""
_HEADER, _ENTRY = struct.Struct(">4s9xH"), struct.Struct(">12sBII")


def main() -> int:
    """Fetch, read, write FLAC and index.csv."""
    parser = argparse.ArgumentParser(prog="python -m training.actors", description=__doc__)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as place:
        for package in (ADVENTURE, BATTLE):
            unpack(package, Path(place))
        long = (clip for clip in _all(Path(place)) if len(clip.sound) >= SHORTEST_SECONDS * RATE)
        write(long, options.out)
    return 0


def _all(place: Path) -> Iterator[Spoken]:
    for archive in sorted(place.rglob("queen.1c")):
        yield from _lines(archive.read_bytes())
    for path in sorted(place.rglob("Data/Sounds/voices/*/*.ogg")):
        yield Spoken(_sound(path), f"shout:{path.parent.name}", _title(path), "shout", "")
    for path in sorted(place.rglob("Data/Sounds/*.ogg")):
        yield Spoken(_sound(path), "effect", _title(path), "effect", "")


def _title(path: Path) -> str:
    return path.stem.lower()


def _lines(archive: bytes) -> Iterator[Spoken]:
    """Lines in which none of the words is read; who speaks them is not known."""
    writer = shipped()
    for name, recorded in list(entries(archive))[::EACH_LINE]:
        sound = _sound(io.BytesIO(recorded))
        text = writer.listen(to_int16(sound)).text.lower()
        if not SAFETY.search(text):
            yield Spoken(sound, f"actor:{name}", text, "acted", "")


def entries(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and MP3 file of each spoken line: a table of names, places and sizes comes first.

    Raises ValueError for another kind of file.
    """
    mark, count = _HEADER.unpack_from(archive)
    if mark != b"QTBL":
        raise ValueError(f"queen.1c: begins with {mark!r}; QTBL is needed")
    for number in range(count):
        name, _, at, size = _ENTRY.unpack_from(archive, _HEADER.size + number * _ENTRY.size)
        if name.rstrip(b"\0").endswith(b".SB"):
            yield name.rstrip(b"\0").decode("latin1").removesuffix(".SB"), archive[at : at + size]


def _sound(file: Any) -> Any:
    """16 kHz, loudest sample 0.5."""
    sound, rate = soundfile.read(file, dtype="float32", always_2d=True)
    heard = soxr.resample(sound[: int(LONGEST_SECONDS * rate)].mean(axis=1), rate, RATE)
    return heard / max(1e-6, float(np.abs(heard).max())) * 0.5


if __name__ == "__main__":
    sys.exit(main())
