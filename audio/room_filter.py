"""Learns the whole answer of the room to our voice, a second and a half, and subtracts it.

The echo canceller beside it knows the first part of a room only, and takes much of a person who
talks over us with our voice (bench/own_voice.py). It must never add to what the microphone
heard: where it does not make the sound softer, the sound passes as it came.

A Kalman filter in blocks and frequencies, after Kuech, Mabande and Enzner, "State-space
architecture of the partitioned-block-based acoustic echo controller", ICASSP 2014: what a person
says over us is noise to it, and is neither learned nor taken away.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.sound import BLOCK, Samples

PARTS = 75
"""Blocks of 20 ms that the answer of a room may last, from handed over to heard included: a second
and a half. After one second ears heard words in what came later."""
DECAY_PARTS = 5.0
"""Later parts are expected to be softer: by 1/e in so many."""
LOUDNESS_BLOCKS = 25
"""For the first half second of our voice what it expects of the room follows how loud the
microphone is: with one fixed guess it learned a loudspeaker 6 dB louder than a person half as
fast."""
GENEROUS = 10.0
"""It expects so many times the power that was heard: too much costs less than too little."""
LEAST_LOUD, MOST_LOUD = 1e-5, 1.0
"""Bounds of the first part's power, of which 1 is what was played."""
KEPT = 0.9999
"""Share of what it knows that is still true a block later: people and doors move."""
QUICK = 0.9
"""How much of the power that was left over is remembered from block to block."""
ALIKE = 0.9
"""What is left is compared with what was taken over about 200 ms."""
BY_CHANCE = 3.0 * (1 - ALIKE) / (1 + ALIKE)
"""In so short a time music and people go with our voice a little, too: this share, three times what
chance makes of it on average, does not count. Else music is cut to the rhythm of our words."""
COMPARED = 0.8
"""The same for the comparison of the loudness before and after."""
AT_ONCE = 15
"""Parts that are transformed together: an array of more is given back to the system at once, and
asked for again, which costs as much as the transforms."""
_TINY = 1e-8
_SILENCE: NDArray[np.float32] = np.zeros(BLOCK, np.float32)
_FULL = np.float32(32768.0)

Spectra = NDArray[np.complex64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """One block, as power at 321 frequencies from 0 to 8 kHz."""

    heard: Floats
    """At the microphone."""
    rest: Floats
    """What is left of it."""
    ours: Floats
    """Of our voice, by what the filter does not know of the room yet."""
    like: Floats
    """Of our voice, by how it goes with what the filter takes: more where what it knows is wrong,
    as when a loudspeaker's clock drifts or somebody opens a door."""


class RoomFilter:
    """One loudspeaker, one room, one microphone. While nothing sounds it costs nothing."""

    def __init__(self, parts: int = PARTS, kept: float = KEPT) -> None:
        self._parts, self._kept = parts, kept
        fading = np.exp(-np.arange(parts) / DECAY_PARTS)
        self._expected = np.repeat(fading[:, None], BLOCK + 1, axis=1).astype(np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the room and what was played."""
        self.reopen()
        self._answer: Spectra = np.zeros((self._parts, BLOCK + 1), np.complex64)
        self._played: Spectra = np.zeros((self._parts, BLOCK + 1), np.complex64)
        self._power: Floats = np.zeros((self._parts, BLOCK + 1), np.float32)
        # Arrays of this size that come and go with every block cost as much as the sums in them.
        self._gain: Floats = np.zeros((self._parts, BLOCK + 1), np.float32)
        self._step: Spectra = np.zeros((self._parts, BLOCK + 1), np.complex64)
        self._last: Floats = np.zeros(BLOCK, np.float32)
        self._silent = self._parts + 1
        self._before = self._after = 0.0
        self.guess: Guess | None = None
        """Of the block that was subtracted last; none while nothing sounds."""

    def reopen(self) -> None:
        """Be as unsure of the room as at first."""
        self._loud = LEAST_LOUD
        self._unsure: Floats = self._expected * np.float32(self._loud)
        self._blocks = 0
        self._came = self._went = 0.0
        self._left: Floats | None = None
        """Power that was lately left over: of the person, and of what is not learned yet."""
        self._together: Spectra = np.zeros(BLOCK + 1, np.complex64)
        self._taken: Floats = np.zeros(BLOCK + 1, np.float32)
        self._over: Floats = np.zeros(BLOCK + 1, np.float32)

    def subtract(self, mic: Samples, played: Samples) -> Samples:
        """The microphone block without what the room makes of our voice; nothing is delayed."""
        self._silent = 0 if played.any() else self._silent + 1
        if self._silent > self._parts:
            self._left = self.guess = None
            return mic
        self._remember(played)
        if not mic.any():
            # A muted microphone is no room in which nothing echoes.
            self._left = self.guess = None
            return mic
        sound: Floats = (mic / _FULL).astype(np.float32)
        np.multiply(self._answer, self._played, out=self._step)
        echo = np.fft.irfft(self._step.sum(axis=0))[BLOCK:].astype(np.float32)
        rest = sound - echo
        left, taken = _spectrum(_SILENCE, rest), _spectrum(_SILENCE, echo)
        self.guess = Guess(*self._learn(left, taken), self._like(left, taken))
        self._before = COMPARED * self._before + float(sound @ sound)
        self._after = COMPARED * self._after + float(rest @ rest)
        if self._after >= self._before:
            return mic
        samples: Samples = np.clip(np.rint(rest * _FULL), -32768, 32767).astype(np.int16)
        return samples

    def _remember(self, played: Samples) -> None:
        """The newest spectrum of two blocks of our voice, and those before it."""
        now: Floats = (played / _FULL).astype(np.float32)
        for kept in (self._played, self._power):
            kept[1:] = kept[:-1]
        self._played[0] = _spectrum(self._last, now)
        self._power[0] = _power(self._played[0])
        self._last = now

    def _learn(self, error: Spectra, taken: Spectra) -> tuple[Floats, Floats, Floats]:
        """From what is left and what was taken. Gives the powers of what was heard, of what is
        left, and of our voice that it expects in it."""
        heard = _power(error + taken)
        left = heard if self._left is None else self._left
        found = _power(error)
        self._left = (QUICK * left + (1 - QUICK) * found).astype(np.float32)
        if self._blocks < LOUDNESS_BLOCKS:
            self._learn_loudness(float(heard.sum()))
        ours = 0.5 * np.einsum("pf,pf->f", self._unsure, self._power)
        np.divide(self._unsure, ours + self._left + _TINY, out=self._gain)
        self._correct(error)
        self._grow_surer()
        return heard, found, ours

    def _correct(self, error: Spectra) -> None:
        """Put into the answer what is likely to be ours of what is left."""
        step = np.conjugate(self._played, out=self._step)
        step *= self._gain
        step *= error
        for at in range(0, self._parts, AT_ONCE):
            some = np.fft.irfft(step[at : at + AT_ONCE], axis=1)
            some[:, BLOCK:] = 0.0  # an answer comes after the sound, never before it
            step[at : at + AT_ONCE] = _forward(some)
        self._answer += step
        self._answer *= self._kept

    def _grow_surer(self) -> None:
        """By what was just learned; but a room may have changed by a share of what is known."""
        still = self._gain
        still *= self._power
        still *= -0.5 * self._kept**2
        still += self._kept**2
        self._unsure *= still
        np.square(self._answer.view(np.float32), out=self._step.view(np.float32))
        changed = np.add(self._step.real, self._step.imag, out=self._gain)
        changed *= 1 - self._kept**2
        self._unsure += changed

    def _like(self, left: Spectra, taken: Spectra) -> Floats:
        """Power in what is left that goes with what was taken: where the answer is wrong."""
        self._together = ALIKE * self._together + left * np.conj(taken)
        self._taken = ALIKE * self._taken + _power(taken)
        self._over = ALIKE * self._over + _power(left)
        together = _power(self._together) - BY_CHANCE * self._taken * self._over
        part = np.maximum(together, 0) / (self._taken + _TINY) ** 2
        like: Floats = part * _power(taken)
        return like

    def _learn_loudness(self, heard: float) -> None:
        """Expect the room to be as loud as it has been so far."""
        self._blocks += 1
        self._came += heard
        self._went += 0.5 * float(np.einsum("pf,pf->", self._expected, self._power))
        if self._went > 0:
            was, loud = self._loud, GENEROUS * self._came / self._went
            self._loud = min(max(loud, LEAST_LOUD), MOST_LOUD)
            self._unsure *= np.float32(self._loud / was)
            # Noise before our first loud sound raises hopes too high: unlearn what came of them.
            self._answer *= np.float32(min(1.0, self._loud / was))


def _spectrum(before: Floats, block: Floats) -> Spectra:
    """Of two blocks."""
    return _forward(np.concatenate([before, block]))


def _forward(sound: NDArray[np.floating]) -> Spectra:
    """In 64 bits: of 640 samples numpy's transform of 32 takes three times as long."""
    return np.fft.rfft(sound.astype(np.float64), axis=-1).astype(np.complex64)


def _power(spectra: Spectra) -> Floats:
    return spectra.real**2 + spectra.imag**2
