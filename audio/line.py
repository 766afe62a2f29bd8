"""A prompt on its way out of the mouth, sample by sample; it must never know who plays it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audio.sound import Samples

Wide = NDArray[np.float32]
"""Samples at 16 kHz with full scale 32768, wide enough to be added and scaled."""

MOST_REPEATS = 2
"""How often one sentence begins anew; then it goes on where it was cut. Else a sentence of our own
in which an ear suspects a word would never be over."""


class Line:
    """The sentences of a prompt, `gap` samples of silence between them."""

    def __init__(
        self, prompt: str, clips: Sequence[Samples], texts: Sequence[str], gap: int
    ) -> None:
        self.prompt = prompt
        self.text = " ".join(texts)
        self._clips = [clip for clip in clips if len(clip)]
        self._gap = gap
        self._sentence = 0
        self._position = 0
        """The next sample of the sentence; negative in the gap before it."""
        self._repeats = 0

    @property
    def over(self) -> bool:
        """The last sample has been taken."""
        return self._sentence >= len(self._clips)

    def take(self, count: int) -> Wide:
        """The next `count` samples, zeros after the last sentence."""
        out = np.zeros(count, np.float32)
        filled = 0
        while filled < count and not self.over:
            filled += self._take_into(out[filled:])
        return out

    def peek(self, count: int) -> Wide:
        """What `take` would give, without taking it."""
        here = self._sentence, self._position, self._repeats
        out = self.take(count)
        self._sentence, self._position, self._repeats = here
        return out

    def rewind(self) -> None:
        """Back to the start of this sentence, unless it was said anew MOST_REPEATS times."""
        if self._position > 0 and self._repeats < MOST_REPEATS:
            self._position = 0
            self._repeats += 1

    def _take_into(self, out: Wide) -> int:
        if self._position < 0:
            count = min(len(out), -self._position)
        else:
            part = self._clips[self._sentence][self._position : self._position + len(out)]
            count = len(part)
            out[:count] = part
        self._position += count
        if self._position == len(self._clips[self._sentence]):
            self._sentence += 1
            self._position, self._repeats = -self._gap, 0
        return count
