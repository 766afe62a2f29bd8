"""Cuts utterances out of cleaned sound by their level alone.

It must never clip the beginning of a word: what is cut out begins 300 ms before it was noticed.
"""

from collections import deque

import numpy as np

from audio.echo import BLOCK_SECONDS
from audio.sound import Samples, level_db

PRE_ROLL_BLOCKS = 15
"""300 ms before the first loud block: the soft onset of "four", the hiss of "stop"."""

BEGIN_BLOCKS = 3
"""60 ms of loud blocks begin an utterance; a click does not."""

END_BLOCKS = 18
"""360 ms of quiet blocks end it: longer than the closure before a "p", shorter than a thought."""

BELOW_PEAK_DB = 14.0
"""Blocks so much quieter than the utterance's loudest are quiet: in music or noise the room never
is. Without this, one word of two was not cut out in noise, and hardly one in music
(bench/hearing_words.py)."""

PEAK_BLOCKS = 3
"""The loudest blocks that count as its loudness: 60 ms, longer than a click."""

LONGEST_SECONDS = 5.0
"""Talk or music that goes on is cut here: no phrase of ours is longer."""

ABOVE_FLOOR_DB = 10.0
LOWEST_DB = -56.0
FLOOR_SECONDS = 5.0
"""Sound is louder than the quietest tenth of the last 5 s by 10 dB, and than -56 dB full scale."""

START_DB = -70.0
START_BLOCKS = 25
"""Before there is half a second to learn from, the room is taken to be quiet."""


class Cutter:
    """Gives back each utterance once, when it is over."""

    def __init__(self) -> None:
        self._pre: deque[Samples] = deque(maxlen=PRE_ROLL_BLOCKS + BEGIN_BLOCKS)
        self._levels = deque([START_DB] * START_BLOCKS, maxlen=round(FLOOR_SECONDS / BLOCK_SECONDS))
        self._open: list[Samples] = []
        self._peak: list[float] = []
        self._loud = 0
        self._quiet = 0
        self._threshold_db = LOWEST_DB
        self._since_learned = 0

    @property
    def cutting(self) -> bool:
        """An utterance has begun and is not over."""
        return bool(self._open)

    def hear(self, block: Samples) -> Samples | None:
        """Take one block; the whole utterance, if this block ends one."""
        level = level_db(block)
        self._learn(level)
        if self._open:
            return self._go_on(block, level)
        self._wait(block, level > self._threshold_db)
        return None

    def reset(self) -> None:
        """Forget the sound and the room's noise."""
        self._close()
        self._levels = deque([START_DB] * START_BLOCKS, maxlen=self._levels.maxlen)
        self._threshold_db = LOWEST_DB

    def _wait(self, block: Samples, loud: bool) -> None:
        self._pre.append(block)
        self._loud = self._loud + 1 if loud else 0
        if self._loud >= BEGIN_BLOCKS:
            self._open = list(self._pre)
            self._quiet = 0

    def _go_on(self, block: Samples, level: float) -> Samples | None:
        self._open.append(block)
        self._peak = sorted([*self._peak, level])[-PEAK_BLOCKS:]
        peak = sum(self._peak) / len(self._peak)
        loud = level > max(self._threshold_db, peak - BELOW_PEAK_DB)
        self._quiet = 0 if loud else self._quiet + 1
        if self._quiet < END_BLOCKS and len(self._open) * BLOCK_SECONDS < LONGEST_SECONDS:
            return None
        whole: Samples = np.concatenate(self._open)
        self._close()
        return whole

    def _close(self) -> None:
        self._pre.clear()
        self._open = []
        self._peak = []
        self._loud = 0

    def _learn(self, level: float) -> None:
        """Follow the room's noise; four times a second is often enough."""
        self._levels.append(level)
        self._since_learned += 1
        if self._since_learned >= 12:
            self._since_learned = 0
            floor = float(np.percentile(self._levels, 10))
            self._threshold_db = max(floor + ABOVE_FLOOR_DB, LOWEST_DB)
