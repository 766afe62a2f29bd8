"""Tells a microphone that is muted, dead or far too loud from one that hears a room.

It must never wait for words: what is watched is the sound as it came, before anything is taken out.

A dead one gives perfect silence, or, where only its cable came out of the sound card, that card's
own faint hiss: then all is much quieter than this room ever was, until something sounds again.
"""

from collections import deque

import numpy as np

from audio.messages import Fault, Recovered
from audio.sound import BLOCK, RATE, Samples

MUTED, CLIPPED = "microphone_muted", "microphone_clipped"
NOTICED_BLOCKS = round(1.9 * RATE / BLOCK)
"""What goes on for 1.9 s is a fault: noticed within 3 s, a sound server's delay included."""
FULL = 32_600
"""Samples beyond this touch an end of the scale; a converter's last few steps are left to it."""
TOUCHING = 0.1
"""A block of which so much touches the ends is clipped: a loud word touches them here and there."""
MOSTLY = 0.35
"""So many of the blocks are clipped: not one shout, but all talk, which has its pauses."""
QUIETER_DB = 12.0
"""So much below the quietest that the room ever was, the loudest block of 1.9 s is not the room.
Music that played from the first second on and ends is as much; then any voice ends the fault."""
KNOWN_BLOCKS = round(10.0 * RATE / BLOCK)
"""So much of a room must have been heard to know how quiet it is."""
LEARN_BLOCKS = 10
SOUND_BLOCKS = 3
"""So many blocks in a row louder than the quietest room are a sound: 60 ms."""


class Hiss:
    """Knows the quietest that the room was, and when only a sound card's own hiss is left."""

    def __init__(self) -> None:
        self.only = False
        """There is nothing but hiss."""
        self._quietest_db = np.inf
        self._sounding = 0
        self._learn_anew()

    def hear(self, mic: Samples) -> None:
        """Take one block."""
        level = _loudness_db(mic)
        if self.only:
            self._sounding = self._sounding + 1 if level > self._quietest_db else 0
            if self._sounding == SOUND_BLOCKS:
                self._learn_anew()
            return
        self._levels.append(level)
        self._heard += 1
        if self._heard % LEARN_BLOCKS or len(self._levels) < 2 * NOTICED_BLOCKS:
            return
        # Learned from what was before the silence: its own beginning would pass for the room.
        levels = np.array(self._levels)
        before, now = levels[:NOTICED_BLOCKS], levels[NOTICED_BLOCKS:]
        self._quietest_db = min(self._quietest_db, float(np.percentile(before, 10)))
        known = self._heard > KNOWN_BLOCKS
        self.only = known and float(now.max()) < self._quietest_db - QUIETER_DB

    def _learn_anew(self) -> None:
        """What ended was a cable out of its socket, or a room that has become quieter."""
        self.only, self._quietest_db, self._sounding, self._heard = False, np.inf, 0, 0
        self._levels: deque[float] = deque(maxlen=2 * NOTICED_BLOCKS)


def _loudness_db(mic: Samples) -> float:
    """In dB against full scale, without direct current; -100 for none."""
    return float(20.0 * np.log10(np.std(mic, dtype=np.float32) / 32768.0 + 1e-5))


class MicrophoneWatch:
    """Takes every block; tells a fault once, and its end."""

    def __init__(self) -> None:
        self._last = 0
        self._hiss = Hiss()
        self._unchanged = 0
        self._clipped: deque[bool] = deque(maxlen=NOTICED_BLOCKS)
        self._faults: set[str] = set()

    def look(self, mic: Samples) -> list[Fault | Recovered]:
        """Take one block; real sound always changes a little, and hardly ever fills the scale."""
        changed = bool((mic != self._last).any())
        self._last = int(mic[-1])
        self._unchanged = 0 if changed else self._unchanged + 1
        if changed:
            self._hiss.hear(mic)
        silent = self._unchanged >= NOTICED_BLOCKS or self._hiss.only
        touching = np.mean(np.abs(mic.astype(np.int32)) >= FULL)
        self._clipped.append(changed and bool(touching > TOUCHING))
        clipped = sum(self._clipped) / NOTICED_BLOCKS
        return [
            *self._judge(MUTED, silent, changed and not silent, "silence"),
            *self._judge(CLIPPED, clipped > MOSTLY, clipped < MOSTLY / 2, "nothing but clipping"),
        ]

    def _judge(self, what: str, begins: bool, ends: bool, why: str) -> list[Fault | Recovered]:
        if begins and what not in self._faults:
            self._faults.add(what)
            return [Fault(what, f"{NOTICED_BLOCKS * BLOCK / RATE:.1f} s of {why}")]
        if ends and what in self._faults:
            self._faults.remove(what)
            return [Recovered(what)]
        return []
