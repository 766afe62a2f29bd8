"""Plays one clip on the loudspeaker and waits for its end; a session must never use this."""

import numpy as np
import soxr

from audio.sound import RATE, Samples
from audio.soundcard import RATES, DeviceError, portaudio


def play_aloud(clip: Samples, device: str = "") -> None:
    """Play a clip; `device` is a number, a part of a name, or "" for the usual one.

    Raises `AudioMissing` without PortAudio, `DeviceError` without a loudspeaker that takes it.
    """
    library = portaudio()
    where = int(device) if device.isdigit() else device or None
    reason = ""
    for rate in RATES:
        wide = clip.astype(np.float32) / np.float32(32768.0)
        try:
            sound = wide if rate == RATE else soxr.resample(wide, RATE, rate)
            library.play(sound, rate, device=where, blocking=True)
        except (library.PortAudioError, ValueError) as error:
            reason = reason or str(error).splitlines()[0]
        else:
            return
    raise DeviceError(f"no loudspeaker: {reason}", "plug one in, or use --to FILE.wav")
