"""The five soft tones; none may be louder than speech, or begin or end with a click.

Each is one or two sine notes under a raised-cosine edge, 6 dB below speech.
"""

from functools import cache

import numpy as np

from audio.clips import SPEECH_LEVEL_DB
from audio.sound import RATE, Samples

NOTES: dict[str, tuple[tuple[float, float], ...]] = {
    "tick": ((587.0, 0.12),),
    "begin": ((440.0, 0.18), (587.0, 0.28)),
    "end": ((587.0, 0.18), (440.0, 0.28)),
    "hold": ((392.0, 0.35),),
    "release": ((523.0, 0.35),),
}
"""Notes of each tone: frequency in Hz, length in seconds. Rising begins, falling ends."""

TONE_LEVEL_DB = SPEECH_LEVEL_DB - 6.0
EDGE_SECONDS = 0.04


@cache
def tone(name: str) -> Samples:
    """The tone as 16 kHz samples. Raises `ValueError` for a name that is not in `NOTES`."""
    if name not in NOTES:
        raise ValueError(f"no tone {name!r}: use one of {', '.join(NOTES)}")
    samples = np.concatenate([_note(pitch, seconds) for pitch, seconds in NOTES[name]])
    samples.flags.writeable = False
    return samples


def _note(pitch: float, seconds: float) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    edges = np.minimum(1.0, np.minimum(time, time[::-1]) / EDGE_SECONDS)
    shape = 0.5 - 0.5 * np.cos(np.pi * edges)
    peak = 32768.0 * 10 ** (TONE_LEVEL_DB / 20) * np.sqrt(2.0)
    wave: Samples = np.rint(peak * shape * np.sin(2 * np.pi * pitch * time)).astype(np.int16)
    return wave
