"""Takes what the loudspeaker plays out of what the microphone hears; tells whether somebody talks.

It must never be handed a reference later than the sound itself: the reference is exactly what the
output handed over, block for block (docs/facts.md A4.2: 20 ms late costs 35 dB).
"""

from collections import deque
from typing import Protocol

import numpy as np
from pywebrtc_audio import AudioProcessor

from audio.remainder import Remainder
from audio.room_filter import RoomFilter
from audio.sound import BLOCK, RATE, Samples, level_db

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

HISS_BLOCKS = 64

LEFT_SMOOTHED = 0.9
"""What the two cancellers leave is compared over about 200 ms."""


class Canceller(Protocol):
    """Removes the loudspeaker from the microphone."""

    @property
    def settled(self) -> bool:
        """Enough was played to have learned the room: what is left is a person."""

    def clean(self, mic: Samples, played: Samples) -> Samples:
        """What the room adds to what was played, as one block of 320 samples."""

    def reset(self) -> None:
        """Forget the room: after a reopened stream or lost blocks."""


class Cancelled:
    """WebRTC's AEC3 and noise suppressor on one signal, and how loud what it leaves is.

    Perfect silence is given to it as a hiss of one bit: after sound, exact zeros make its filters
    decay into numbers so small that a processor takes twenty times as long for each of them
    (bench/simulate.py shows the cost).
    """

    def __init__(self) -> None:
        self._processor = AudioProcessor(
            sample_rate=RATE, echo_cancellation=True, noise_suppression=True
        )
        chance = np.random.default_rng(0)
        self._hiss = chance.integers(-1, 2, (HISS_BLOCKS, BLOCK)).astype(np.int16)
        self._blocks = 0
        self.left = 0.0
        """Power of what was lately left."""

    def clean(self, mic: Samples, played: Samples) -> Samples:
        """The microphone block without the echo of what was played."""
        self._blocks += 1
        mic = mic if mic.any() else self._hiss[self._blocks % HISS_BLOCKS]
        played = played if played.any() else self._hiss[7 * self._blocks % HISS_BLOCKS]
        cleaned: Samples = self._processor.process(mic, played)
        self.left = LEFT_SMOOTHED * self.left + 10 ** (level_db(cleaned) / 10)
        return cleaned

    def reset(self) -> None:
        """Forget the room."""
        self._processor.reset()
        self.left = 0.0


class EchoCanceller:
    """AEC3 (14 ms of delay, 0.8 % of a core: docs/facts.md A4.2), and AEC3 behind a filter that
    learns the whole room: whichever lately leaves less of our voice is heard.

    The first is quick to learn and knows the beginning of a room, the second takes its
    reverberation away too, once it has learned it (bench/own_voice.py).
    """

    def __init__(self) -> None:
        self._room = RoomFilter()
        self._quick, self._thorough = Cancelled(), Cancelled()
        self._remainder = Remainder()
        self._share = 0.0
        self._played_blocks = 0

    @property
    def settled(self) -> bool:
        """A second of sound was played since the start or the last reset."""
        return self._played_blocks * BLOCK_SECONDS >= SETTLE_SECONDS

    def clean(self, mic: Samples, played: Samples) -> Samples:
        """The microphone block without the echo of what was played."""
        self._played_blocks += bool(played.any())
        quick = self._quick.clean(mic, played)
        thorough = self._thorough.clean(self._room.subtract(mic, played), played)
        was, self._share = self._share, float(self._thorough.left < self._quick.left)
        share = np.linspace(was, self._share, BLOCK, dtype=np.float32)
        heard = np.rint(quick * (1 - share) + thorough * share).astype(np.int16)
        return self._remainder.soften(mic, heard, played)

    def reset(self) -> None:
        """Forget the room and start to learn it anew."""
        self._quick.reset()
        self._thorough.reset()
        self._room.reset()
        self._remainder.reset()
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
