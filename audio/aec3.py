"""WebRTC's echo canceller and noise suppressor, and which of several cleaned sounds is softest.

It must never hand the processor perfect silence, which costs twenty times as much as sound.
"""

import numpy as np
from numpy.typing import NDArray
from pywebrtc_audio import AudioProcessor

from audio.sound import BLOCK, RATE, Samples, level_db

HISS_BLOCKS = 64
NOTHING_PLAYED = np.zeros(BLOCK, np.int16)

LEFT_SMOOTHED = 0.9
"""What several leave is compared over about 200 ms."""


class Hiss:
    """Noise of one bit instead of perfect silence: after sound, exact zeros make filters decay into
    numbers so small that a processor takes twenty times as long for each of them
    (bench/simulate.py shows the cost).
    """

    def __init__(self) -> None:
        chance = np.random.default_rng(0)
        self._hiss = chance.integers(-1, 2, (HISS_BLOCKS, BLOCK)).astype(np.int16)
        self._blocks = 0

    def for_silence(self, block: Samples, step: int = 1) -> Samples:
        """The block, or hiss; by another `step` two signals do not get the same hiss at a time."""
        self._blocks += 1
        return block if block.any() else self._hiss[step * self._blocks % HISS_BLOCKS]


class Aec3:
    """AEC3 (14 ms of delay, 0.8 % of a core: docs/facts.md A4.2) and the noise suppressor on one
    signal."""

    def __init__(self) -> None:
        self._processor = AudioProcessor(
            sample_rate=RATE, echo_cancellation=True, noise_suppression=True
        )
        self._mic_hiss, self._played_hiss = Hiss(), Hiss()

    def clean(self, mic: Samples, played: Samples) -> Samples:
        """The microphone block without the echo of what was played."""
        mic = self._mic_hiss.for_silence(mic)
        played = self._played_hiss.for_silence(played, step=7)
        cleaned: Samples = self._processor.process(mic, played)
        return cleaned

    def reset(self) -> None:
        """Forget the room."""
        self._processor.reset()


class NoiseSuppressor:
    """WebRTC's noise suppressor alone, at a tenth of the cost; it delays by 6 ms."""

    def __init__(self) -> None:
        self._processor = AudioProcessor(
            sample_rate=RATE, noise_suppression=True, high_pass_filter=True
        )
        self._hiss = Hiss()

    def clean(self, sound: Samples) -> Samples:
        """The block without what hums and hisses."""
        cleaned: Samples = self._processor.process(self._hiss.for_silence(sound), NOTHING_PLAYED)
        return cleaned

    def reset(self) -> None:
        """Forget the noise."""
        self._processor.reset()


class LessLeft:
    """Of several cleaned sounds the one that lately is the softest: of our voice less is left."""

    def __init__(self) -> None:
        self._left: NDArray[np.float64] = np.zeros(1)
        self._chosen = 0

    def of(self, *sounds: Samples) -> Samples:
        """One block; there must always be as many, in the same order."""
        powers = np.array([10 ** (level_db(sound) / 10) for sound in sounds])
        self._left = LEFT_SMOOTHED * self._left + powers
        was, self._chosen = self._chosen, int(np.argmin(self._left))
        if was == self._chosen:
            return sounds[was]
        return mixed(sounds[was], sounds[self._chosen], 0.0, 1.0)

    def reset(self) -> None:
        """Forget what was left."""
        self._left = np.zeros(1)
        self._chosen = 0


def mixed(one: Samples, other: Samples, was: float, share: float) -> Samples:
    """Of the other `was` at the beginning of the block and `share` at its end, each 0 to 1."""
    if was == share and share in (0.0, 1.0):
        return other if share else one
    ramp = np.linspace(was, share, BLOCK, dtype=np.float32)
    samples: Samples = np.rint(one * (1 - ramp) + other * ramp).astype(np.int16)
    return samples
