"""The scripted person: waits for moments, then speaks, one utterance at a time.

It hears nothing by itself: the room tells it what happened, and asks it for sound block by block.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.room.sound import BLOCK, RATE, Samples, Utterance
from assistant.room.trigger import Happening, Moment, Trigger

BREATH_SECONDS = 0.2
"""Between two utterances that are due at once."""


@dataclass(frozen=True)
class Cue:
    """One entry of the script: when, and the words as sound.

    `words` holds the same words in several ways of saying them; who has to repeat them takes the
    next one, as people do who were not understood.
    """

    trigger: Trigger
    repeat: bool
    delay: float
    words: tuple[Utterance, ...]


@dataclass(frozen=True)
class Spoken:
    """Words that have begun; `start` and `end` are session seconds of the words themselves."""

    text: str
    start: float
    end: float


class Person:
    """Follows a script in order; entries that repeat stand outside the order and answer always."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._cues = cues
        self._due: list[tuple[float, int]] = []
        self._done: Counter[int] = Counter()
        self._saying: Utterance | None = None
        self._position = 0
        self._free_at = 0.0

    def notice(self, happening: Happening, now: float) -> None:
        """Something happened at session time `now`."""
        for number, cue in enumerate(self._cues):
            if cue.trigger.matches(happening) and self._waits(number):
                self._due.append((now + cue.delay, number))

    def block(self, now: float) -> tuple[Samples, Spoken | None]:
        """Return one block of the person's voice from `now`, and the words that began in it."""
        self._look_at_clock(now)
        began = self._begin(now) if self._saying is None else None
        if self._saying is None:
            return np.zeros(BLOCK, np.float32), None
        sound = self._saying.sound[self._position : self._position + BLOCK]
        self._position += BLOCK
        if self._position >= len(self._saying.sound):
            self._saying, self._free_at = None, now + BLOCK / RATE + BREATH_SECONDS
        return np.pad(sound, (0, BLOCK - len(sound))), began

    @property
    def speaking(self) -> bool:
        """Words are being said, or are about to be."""
        return self._saying is not None or bool(self._due)

    def _waits(self, number: int) -> bool:
        """Tell whether an entry waits for its moment: it is its turn, and it is not due already."""
        if any(number == due for _, due in self._due):
            return False
        if self._cues[number].repeat:
            return True
        above = [n for n in range(number) if not self._cues[n].repeat]
        return number not in self._done and (not above or above[-1] in self._done)

    def _look_at_clock(self, now: float) -> None:
        for number, cue in enumerate(self._cues):
            if cue.trigger.moment is not Moment.AT or now < cue.trigger.seconds:
                continue
            if number not in self._done and self._waits(number):
                self._due.append((now + cue.delay, number))

    def _begin(self, now: float) -> Spoken | None:
        ready = [entry for entry in self._due if entry[0] <= now]
        if not ready or now < self._free_at:
            return None
        first = min(ready)
        self._due.remove(first)
        ways = self._cues[first[1]].words
        words = ways[self._done[first[1]] % len(ways)]
        self._done[first[1]] += 1
        self._saying, self._position = words, 0
        return Spoken(words.text, now + words.start / RATE, now + words.end / RATE)
