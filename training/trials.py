"""What the ears are judged on: a word in four seconds of its surroundings, and talk without any.

The conditions are those of the hearing reference: clean; far (a room, noise 20 dB down); noisy and
music (a room, 10 dB); voice (a room, another person as loud). A trial's surroundings come from its
own fold. It must never hold a clip of a fold that the judged weights were trained on; the caller
sees to that by `fold`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.clips import ANY_FOLD, FOLDS, KEPT_OUT, Bank, Clip, Floats, active, is_small

RATE = 16_000
NEAR = "near words"
"""Short words said one after the other, "up, dog, off": far denser than in anybody's talk."""
LEVEL = 0.05
CONDITIONS = {"clean": None, "far": 20.0, "noisy": 10.0, "music": 10.0, "voice": 0.0}
"""Decibels of the word above its surroundings."""


@dataclass(frozen=True)
class Trial:
    """A stream in which `word` ends at sample `end`; `fold` judges it."""

    sound: NDArray[np.int16]
    end: int
    word: str
    condition: str
    fold: int
    speaker: str


@dataclass(frozen=True)
class Talk:
    """A stream in which none of the words occurs; `kind` says of what."""

    sound: NDArray[np.int16]
    kind: str
    fold: int


def trials(
    bank: Bank,
    word: str,
    condition: str,
    seed: int = 7,
    times: int = 1,
    apart: bool = True,
    every: int = 1,
) -> list[Trial]:
    """Every recorded clip of the word, and every synthetic one of the voices that were kept out.

    `times`: said so often, 0.8 s apart. `apart`: with the surroundings of the clip's own fold only.
    `every`: only each n-th clip.
    """
    rng = np.random.default_rng(seed)
    made = []
    judged = [clip for clip in bank.words[word] if clip.fold != ANY_FOLD]
    for clip in judged[::every]:
        fold = clip.fold if clip.fold != KEPT_OUT else int(rng.integers(FOLDS))
        around = surroundings(bank, fold if apart else None)
        sound, end = stream(clip.sound, condition, around, rng, times)
        made.append(Trial(sound, end, word, condition, fold, clip.speaker))
    return made


def stream(
    clip: Floats,
    condition: str,
    around: dict[str, list[Clip]],
    rng: np.random.Generator,
    times: int = 1,
    gap: float = 0.8,
) -> tuple[NDArray[np.int16], int]:
    """1.5 s of surroundings, the word (`times` times, `gap` seconds apart), 2 s more."""
    start, end = active(clip)
    word = clip[start:end] * np.float32(LEVEL / _rms(clip[start:end]))
    if condition != "clean":
        response = _pick(rng, around["rooms"])
        wet = convolved(word, response / np.abs(response).max())[: len(word) + RATE // 2]
        word = (wet * LEVEL / _rms(wet[: end - start])).astype(np.float32)
    lead, apart = int(1.5 * RATE), end - start + int(gap * RATE)
    sound = np.zeros(lead + len(word) + 2 * RATE + (times - 1) * apart, np.float32)
    for again in range(times):
        at = lead + again * apart
        sound[at : at + len(word)] += word
    snr = CONDITIONS[condition]
    if snr is not None:
        kind = {"far": "noise", "noisy": "noise", "music": "music", "voice": "voice"}[condition]
        other = _pick(rng, around[kind])
        other = np.resize(np.roll(other, -int(rng.integers(len(other)))), len(sound))
        loud = _rms(sound[lead : lead + end - start])
        sound += other * np.float32(loud / _rms(other) * 10 ** (-snr / 20))
    sound += rng.normal(0, 1e-4, len(sound)).astype(np.float32)
    sound /= max(1.0, float(np.abs(sound).max()) / 0.98)
    return (sound * 32767).astype(np.int16), lead + (end - start)


def talk(bank: Bank) -> list[Talk]:
    """All recorded speech without the words, each at one loudness, a second of silence after it."""
    return _spoken([*bank.talk, *(clip for clip in bank.other if not _is_near(clip))], None)


def near_words(bank: Bank) -> list[Talk]:
    """The single words that the training folder adds."""
    return _spoken([clip for clip in bank.other if _is_near(clip)], NEAR)


def _is_near(clip: Clip) -> bool:
    return clip.name.startswith("words/")


def _spoken(listed: list[Clip], kind: str | None) -> list[Talk]:
    rest = np.zeros(RATE, np.int16)
    return [
        Talk(np.concatenate([_level(clip.sound), rest]), kind or clip.source, clip.fold)
        for clip in listed
    ]


def surroundings_alone(bank: Bank) -> list[Talk]:
    """All noise and music with nobody speaking."""
    clips = [(clip, "noise") for clip in bank.noise] + [(clip, "music") for clip in bank.music]
    return [Talk(_level(clip.sound), kind, clip.fold) for clip, kind in clips]


def surroundings(bank: Bank, fold: int | None) -> dict[str, list[Clip]]:
    """Rooms of a house, noise, music and other people of one fold, or of all."""

    def mine(clips: list[Clip]) -> list[Clip]:
        return [clip for clip in clips if fold is None or clip.fold == fold]

    return {
        "rooms": [room for room in mine(bank.rooms) if is_small(room)],
        "noise": mine(bank.noise),
        "music": mine(bank.music),
        "voice": [clip for clip in mine(bank.talk) if clip.source == "read speech"],
    }


def convolved(sound: Floats, response: Floats) -> Floats:
    """The sound in a room, by Fourier transform."""
    length = len(sound) + len(response) - 1
    size = 1 << (length - 1).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[:length].astype(np.float32)


def _pick(rng: np.random.Generator, clips: list[Clip]) -> Floats:
    return clips[int(rng.integers(len(clips)))].sound


def _rms(sound: Floats) -> float:
    return float(np.sqrt(np.mean(sound**2)) + 1e-9)


def _level(sound: Floats) -> NDArray[np.int16]:
    level: NDArray[np.int16] = (np.clip(sound * (LEVEL / _rms(sound)), -1, 1) * 32767).astype(
        np.int16
    )
    return level
