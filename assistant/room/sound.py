"""Sound of a person as arrays: where it sounds, how loud it is, and trimmed to what matters.

Mono float32 at 16 kHz throughout, full scale 1.0; it never mixes, plays or writes anything.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audio import sound as files
from audio.sound import BLOCK as BLOCK
from audio.sound import RATE as RATE

PERSON_DB = -30.0
"""Active speech of the person at the microphone, dBFS rms: a voice a metre away."""
_FRAME = RATE // 100
_LEAD, _TAIL, _FADE = RATE // 20, RATE // 10, RATE // 100

Samples = npt.NDArray[np.float32]


def read_sound(path: Path) -> Samples:
    """Read a recording; raise BadSound where it cannot be read or holds only silence."""
    sound = files.read(path)
    if not sound.any():
        raise files.BadSound(f"{path}: holds only silence", "record it again")
    return sound.astype(np.float32) / np.float32(32768.0)


def decibels(power: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Power (full scale 1.0) in dB, silence as -120."""
    return 10.0 * np.log10(np.asarray(power, np.float64) + 1e-12)


def sounding(sound: Samples) -> tuple[int, int]:
    """First and last sample of the sounding part of an utterance, in steps of 10 ms.

    A frame sounds within 30 dB of the loudest and 10 dB above the recording's own floor.
    """
    levels = _frame_levels(sound)
    floor = np.percentile(levels, 15) + 10.0 if len(levels) > 20 else -120.0
    on = np.flatnonzero(levels > max(levels.max() - 30.0, min(floor, levels.max() - 10.0)))
    return int(on[0]) * _FRAME, min((int(on[-1]) + 1) * _FRAME, len(sound))


def active_level(sound: Samples) -> float:
    """Level in dBFS rms of the frames within 20 dB of the loudest: speech without its gaps."""
    levels = _frame_levels(sound)
    active = levels[levels > levels.max() - 20.0]
    return float(decibels(np.mean(10.0 ** (active / 10.0))))


def _frame_levels(sound: Samples) -> npt.NDArray[np.float64]:
    padded = np.pad(sound, (0, -len(sound) % _FRAME))
    return decibels((padded.reshape(-1, _FRAME) ** 2).mean(axis=1))


@dataclass(frozen=True)
class Utterance:
    """Words as sound at the person's level; `start` and `end` are samples of the words in it."""

    text: str
    sound: Samples
    start: int
    end: int


def utterance(text: str, sound: Samples, gain_db: float = 0.0) -> Utterance:
    """Trim to the words and bring them to the person's level plus `gain_db`."""
    start, end = sounding(sound)
    first, last = max(0, start - _LEAD), min(len(sound), end + _TAIL)
    gain = 10.0 ** ((PERSON_DB + gain_db - active_level(sound[start:end])) / 20.0)
    cut = (sound[first:last] * gain).astype(np.float32)
    fade = np.linspace(0.0, 1.0, min(_FADE, len(cut)), dtype=np.float32)
    cut[: len(fade)] *= fade
    cut[len(cut) - len(fade) :] *= fade[::-1]
    return Utterance(text, cut, start - first, end - first)
