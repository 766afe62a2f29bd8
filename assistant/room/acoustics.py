"""What the room does to sound: its response, the loudspeaker's echo, noise, and the microphone.

Blocks of 320 samples in, blocks out, float32 until the microphone; nothing here knows who speaks.
"""

import numpy as np
import numpy.typing as npt

from assistant.room.sound import BLOCK, PERSON_DB, RATE, Samples

LOUDSPEAKER_DB = -20.0
"""Prompts are rendered at about this active level, dBFS rms."""
ROUND_TRIP_BLOCKS = 4
"""From handed to the loudspeaker to heard in the microphone: 80 ms (docs/facts.md A3: two
PortAudio streams with blocks of 20 ms)."""
MICROPHONE_NOISE_DB = -72.0
"""A live microphone is never perfectly silent; one that is has been muted."""
_DIRECT = np.ones(1, np.float32)
_LOOP_FADE = RATE // 10

Block = npt.NDArray[np.int16]


def speech_gain(response: Samples) -> float:
    """How much louder (as a factor) speech is behind `response`.

    Weighted with the long-term spectrum of speech: flat to 500 Hz, then falling 9 dB an octave.
    """
    size = max(1024, 1 << (len(response) - 1).bit_length())
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    weight = np.where(frequency < 100.0, 0.0, np.maximum(frequency / 500.0, 1.0) ** -3.0)
    power = np.abs(np.fft.rfft(response, size)) ** 2
    return float(np.sqrt((weight * power).sum() / weight.sum()))


class Convolution:
    """A stream convolved with a response, block by block (partitioned overlap-save).

    While nothing sounds and the response has died away it costs nothing.
    """

    def __init__(self, response: Samples) -> None:
        self._count = -(-len(response) // BLOCK)
        parts = np.pad(response, (0, self._count * BLOCK - len(response))).reshape(-1, BLOCK)
        self._filters = np.fft.rfft(parts, 2 * BLOCK).astype(np.complex64)
        # Every spectrum stands twice, so that the newest `count` are always one slice.
        self._spectra = np.zeros((2 * self._count, BLOCK + 1), np.complex64)
        self._newest = 0
        self._last = np.zeros(BLOCK, np.float32)
        self._silent = self._count + 1

    def block(self, sound: Samples) -> Samples:
        """Take one block and return one."""
        self._silent = 0 if sound.any() else self._silent + 1
        if self._silent > self._count + 1:
            return np.zeros(BLOCK, np.float32)
        spectrum = np.fft.rfft(np.concatenate((self._last, sound)))
        self._last = sound
        self._newest = (self._newest - 1) % self._count
        self._spectra[self._newest] = self._spectra[self._newest + self._count] = spectrum
        newest_first = self._spectra[self._newest : self._newest + self._count]
        whole = np.fft.irfft(np.einsum("pf,pf->f", newest_first, self._filters))
        return whole[BLOCK:].astype(np.float32)


def person_path(response: Samples | None) -> Convolution:
    """The way from the person to the microphone; keeps the level of speech."""
    if response is None:
        return Convolution(_DIRECT)
    return Convolution(response / np.float32(speech_gain(response)))


def echo_path(response: Samples | None, echo_db: float) -> Convolution:
    """The way from the loudspeaker to the microphone: late, and `echo_db` against the person."""
    path = _DIRECT if response is None else response / np.float32(speech_gain(response))
    gain = 10.0 ** ((PERSON_DB + echo_db - LOUDSPEAKER_DB) / 20.0)
    late = np.zeros(ROUND_TRIP_BLOCKS * BLOCK, np.float32)
    return Convolution(np.concatenate((late, path * np.float32(gain))))


class Noise:
    """A recording in a loop without a seam, `snr_db` below the person's speech."""

    def __init__(self, sound: Samples, snr_db: float, rng: np.random.Generator) -> None:
        level = 10.0 ** ((PERSON_DB - snr_db) / 20.0)
        self._loop = _seamless(sound * np.float32(level / np.sqrt(np.mean(sound**2))))
        self._at = int(rng.integers(len(self._loop)))

    def block(self) -> Samples:
        """Return the next block."""
        index = np.arange(self._at, self._at + BLOCK) % len(self._loop)
        self._at = (self._at + BLOCK) % len(self._loop)
        return self._loop[index]


def _seamless(sound: Samples) -> Samples:
    """Fade the end into the beginning, so that the loop has no click."""
    fade = min(_LOOP_FADE, len(sound) // 2)
    if fade == 0:
        return sound
    rise = np.sqrt(np.linspace(0.0, 1.0, fade, dtype=np.float32))
    loop = sound[: len(sound) - fade].copy()
    loop[:fade] = loop[:fade] * rise + sound[len(sound) - fade :] * rise[::-1]
    return loop


class Microphone:
    """Adds up what arrives, and its own faint noise, and makes 16-bit samples of it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._noise = 10.0 ** (MICROPHONE_NOISE_DB / 20.0)

    def block(self, *sounds: Samples) -> Block:
        """Mix one block; what is too loud is clipped as a converter would clip it."""
        mixed = self._rng.standard_normal(BLOCK, dtype=np.float32) * np.float32(self._noise)
        for sound in sounds:
            mixed += sound
        clipped = np.clip(np.rint(mixed * 32768.0), -32768, 32767)
        return np.asarray(clipped, np.int16)
