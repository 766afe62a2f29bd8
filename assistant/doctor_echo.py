"""Judges how the loudspeaker comes back through the microphone, from a recording of both.

It must never judge by a model of its own: what is taken out is what the product's own canceller
takes out, and what is taken for a person is what the product's own ear takes for one.
"""

from dataclasses import dataclass

import numpy as np

from assistant.machine_checks import Check
from audio.clips import SPEECH_LEVEL_DB
from audio.echo import SETTLE_SECONDS, EchoCanceller, Talk
from audio.errors import NotFit
from audio.sound import BLOCK, RATE, Samples, blocks, level_db

QUIET_SECONDS = 1.0
"""Silence before the sound, and after it."""
SOUND_SECONDS = 4.0
SOUND_DB = SPEECH_LEVEL_DB - 6.0
"""As soft as a tone of the session."""
BAND = (200.0, 5000.0)
"""Hz that small loudspeakers and microphones both carry."""
SYLLABLES_A_SECOND = 4.0
"""Noise that swells as speech does: the canceller would take an even one for the room's hum."""

EARLIEST_SECONDS, LATEST_SECONDS = -0.1, 1.0
CORRELATED_SECONDS = 1.5
"""Longer would smear the peak where two clocks drift apart by 100 ppm."""
SHARP = 8.0
"""A peak so many times above the rest is an echo; chance hardly reaches 5."""

LONGEST_DELAY_SECONDS = 0.4
"""Echoes up to here lose 54 dB; later than 0.6 s nothing is taken out (docs/facts.md A4.2)."""
ALIGNED_SECONDS = -0.005
LEAST_TAKEN_DB = 15.0
"""Less, and our own words may be taken for the person's."""
LOUD_DB = -18.0
"""Our voice at the microphone. Talk comes with -30 dB or so, and beside a voice 12 dB louder than
themselves a person's words are mostly lost."""


@dataclass(frozen=True)
class Recording:
    """What the microphone brought and what was played, sample by sample, 16 kHz."""

    mic: Samples
    played: Samples
    gaps: int = 0
    """How often sound was lost on the way, because the machine was too busy."""


@dataclass(frozen=True)
class Echo:
    """What came back. Levels in dB against full scale, the voice at its usual loudness."""

    delay_seconds: float | None
    """From the moment the canceller is told until it is heard; None when nothing came back."""
    level_db: float
    taken_db: float
    """How much softer the canceller makes it for the ear that reads words, once it has learned the
    room."""
    talked: int
    """How often what is left was taken for somebody who talks."""
    gaps: int = 0
    """As in the recording."""
    broke_off: bool = False
    """It came back at first, and then perfect silence, which no microphone is."""


def soft_noise() -> Samples:
    """Four seconds of soft noise that swells and fades: the same samples every time."""
    count = round(SOUND_SECONDS * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(count))
    pitch = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(pitch < BAND[0]) | (pitch > BAND[1])] = 0.0
    swell = np.sin(np.pi * SYLLABLES_A_SECOND * np.arange(count) / RATE) ** 2
    sound = np.fft.irfft(spectrum, count) * swell
    sound *= 10 ** (SOUND_DB / 20) / np.sqrt(np.mean(sound**2))
    samples: Samples = np.clip(np.rint(32768.0 * sound), -32768, 32767).astype(np.int16)
    return samples


def echo(recording: Recording) -> Echo:
    """Measure one recording that holds `soft_noise` once."""
    delay = _delay(recording)
    if delay is None:
        return Echo(None, -100.0, 0.0, 0, recording.gaps)
    cleaned, talked = _through_the_canceller(recording)
    active = np.flatnonzero(recording.played)
    shift = max(0, round(delay * RATE))
    begins, ends = active[0] + shift, active[-1] + shift
    learned = slice(begins + round(2 * SETTLE_SECONDS * RATE), ends)
    before, after = level_db(recording.mic[learned]), level_db(cleaned[learned])
    broke_off = not recording.mic[learned].any()
    level = before + SPEECH_LEVEL_DB - SOUND_DB
    return Echo(delay, level, before - after, talked, recording.gaps, broke_off)


def loopback(found: Echo) -> Check:
    """What to do about the echo."""
    if found.delay_seconds is None and found.gaps:
        value = f"not measured: sound was lost {found.gaps} times, so busy is this machine"
        return Check("echo", False, value, "end other programs, and run it again", NotFit.exit_code)
    if found.delay_seconds is None:
        value = "the microphone hears nothing of the loudspeaker"
        return Check("echo", False, value, "turn the loudspeaker up, unless you wear headphones")
    if found.broke_off:
        value = "the microphone went silent while sound was played"
        remedy = "run it again, or take another microphone: this one does not hear beside a sound"
        return Check("echo", False, value, remedy, NotFit.exit_code)
    value = (
        f"{1000 * found.delay_seconds:.0f} ms late, {found.level_db:.0f} dB, "
        f"{found.taken_db:.0f} dB of it taken out"
    )
    remedy, exit_code = _remedy(found)
    return Check("echo", not remedy, value, remedy, exit_code)


def _remedy(found: Echo) -> tuple[str, int]:
    delay = found.delay_seconds or 0.0
    if delay > LONGEST_DELAY_SECONDS:
        return "use a loudspeaker with a cable: this one is too late to be taken out", 0
    if delay < ALIGNED_SECONDS:
        return "restart the sound server: it hears before it plays", 0
    if found.talked:
        remedy = "turn the loudspeaker down, or move it away: its voice is taken for a person's"
        return remedy, NotFit.exit_code
    if found.taken_db < LEAST_TAKEN_DB and found.level_db > LOUD_DB - 20.0:
        return "switch off what else changes the sound: echo cancelling, automatic gain", 0
    if found.level_db > LOUD_DB:
        return "turn the loudspeaker down, or move it away: words are lost while it speaks", 0
    return "", 0


def _delay(recording: Recording) -> float | None:
    """By the peak of the correlation, every pitch counting the same; None without a clear one."""
    active = np.flatnonzero(recording.played)
    if not len(active):
        return None
    first = int(active[0])
    played = recording.played[first : first + round(CORRELATED_SECONDS * RATE)].astype(float)
    start = max(0, first + round(EARLIEST_SECONDS * RATE))
    end = first + len(played) + round(LATEST_SECONDS * RATE)
    mic = recording.mic[start:end].astype(float)
    size = 1 << (len(mic) + len(played)).bit_length()
    cross = np.fft.rfft(mic, size) * np.conj(np.fft.rfft(played, size))
    pitch = np.fft.rfftfreq(size, 1 / RATE)
    cross[(pitch < BAND[0]) | (pitch > BAND[1])] = 0.0
    strength = np.abs(np.fft.irfft(cross / (np.abs(cross) + 1e-9), size))
    strength = strength[: max(1, len(mic) - len(played))]
    best = int(np.argmax(strength))
    if strength[best] <= SHARP * np.sqrt(np.mean(strength**2)):
        return None
    return (start + best - first) / RATE


def _through_the_canceller(recording: Recording) -> tuple[Samples, int]:
    """What is left for the words, and how often what is left for the others seemed to talk."""
    canceller, talk, cleaned, talked = EchoCanceller(), Talk(), [], 0
    pairs = zip(blocks(recording.mic), blocks(recording.played), strict=True)
    for mic, played in pairs:
        clean = canceller.clean(mic, played)
        cleaned.append(clean.words)
        begins = talk.hear(clean.sound)
        talked += begins and canceller.settled
    whole: Samples = np.concatenate(cleaned) if cleaned else np.zeros(BLOCK, np.int16)
    return whole, talked
