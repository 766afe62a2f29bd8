"""Tells whether an utterance was no more than our own voice, dying away in a room not yet learned.

It is asked about ordinary commands alone; it must never be asked about a safety word.
"""

from collections import deque
from itertools import accumulate
from typing import Final

from audio.cutter import END_BLOCKS, LONGEST_SECONDS, PRE_ROLL_BLOCKS
from audio.sound import BLOCK, RATE, Samples, level_db

LEARNED_BLOCKS: Final = 500
"""Ten seconds of our voice: the canceller then knows also the longer rooms (bench/own_voice.py)."""
LATE_BLOCKS: Final = 3
"""What was played last comes through the room so much later."""
SMOOTH_BLOCKS: Final = 3
"""Loudness is a mean over 60 ms."""
RISES_DB: Final = 0.5
"""What only dies away never grows louder by so much; a word that began as we fell silent does."""
SOFTER_DB: Final = 3.0
"""What dies away is so much softer than our voice was; who silenced us is as loud as before."""


class DyingAway:
    """One room: how loud the microphone was of late, and when our voice sounded."""

    def __init__(self) -> None:
        most = round(LONGEST_SECONDS * RATE / BLOCK) + PRE_ROLL_BLOCKS
        self._levels_db: deque[float] = deque(maxlen=most)
        self._played: deque[bool] = deque(maxlen=most)
        self.reset()

    def reset(self) -> None:
        """Another room."""
        self._levels_db.clear()
        self._played.clear()
        self._played_blocks = 0

    def hear(self, mic: Samples, played: Samples) -> None:
        """Take one block of the microphone and what was played meanwhile."""
        sounds = bool(played.any())
        self._levels_db.append(level_db(mic))
        self._played.append(sounds)
        self._played_blocks += sounds

    def explains(self, blocks: int) -> bool:
        """Whether an utterance that is just over and began `blocks` ago was that."""
        if not blocks or self._played_blocks >= LEARNED_BLOCKS:
            return False
        lately = slice(-blocks - PRE_ROLL_BLOCKS, None)
        levels, played = list(self._levels_db)[lately], list(self._played)[lately]
        if not any(played):
            return False
        silent = len(played) - played[::-1].index(True)
        during = _smooth(levels[: silent + LATE_BLOCKS])
        after = _smooth(levels[silent + LATE_BLOCKS : len(levels) - END_BLOCKS])
        if not after:
            return True
        softest = accumulate(after, min)
        grows = any(level > least + RISES_DB for level, least in zip(after, softest, strict=True))
        return not grows and max(after) < max(during) - SOFTER_DB


def _smooth(levels: list[float]) -> list[float]:
    """Means of every few in a row."""
    count = len(levels) - SMOOTH_BLOCKS + 1
    return [sum(levels[at : at + SMOOTH_BLOCKS]) / SMOOTH_BLOCKS for at in range(count)]
