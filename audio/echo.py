"""Takes what the loudspeaker plays out of what the microphone hears; tells whether somebody talks.

It must never be handed a reference later than the sound itself: the reference is exactly what the
output handed over, block for block (docs/facts.md A4.2: 20 ms late costs 35 dB).
"""

from collections import deque
from typing import Protocol

import numpy as np
from pywebrtc_audio import AudioProcessor

from audio.post_filter import PostFilter
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
NOTHING_PLAYED = np.zeros(BLOCK, np.int16)

SMOOTHED = 0.9
"""What the room filter takes is judged over about 200 ms."""
TAKEN_DB = 6.0
"""Who has lately taken so much of our voice, without the post filter's help, learns the room."""
TRUSTED_BLOCKS = 250
"""So long it is trusted without taking it again: five seconds of our voice. Nobody talks on for so
long over a voice that falls silent for anybody."""


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
    """WebRTC's AEC3 and noise suppressor on one signal.

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

    def clean(self, mic: Samples, played: Samples) -> Samples:
        """The microphone block without the echo of what was played."""
        self._blocks += 1
        mic = mic if mic.any() else self._hiss[self._blocks % HISS_BLOCKS]
        played = played if played.any() else self._hiss[7 * self._blocks % HISS_BLOCKS]
        cleaned: Samples = self._processor.process(mic, played)
        return cleaned

    def reset(self) -> None:
        """Forget the room."""
        self._processor.reset()


class Trust:
    """Whether the room filter can learn this room: it lately took much of our voice.

    It is trusted at first: the post filter doubts well what is not learned yet. What a person says
    over us makes it take less for a while, and takes no trust away.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As with a new room."""
        self._heard = self._left = 0.0
        self._blocks = TRUSTED_BLOCKS

    def hear(self, mic: Samples, rest: Samples, played: Samples) -> bool:
        """Whether it is trusted after this block."""
        self._heard = SMOOTHED * self._heard + 10 ** (level_db(mic) / 10)
        self._left = SMOOTHED * self._left + 10 ** (level_db(rest) / 10)
        if self._left < self._heard * 10 ** (-TAKEN_DB / 10):
            self._blocks = TRUSTED_BLOCKS
        elif played.any():
            self._blocks = max(0, self._blocks - 1)
        return self._blocks > 0


class EchoCanceller:
    """A filter that learns the whole room, with what it doubts softened; AEC3 (14 ms of delay, 0.8
    % of a core: docs/facts.md A4.2) where it fails to learn, and while nothing is played.

    AEC3 takes much of a person with our voice; the filter leaves the person, and more so the better
    it learns the room (bench/own_voice.py).
    """

    def __init__(self) -> None:
        self._quick, self._suppressor = Cancelled(), Cancelled()
        self._room, self._post_filter = RoomFilter(), PostFilter()
        self._trust, self._remainder = Trust(), Remainder()
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
        rest = self._room.subtract(mic, played)
        learns = self._trust.hear(mic, rest, played) and self._room.guess is not None
        softened = self._post_filter.soften(rest, self._room.guess)
        thorough = self._suppressor.clean(softened, NOTHING_PLAYED)
        was, self._share = self._share, float(learns)
        share = np.linspace(was, self._share, BLOCK, dtype=np.float32)
        heard = np.rint(quick * (1 - share) + thorough * share).astype(np.int16)
        return self._remainder.soften(mic, heard, softened if learns else quick, played)

    def reset(self) -> None:
        """Forget the room and start to learn it anew."""
        for part in (
            self._quick,
            self._suppressor,
            self._room,
            self._post_filter,
            self._trust,
            self._remainder,
        ):
            part.reset()
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
