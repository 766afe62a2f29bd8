"""Our own voice as a loudspeaker says it and rooms give it back; it must never use a canceller."""

from pathlib import Path

import numpy as np

from audio.sound import BLOCK, RATE, Samples, read, to_int16

CLIPS = Path(__file__).parent / "clips"
SILENCE = np.zeros(BLOCK, np.int16)
DELAY = round(0.06 * RATE)


def room_noise(seconds: float, level: float = 1e-3) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(round(seconds * RATE)) * level


def voice(seconds: float) -> Samples:
    """Words one after the other, as a loudspeaker would say them."""
    words = [read(CLIPS / f"person3_{word}.flac") for word in ("yes", "no", "six", "four")]
    joined = np.concatenate(words)
    times = round(seconds * RATE) // len(joined) + 1
    return np.tile(joined, times)[: round(seconds * RATE)]


def echoed(played: Samples) -> Samples:
    """What the microphone hears of it: later, softer, in a small room with a little noise."""
    response = read(CLIPS / "small_room.flac").astype(float) / 32768
    wet = np.convolve(played.astype(float) / 32768, response)
    late = np.concatenate([np.zeros(DELAY), wet])[: len(played)]
    loud = late * np.sqrt(np.mean((played / 32768.0) ** 2) / np.mean(late**2)) * 0.3
    return to_int16(loud + room_noise(len(played) / RATE))


def in_a_large_room(played: Samples) -> Samples:
    """With a second of reverberation."""
    fading = np.exp(-np.arange(RATE) / (0.15 * RATE))
    response = np.random.default_rng(2).standard_normal(RATE) * fading
    response[0] = 10.0
    wet = np.convolve(played / 32768.0, response)[: len(played)]
    loud = wet * 0.05 / np.sqrt(np.mean(wet**2))
    return to_int16(loud + room_noise(len(played) / RATE, 1e-4))
