"""Takes what the loudspeaker plays out of what the microphone hears; tells whether somebody talks.

It must never be handed a reference later than the sound itself: the reference is exactly what the
output handed over, block for block (docs/facts.md A4.2: 20 ms late costs 35 dB).
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audio.aec3 import Aec3, LessLeft, NoiseSuppressor, mixed
from audio.post_filter import PostFilter
from audio.remainder import Remainder
from audio.room_filter import RoomFilter
from audio.sound import BLOCK, RATE, Samples, level_db
from audio.thorough import Thorough
from audio.trust import Moved, Trust

BLOCK_SECONDS = BLOCK / RATE

PLAYED_BLOCKS = 4
"""Played blocks kept for pairing: 80 ms. More would let the reference fall behind."""

SETTLE_SECONDS = 1.0
"""Sound that must be played before the canceller has learned the room (docs/facts.md A4.2)."""

TALK_BLOCKS = 3
"""Blocks in a row above the threshold that count as somebody talking: 60 ms."""

HANG_BLOCKS = 15
"""Quiet blocks that end the talking: 300 ms, longer than a stop consonant's closure."""

FLOOR_SECONDS = 10.0
ABOVE_FLOOR_DB = 15.0
LOWEST_DB = -50.0
"""Talking is louder than the 10th percentile of the last 10 s by 15 dB, and than -50 dB full scale
(docs/facts.md A5)."""


START_DB = -70.0
START_BLOCKS = 10
"""Until a second or two has taught it better, the room is taken to be quiet: a person who talks
from the first block on is somebody talking."""


@dataclass(frozen=True)
class Cleaned:
    """One microphone block of 320 samples without the echo of what was played, cleaned for two
    uses. When nothing was played for a second and a half, both are the same."""

    sound: Samples
    """For the ears that know a few sounds, and for telling whether somebody talks."""
    words: Samples
    """For a recogniser of words."""


class Canceller(Protocol):
    """Removes the loudspeaker from the microphone."""

    @property
    def settled(self) -> bool:
        """Enough was played to have learned the room: what is left is a person."""

    def clean(self, mic: Samples, played: Samples) -> Cleaned:
        """What the room adds to what was played."""

    def reset(self) -> None:
        """Forget the room: after a reopened stream or lost blocks."""


class EchoCanceller:
    """For the ears that know a few sounds, a filter that learns the whole room, and softens what it
    doubts: it leaves a person who talks over us. For the words, and where nothing can be learned,
    whatever leaves least, AEC3 included: it takes much of such a person with our voice, but also
    of any remainder and any music, of which a recogniser makes words (bench/own_voice.py).
    """

    def __init__(self) -> None:
        self._room, self._post_filter, self._behind = RoomFilter(), PostFilter(), NoiseSuppressor()
        self._quick, self._thorough, self._less_left = Aec3(), Thorough(), LessLeft()
        self._trust, self._moved, self._share = Trust(), Moved(), 0.0
        self._gate, self._words_gate = Remainder(), Remainder()
        self._played_blocks = 0

    @property
    def settled(self) -> bool:
        """A second of sound was played since the start or the last reset."""
        return self._played_blocks * BLOCK_SECONDS >= SETTLE_SECONDS

    def clean(self, mic: Samples, played: Samples) -> Cleaned:
        """The microphone block without the echo of what was played."""
        self._played_blocks += bool(played.any())
        rest = self._room.subtract(mic, played)
        if self._moved.hear(mic, rest, played):
            self._room.reopen()
            self._post_filter.reset()  # what it heard was an echo, not the room's own sound
        learns = self._trust.hear(mic, rest, played) and self._room.guess is not None
        softened = self._post_filter.soften(rest, self._room.guess)
        person = self._behind.clean(softened)
        quick = self._quick.clean(mic, played)
        thorough = self._thorough.clean(rest, played, quick)
        least = self._less_left.of(quick, thorough, person if learns else quick)
        was, self._share = self._share, float(learns)
        sound, left = mixed(least, person, was, self._share), softened if learns else least
        return Cleaned(
            self._gate.soften(mic, sound, left, played),
            self._words_gate.soften(mic, least, least, played),
        )

    def reset(self) -> None:
        """Forget the room and start to learn it anew."""
        for part in (self._room, self._post_filter, self._behind, self._quick, self._thorough):
            part.reset()
        for judge in (self._less_left, self._trust, self._moved, self._gate, self._words_gate):
            judge.reset()
        self._share = 0.0
        self._played_blocks = 0


class Talk:
    """Tells from cleaned blocks whether somebody is talking; sound alone, no words."""

    def __init__(self) -> None:
        quiet = [START_DB] * START_BLOCKS
        self._levels = deque(quiet, maxlen=round(FLOOR_SECONDS / BLOCK_SECONDS))
        self._heard = 0
        self._threshold_db = LOWEST_DB
        self._loud = 0
        self._quiet = HANG_BLOCKS

    @property
    def talking(self) -> bool:
        """Somebody talks, or was talking 300 ms ago."""
        return self._quiet < HANG_BLOCKS

    def hear(self, block: Samples) -> bool:
        """Take one cleaned block; true for the one block at which talking begins."""
        level = level_db(block)
        self._learn(level)
        self._loud = self._loud + 1 if level > self._threshold_db else 0
        begins = self._loud >= TALK_BLOCKS and not self.talking
        # A single loud block keeps talking alive, so that a stutter does not begin it anew.
        if begins or (self.talking and self._loud):
            self._quiet = 0
        else:
            self._quiet = min(self._quiet + 1, HANG_BLOCKS)
        return begins

    def _learn(self, level: float) -> None:
        """Follow the room's own noise; four times a second is often enough."""
        self._levels.append(level)
        self._heard += 1
        if self._heard % 12 == 0:
            floor = float(np.percentile(self._levels, 10))
            self._threshold_db = max(floor + ABOVE_FLOOR_DB, LOWEST_DB)


class Played:
    """Pairs played blocks with microphone blocks when two callbacks deliver them.

    The output callback calls `push`, the microphone's side `pop`; both are safe from two threads.
    """

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque(maxlen=PLAYED_BLOCKS)

    def push(self, block: Samples) -> None:
        """Keep one played block; the oldest is dropped when nobody takes them."""
        self._blocks.append(block)

    def pop(self) -> Samples:
        """The oldest kept block, or silence when the output has not handed one over."""
        try:
            return self._blocks.popleft()
        except IndexError:
            return np.zeros(BLOCK, np.int16)

    def clear(self) -> None:
        """Forget what was played: after a reopened stream."""
        self._blocks.clear()
