"""Learns the whole answer of the room to our voice, a second long, and subtracts it.

The echo canceller behind it knows the first part of a room only, and leaves the reverberation of a
large one, in which ears hear words (bench/own_voice.py). It must never add to what the microphone
heard: where it does not make the sound softer, the sound passes as it came.

A Kalman filter in blocks and frequencies, after Kuech, Mabande and Enzner, "State-space
architecture of the partitioned-block-based acoustic echo controller", ICASSP 2014: what a person
says over us is noise to it, and is neither learned nor taken away.
"""

import numpy as np
from numpy.typing import NDArray

from audio.sound import BLOCK, Samples

PARTS = 50
"""Blocks of 20 ms that the answer of a room may last."""
DECAY_PARTS = 15.0
"""Later parts are expected to be softer: by 1/e in so many."""
FIRST_GUESS = 0.01
"""Power of the first part before anything was heard."""
KEPT = 0.9999
"""Share of what it knows that is still true a block later: people and doors move."""
QUICK = 0.7
"""How much of the power that was left over is remembered from block to block."""
COMPARED = 0.8
"""The same for the comparison of the loudness before and after."""
_TINY = 1e-8
_FULL = np.float32(32768.0)

Spectra = NDArray[np.complex64]
Floats = NDArray[np.float32]


class RoomFilter:
    """One loudspeaker, one room, one microphone. While nothing sounds it costs nothing."""

    def __init__(self) -> None:
        fading = FIRST_GUESS * np.exp(-np.arange(PARTS) / DECAY_PARTS)
        self._expected = np.repeat(fading[:, None], BLOCK + 1, axis=1).astype(np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the room."""
        self._answer: Spectra = np.zeros((PARTS, BLOCK + 1), np.complex64)
        self._unsure: Floats = self._expected.copy()
        self._played: Spectra = np.zeros((PARTS, BLOCK + 1), np.complex64)
        self._last: Floats = np.zeros(BLOCK, np.float32)
        self._left: Floats | None = None
        """Power that was lately left over: of the person, and of what is not learned yet."""
        self._silent = PARTS + 1
        self._before = self._after = 0.0

    def subtract(self, mic: Samples, played: Samples) -> Samples:
        """The microphone block without what the room makes of our voice; nothing is delayed."""
        self._silent = 0 if played.any() else self._silent + 1
        if self._silent > PARTS:
            self._left = None
            return mic
        self._remember(played)
        sound: Floats = (mic / _FULL).astype(np.float32)
        echo = np.fft.irfft(np.einsum("pf,pf->f", self._answer, self._played))[BLOCK:]
        rest = (sound - echo).astype(np.float32)
        self._learn(sound, rest)
        self._before = COMPARED * self._before + float(sound @ sound)
        self._after = COMPARED * self._after + float(rest @ rest)
        if self._after >= self._before:
            return mic
        samples: Samples = np.clip(np.rint(rest * _FULL), -32768, 32767).astype(np.int16)
        return samples

    def _remember(self, played: Samples) -> None:
        """The newest spectrum of two blocks of our voice, and those before it."""
        now: Floats = (played / _FULL).astype(np.float32)
        self._played = np.roll(self._played, 1, axis=0)
        self._played[0] = np.fft.rfft(np.concatenate([self._last, now]))
        self._last = now

    def _learn(self, sound: Floats, rest: Floats) -> None:
        """As much of what is left goes into the answer as is likely to be ours."""
        error = _spectrum(rest)
        left = np.abs(_spectrum(sound)) ** 2 if self._left is None else self._left
        self._left = (QUICK * left + (1 - QUICK) * np.abs(error) ** 2).astype(np.float32)
        power = np.abs(self._played) ** 2
        whole = 0.5 * np.einsum("pf,pf->f", self._unsure, power) + self._left + _TINY
        gain = self._unsure / whole
        step = np.fft.irfft(gain * np.conj(self._played) * error, axis=1)
        step[:, BLOCK:] = 0.0  # an answer comes after the sound, never before it
        self._answer = KEPT * (self._answer + np.fft.rfft(step, axis=1)).astype(np.complex64)
        self._unsure *= KEPT**2 * (1 - 0.5 * gain * power)
        self._unsure += (1 - KEPT**2) * np.abs(self._answer) ** 2


def _spectrum(block: Floats) -> Spectra:
    """Of one block after a block of silence."""
    padded = np.concatenate([np.zeros(BLOCK, np.float32), block])
    return np.fft.rfft(padded).astype(np.complex64)
