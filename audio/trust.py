"""Judges the room filter: whether it can learn this room, and whether the room is another one now.

It must never take a person who talks over us for either: what they say, no filter can take.
"""

from audio.room_filter import RoomFilter
from audio.sound import Samples, level_db

SMOOTHED = 0.9
"""What the room filter takes is judged over about 200 ms."""
TAKEN_DB = 6.0
"""Who has lately taken so much of our voice, without the post filter's help, learns the room."""
TRUSTED_BLOCKS = 250
"""So long it is trusted without taking it again: five seconds of our voice. Nobody talks on for so
long over a voice that falls silent for anybody."""

MOVED_PARTS, MOVED_KEPT = 15, 0.99
"""A filter that knows the first 300 ms of a room, badly, but any room within a second."""
MORE_DB = 2.0
MORE_BLOCKS = 10
"""When it takes so much more of our voice than the thorough one, for 200 ms, the loudspeaker, the
microphone or a door was moved. While a person talks neither takes more."""
ANEW_BLOCKS = 150
"""The quick one begins anew every three seconds of our voice: it too expects a room as loud as the
first half second was, when perhaps no loudspeaker was on."""
LEARNED_DB = 10.0
LEARNING_BLOCKS = 250
"""Who has not yet taken so much is given five seconds of our voice to learn: the quick one is
quicker in a room without reverberation."""


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


class Moved:
    """Whether the room is no longer the one that was learned."""

    def __init__(self) -> None:
        self._quick = RoomFilter(MOVED_PARTS, MOVED_KEPT)
        self.reset()

    def reset(self) -> None:
        """As with a new room."""
        self._quick.reset()
        self._heard = self._left = self._quick_left = 0.0
        self._more = self._blocks = 0
        self._learning = LEARNING_BLOCKS

    def hear(self, mic: Samples, rest: Samples, played: Samples) -> bool:
        """Whether to forget the room with this block, of which the thorough filter left `rest`."""
        quick = self._quick.subtract(mic, played)
        if self._quick.guess is None:
            return False
        self._blocks += 1
        if self._blocks % ANEW_BLOCKS == 0:
            self._quick.reopen()
        self._heard = SMOOTHED * self._heard + 10 ** (level_db(mic) / 10)
        self._left = SMOOTHED * self._left + 10 ** (level_db(rest) / 10)
        self._quick_left = SMOOTHED * self._quick_left + 10 ** (level_db(quick) / 10)
        has_learned = self._left < self._heard * 10 ** (-LEARNED_DB / 10)
        self._learning = 0 if has_learned else max(0, self._learning - 1)
        is_little = self._left > self._heard * 10 ** (-TAKEN_DB / 10)
        is_more = self._left > self._quick_left * 10 ** (MORE_DB / 10)
        self._more = self._more + 1 if is_little and is_more else 0
        if self._more < MORE_BLOCKS or self._learning:
            return False
        self._more, self._learning = 0, LEARNING_BLOCKS
        return True
