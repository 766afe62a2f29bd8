"""Tells a microphone that is muted, dead or far too loud from one that hears a room.

It must never wait for words: what is watched is the sound as it came, before anything is taken out.
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


class MicrophoneWatch:
    """Takes every block; tells a fault once, and its end."""

    def __init__(self) -> None:
        self._last = 0
        self._unchanged = 0
        self._clipped: deque[bool] = deque(maxlen=NOTICED_BLOCKS)
        self._faults: set[str] = set()

    def look(self, mic: Samples) -> list[Fault | Recovered]:
        """Take one block; real sound always changes a little, and hardly ever fills the scale."""
        changed = bool((mic != self._last).any())
        self._last = int(mic[-1])
        self._unchanged = 0 if changed else self._unchanged + 1
        touching = np.mean(np.abs(mic.astype(np.int32)) >= FULL)
        self._clipped.append(changed and bool(touching > TOUCHING))
        clipped = sum(self._clipped) / NOTICED_BLOCKS
        return [
            *self._judge(MUTED, self._unchanged >= NOTICED_BLOCKS, changed, "perfect silence"),
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
