"""Lets sound through to the alarm ear and spares it the silence of a quiet room.

It must never hold back the beginning of a word: what it lets through begins well before the sound
that woke it, and when in doubt it lets everything through.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from audio.embedding import REACH, Floats

ABOVE_FLOOR_DB: Final = 2.5
"""Louder than the room's own hiss by this much is sound."""
NOTHING_DB: Final = -84.0
"""Below this (full scale 0 dB) a 16-bit microphone gives only its last bits."""
AWAKE_SECONDS: Final = 1.2
"""A word may go on after its loud part, and its last part is judged after its end."""
FLOOR_FALL_DB, FLOOR_RISE_DB = 6.0, 0.03
"""How far the floor follows one block down and up: slowly up, so that no word becomes floor."""
_RATE, _PART = 16_000, 160
_BEFORE = 2 * REACH
"""What the embedding and the words' own second look back on: 1.6 s."""


@dataclass(frozen=True)
class Passed:
    """The sound to work on now. `anew`: it does not follow on what was let through last.

    Its first `known` samples were worked on before, and are there only to look back on.
    """

    sound: Floats
    anew: bool = False
    known: int = 0


class Quiet:
    """The gate of one microphone."""

    def __init__(self) -> None:
        self._floor_db = NOTHING_DB
        self._awake_samples = 0
        self._slept_samples = 0
        self._before: Floats = np.zeros(0, np.float32)

    def let_through(self, sound: Floats) -> Passed:
        """What of the sound so far is to be worked on now; perhaps nothing."""
        loud = self._is_loud(sound)
        awake = self._awake_samples > 0
        self._awake_samples = (
            int(AWAKE_SECONDS * _RATE) if loud else max(0, self._awake_samples - len(sound))
        )
        self._before = np.concatenate([self._before, sound])[-_BEFORE:]
        if awake:
            return Passed(sound)
        self._slept_samples += len(sound)
        if not loud:
            return Passed(np.zeros(0, np.float32))
        known = max(0, len(self._before) - self._slept_samples)
        self._slept_samples = 0
        return Passed(self._before, anew=True, known=known)

    def _is_loud(self, sound: Floats) -> bool:
        """Some 10 ms of it stand out of the room's hiss."""
        whole = sound[: len(sound) // _PART * _PART].reshape(-1, _PART)
        if not len(whole):
            return True
        powers = np.square(whole - whole.sum() / whole.size).sum(axis=1) / (_PART * 2**30)
        levels = (10 * np.log10(powers + 1e-12)).tolist()
        loud = max(levels) > max(self._floor_db + ABOVE_FLOOR_DB, NOTHING_DB)
        step = sum(levels) / len(levels) - self._floor_db
        self._floor_db += min(max(step, -FLOOR_FALL_DB), FLOOR_RISE_DB)
        return bool(loud)
