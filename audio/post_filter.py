"""Softens, in what the room filter leaves, the frequencies that are likelier ours than a person's.

It must never delay more than 5 ms, nor soften what is neither in the room filter's doubt nor goes
with our voice: a person's word is neither.

After Enzner and Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control in
hands-free telephones", Signal Processing 86, 2006: the filter's doubt gives the Wiener filter.
"""

import numpy as np

from audio.room_filter import Floats, Guess
from audio.sound import BLOCK, Samples

COUNTED = 4.0
"""What goes with our voice counts so often: it is found over a fifth of a second, in which a wrong
answer changes. Once left much of a loudspeaker whose clock drifts by fifty millionths."""
LEAST = 0.003
"""A frequency is softened by 50 dB at most."""
FLOOR_BLOCKS = 150
FLOOR_TIMES = 2.0
"""Never softer than the room itself, which is twice the softest of three seconds: music that is cut
to the rhythm of our words is heard as words (bench/own_voice.py). The softest of what was heard and
what is left: a filter that knows the room badly adds to its silence."""
SMOOTHED = 0.5
"""How much of the powers is remembered from block to block."""
BESIDE = np.array([1, 2, 3, 2, 1], np.float32) / 9
"""Neighbouring frequencies, 25 Hz apart, are judged together."""
DELAY = 79
"""Samples by which the sound is late."""
_TAPS = 2 * DELAY + 1
_WINDOW = np.hanning(_TAPS + 2).astype(np.float32)[1:-1]
_TINY = 1e-10


class PostFilter:
    """Behind one room filter."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._before = np.zeros(_TAPS - 1, np.float32)
        self._lately = np.zeros((FLOOR_BLOCKS, BLOCK + 1), np.float32)
        self._block = 0
        self._heard = self._rest = self._ours = self._like = np.zeros(BLOCK + 1, np.float32)

    def soften(self, rest: Samples, guess: Guess | None) -> Samples:
        """The block, 5 ms late, without what is likely ours; `guess`: of this very block."""
        sound = np.concatenate([self._before, rest.astype(np.float32)])
        self._before = sound[BLOCK:]
        if guess is None:
            late: Samples = sound[DELAY : DELAY + BLOCK].astype(np.int16)
            return late
        answer = np.roll(np.fft.irfft(self._gain(guess)), DELAY)[:_TAPS] * _WINDOW
        softened = np.rint(np.convolve(sound, answer, "valid"))
        samples: Samples = np.clip(softened, -32768, 32767).astype(np.int16)
        return samples

    def _gain(self, guess: Guess) -> Floats:
        """How much of each frequency is a person's, LEAST to 1."""
        self._heard = SMOOTHED * self._heard + (1 - SMOOTHED) * guess.heard
        self._rest = SMOOTHED * self._rest + (1 - SMOOTHED) * guess.rest
        self._ours = SMOOTHED * self._ours + (1 - SMOOTHED) * guess.ours
        self._like = SMOOTHED * self._like + (1 - SMOOTHED) * guess.like
        ours = np.convolve(self._ours + COUNTED * self._like, BESIDE, "same")
        rest = np.convolve(self._rest, BESIDE, "same").astype(np.float32)
        heard = np.convolve(self._heard, BESIDE, "same").astype(np.float32)
        floor = self._floor(np.minimum(heard, rest))
        least = np.maximum(LEAST, np.sqrt(floor / (rest + _TINY)))
        gain: Floats = np.clip(1 - ours / (rest + _TINY), np.minimum(least, 1), 1)
        return gain

    def _floor(self, softer: Floats) -> Floats:
        """Power of the room's own sound."""
        self._lately[self._block % FLOOR_BLOCKS] = softer
        self._block += 1
        floor: Floats = FLOOR_TIMES * self._lately.min(axis=0)
        return floor
