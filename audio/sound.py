"""Reads and writes recordings: any WAV or FLAC in, 16 kHz mono 16-bit samples out.

It must never guess: a file that holds no sound is refused by name, not heard as silence.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from audio.errors import UnknotError

RATE = 16_000
"""Samples per second, everywhere inside."""

BLOCK = 320
"""Samples in a block: 20 ms."""

Samples = NDArray[np.int16]
"""One channel of 16-bit sound at 16 kHz."""

_REMEDY = "give a WAV or FLAC recording"


class BadSound(UnknotError, ValueError):
    """A recording that cannot be read or written."""


def read(path: Path) -> Samples:
    """All sound of the file as 16 kHz mono. Raises `BadSound` when there is none to be had.

    Any rate, bit depth and number of channels; channels are averaged.
    """
    if not path.exists():
        raise BadSound(f"{path}: no such file", "check the path")
    if path.is_dir():
        raise BadSound(f"{path}: is a folder", _REMEDY)
    try:
        frames, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise BadSound(f"{path}: cannot be read as sound: {_reason(error)}", _REMEDY) from error
    if not len(frames):
        raise BadSound(f"{path}: holds 0 samples", "record it again")
    return to_int16(resampled(_mono(path, frames), rate))


def write(path: Path, sound: NDArray[np.int16], rate: int = RATE) -> None:
    """Write `sound` (samples, or samples x channels) as a 16-bit WAV file. Raises `BadSound`."""
    try:
        soundfile.write(path, sound, rate, format="WAV", subtype="PCM_16")
    except (soundfile.LibsndfileError, OSError) as error:
        remedy = "check that the folder exists and has room"
        raise BadSound(f"{path}: cannot be written: {_reason(error)}", remedy) from error


def resampled(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The same sound at 16 kHz."""
    if rate == RATE:
        return sound
    converted: NDArray[np.float32] = soxr.resample(sound, rate, RATE, quality="MQ")
    return converted


def to_int16(sound: NDArray[np.float32]) -> Samples:
    """Full scale 1.0 to 16 bits; what is louder is clipped, as a converter would."""
    # Recordings are stored with 32768 as full scale, so that a 16-bit file comes back bit for bit.
    samples: Samples = np.clip(np.rint(sound * 32768.0), -32768, 32767).astype(np.int16)
    return samples


def blocks(sound: Samples) -> Iterator[Samples]:
    """The sound in blocks of 20 ms, the last one filled up with silence."""
    for start in range(0, len(sound), BLOCK):
        block = sound[start : start + BLOCK]
        yield block if len(block) == BLOCK else np.pad(block, (0, BLOCK - len(block)))


def level_db(sound: Samples) -> float:
    """Loudness in dB against full scale; digital silence is -100."""
    if not len(sound):
        return -100.0
    wide = sound.astype(np.float32) / 32768.0
    return float(10.0 * np.log10(np.dot(wide, wide) / len(wide) + 1e-10))


def _mono(path: Path, frames: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(frames).all():
        raise BadSound(f"{path}: holds samples that are not numbers", "record it again")
    mono: NDArray[np.float32] = np.mean(frames, axis=1, dtype=np.float32)
    return mono


def _reason(error: Exception) -> str:
    """The library's reason without the path, which is already named."""
    if isinstance(error, soundfile.LibsndfileError):
        return str(error.error_string).strip().rstrip(".")
    return str(getattr(error, "strerror", None) or error)
