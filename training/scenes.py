"""Lays clips into 24 seconds of a room: reverberation, noise, music, another voice, other levels.

Each scene uses the people and the surroundings of the given folds only. It must never draw from
chance that the seed does not fix: the same seed gives the same scene.
"""

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from audio.aec3 import NOTHING_PLAYED, Aec3
from audio.echo import EchoCanceller
from audio.sound import BLOCK
from training.clips import ANY_FOLD, WORDS, Bank, Clip, Floats, active, is_small

RATE = 16_000
SECONDS = 24.0


@dataclass(frozen=True)
class Said:
    """A word in a scene: samples of its beginning and end. `sure` is false for the last word of a
    phrase, whose beginning is not known."""

    word: str
    start: int
    end: int
    sure: bool = True


@dataclass(frozen=True)
class Scene:
    """What the microphone gives, and what was said in it."""

    sound: NDArray[np.int16]
    said: tuple[Said, ...]


class Maker:
    """Makes scenes out of one fold of a bank."""

    def __init__(self, bank: Bank, fold: int) -> None:
        self._real = {word: _of(clips, fold) for word, clips in bank.words.items()}
        self._spoken = {word: _of(clips, ANY_FOLD) for word, clips in bank.words.items()}
        self._phrases = {word: _of(clips, ANY_FOLD) for word, clips in bank.phrases.items()}
        self._other, self._talk = _of(bank.other, fold), _of(bank.talk, fold)
        self._near, self._sentences = _of(bank.near, ANY_FOLD), _of(bank.sentences, ANY_FOLD)
        self._ours = bank.prompts
        self._noise = _of(bank.noise, fold)
        self._music = _of(bank.music, fold), _of(bank.songs, ANY_FOLD)
        self._acted, self._shouts = _of(bank.acted, ANY_FOLD), _of(bank.shouts, ANY_FOLD)
        self._effects = _of(bank.effects, ANY_FOLD)
        self._rooms = _of(bank.rooms, fold)
        self._small = [room for room in self._rooms if is_small(room)]
        self._running = _long(self._talk)
        self._acted_long = _long(self._acted)

    def scene(self, rng: np.random.Generator) -> Scene:
        """One scene; a tenth of them holds no speech of the person at all."""
        length = int(SECONDS * RATE)
        kind = str(rng.choice(KINDS, p=SHARES))
        alone = kind in {"noise", "music"} and rng.random() < 0.35
        room = self._room(rng) if rng.random() < 0.65 else None
        if alone:
            front, said = np.zeros(length, np.float32), ()
        else:
            front, said = self._speech(rng, length, room)
        mixed = front + self._background(rng, kind, length)
        played = self._prompts(rng, length) if rng.random() < 0.15 else None
        if played is not None:
            loud = gain(rng.uniform(-20, 6)) / loudness(played)
            mixed = mixed + fftconvolve(played, self._room(rng))[:length].astype(np.float32) * loud
        return Scene(_microphone(rng, mixed, played), said)

    def _prompts(self, rng: np.random.Generator, length: int) -> Floats:
        """What the loudspeaker says: synthetic sentences with rests, as a session's prompts."""
        track = np.zeros(length, np.float32)
        at = int(rng.uniform(0, 3) * RATE)
        while at < length - RATE:
            sound = _any(rng, self._ours if rng.random() < OUR_SHARE else self._sentences)
            sound = sound[: length - at]
            track[at : at + len(sound)] = sound
            at += len(sound) + int(rng.uniform(0.1, 2.5) * RATE)
        return track

    def _speech(
        self, rng: np.random.Generator, length: int, room: Floats | None
    ) -> tuple[Floats, tuple[Said, ...]]:
        """The person's utterances one after another, each at about the same loudness of 1."""
        track = np.zeros(length + 2 * RATE, np.float32)
        said = []
        at = int(rng.uniform(0.3, 1.2) * RATE)
        pauses = (0.0, 0.3) if rng.random() < 0.3 else (0.25, 1.6)
        while at < length - RATE // 2:
            word, sure, sound = self._utterance(rng)
            sound = sound[: length - at]
            if len(sound) < RATE // 8:
                break
            start, end = active(sound)
            sound = coloured(rng, sound)
            sound = sound / loudness(sound[start:end]) * gain(rng.uniform(-4, 4))
            wet = sound if room is None else in_room(sound, room, start, end)
            track[at : at + len(wet)] += wet[: len(track) - at]
            if word:
                said.append(Said(word, at + start, at + end, sure))
            at += len(sound) + int(rng.uniform(*pauses) * RATE) + RATE * int(rng.random() < 0.1)
        return track[:length], tuple(said)

    def _utterance(self, rng: np.random.Generator) -> tuple[str, bool, Floats]:
        kind = str(rng.choice(UTTERANCES, p=UTTERED))
        if kind == "word":
            return self._word(rng)
        if kind == "noise":
            # A bark or a cry where a word might be: the commonest false alarms when nobody speaks.
            noise = _any(rng, _either(rng, self._noise, self._effects, EFFECTS_SHARE))
            return "", True, warped(rng, _part(rng, noise, 0.3, 2), wide=True)
        if kind == "talk":
            talk = _part(rng, _any(rng, _either(rng, self._talk, self._acted, ACTED_SHARE)), 1, 4)
            return "", True, warped(rng, talk, wide=rng.random() < 0.5)
        if kind == "sentence":
            return "", True, warped(rng, _any(rng, self._sentences), wide=False)
        others = _either(rng, self._other, self._shouts, SHOUTS_SHARE)
        other = _any(rng, others if kind == "other" else self._near)
        return "", True, warped(rng, other, wide=rng.random() < 0.4)

    def _word(self, rng: np.random.Generator) -> tuple[str, bool, Floats]:
        word = str(rng.choice(WORDS, p=(0.54, 0.12, 0.12, 0.13, 0.09)))
        if not self._spoken.get(word):
            word = "stop"
        sure = not (self._phrases.get(word) and rng.random() < 0.12)
        real = self._real.get(word)
        if not sure:
            clips = self._phrases[word]
        elif real and rng.random() < (0.72 if word == "stop" else 0.1):
            clips = real
        else:
            clips = _better(rng, self._spoken[word])
        sound = _any(rng, clips)
        start, end = active(sound)
        return word, sure, warped(rng, sound[max(0, start - 480) : end], wide=rng.random() < 0.5)

    def _background(self, rng: np.random.Generator, kind: str, length: int) -> Floats:
        behind = np.zeros(length, np.float32)
        if kind in {"noise", "both"}:
            music = kind == "both" and rng.random() < 0.5
            noise = self._played(rng, length) if music else looped(rng, self._noise, length)
            behind += coloured(rng, noise) * gain(-rng.uniform(0, 22))
        if kind == "music":
            behind += coloured(rng, self._played(rng, length)) * gain(-rng.uniform(0, 20))
        if kind in {"voice", "both"}:
            behind += self._babble(rng, length) * gain(-rng.uniform(-6, 12))
        return behind

    def _played(self, rng: np.random.Generator, length: int) -> Floats:
        """Music, the fold's own or more of it."""
        return looped(rng, _either(rng, *self._music, SONGS_SHARE), length)

    def _babble(self, rng: np.random.Generator, length: int) -> Floats:
        """Another person, who talks on."""
        parts: list[Floats] = []
        while sum(map(len, parts)) < length:
            people = _either(rng, self._running, self._acted_long, ACTED_SHARE)
            sound = _any(rng, self._near if rng.random() < 0.15 else people)
            sound = sound[int(rng.integers(0, max(1, len(sound) - RATE))) :]
            parts.append(sound / loudness(sound))
            if rng.random() < 0.3:
                parts.append(np.zeros(int(rng.uniform(0.05, 0.5) * RATE), np.float32))
        voice = coloured(rng, np.concatenate(parts)[:length])
        if rng.random() < 0.4:
            voice = fftconvolve(voice, self._room(rng))[:length].astype(np.float32)
        return voice / loudness(voice)

    def _room(self, rng: np.random.Generator) -> Floats:
        if rng.random() < 0.5:
            return imagined_room(rng)
        rooms = self._small if self._small and rng.random() < 0.75 else self._rooms
        response = _any(rng, rooms)
        return response / np.abs(response).max()


KINDS = ("clean", "noise", "music", "voice", "both")
SHARES = (0.16, 0.20, 0.24, 0.31, 0.09)
UTTERANCES = ("word", "other", "near", "sentence", "noise", "talk")
UTTERED = (0.39, 0.22, 0.09, 0.05, 0.06, 0.19)
ACTED_SHARE, SHOUTS_SHARE, EFFECTS_SHARE, SONGS_SHARE = 0.5, 0.2, 0.4, 2 / 3
"""Of draws, from what training.actors and .music add to the fold's own recordings."""
OUR_SHARE = 0.7
"""Of what the loudspeaker says: our own prompts in our own voices; the rest is other sentences."""


def _of(clips: list[Clip], fold: int) -> list[Clip]:
    return [clip for clip in clips if clip.fold == fold]


def _any(rng: np.random.Generator, clips: list[Clip]) -> Floats:
    return clips[int(rng.integers(len(clips)))].sound


def _either(
    rng: np.random.Generator, own: list[Clip], more: list[Clip], share: float
) -> list[Clip]:
    """The fold's own clips or, in a share of draws, more that are everybody's."""
    return more if more and rng.random() < share else own


def _long(clips: list[Clip]) -> list[Clip]:
    return [clip for clip in clips if len(clip.sound) > 2 * RATE]


def _part(rng: np.random.Generator, sound: Floats, least: float, most: float) -> Floats:
    """Some seconds out of a sound, from `least` to `most`."""
    span = int(rng.uniform(least, most) * RATE)
    begin = int(rng.integers(0, max(1, len(sound) - span)))
    return sound[begin : begin + span]


def _better(rng: np.random.Generator, clips: list[Clip]) -> list[Clip]:
    """Two draws of three from the voices that are not espeak-ng's."""
    good = [clip for clip in clips if "espeak" not in clip.speaker]
    return good if good and rng.random() < 0.67 else clips


def loudness(sound: Floats) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(sound**2)) + 1e-9)


def gain(decibels: float) -> np.float32:
    """Decibels as a factor."""
    return np.float32(10 ** (decibels / 20))


def looped(rng: np.random.Generator, clips: list[Clip], length: int) -> Floats:
    """So many samples of one of the clips, from anywhere in it, at a loudness of 1."""
    sound = _any(rng, clips)
    begun = np.roll(sound, -int(rng.integers(len(sound))))[: int(1.3 * length)]
    if rng.random() < 0.5:
        begun = warped(rng, begun, wide=True)
    looped = np.resize(begun, length)
    return looped / loudness(looped)


def warped(rng: np.random.Generator, sound: Floats, wide: bool) -> Floats:
    """Speed and pitch together: a little, or `wide` as if another person spoke."""
    ratio = rng.uniform(0.82, 1.2) if wide else rng.uniform(0.93, 1.07)
    return np.asarray(soxr.resample(sound, RATE * ratio, RATE, quality="LQ"), np.float32)


def coloured(rng: np.random.Generator, sound: Floats) -> Floats:
    """Another microphone: a random gentle tilt, now and then without highs or lows."""
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE) + 1
    gains = rng.normal(0, 4, 6)
    gains[-1] -= 15 * (rng.random() < 0.2)
    gains[0] -= 12 * (rng.random() < 0.2)
    corners = np.log((50, 200, 600, 1500, 3500, 8000))
    tilt = 10 ** (np.interp(np.log(frequency), corners, gains) / 20)
    return np.fft.irfft(spectrum * tilt, len(sound)).astype(np.float32)


def in_room(sound: Floats, response: Floats, start: int, end: int) -> Floats:
    """The sound with the room's reverberation, as loud as before between start and end."""
    wet = fftconvolve(sound, response)[: len(sound) + RATE // 2].astype(np.float32)
    return wet * np.float32(loudness(sound[start:end]) / loudness(wet[start:end]))


def imagined_room(rng: np.random.Generator) -> Floats:
    """Decaying noise after a direct sound: 0.15 to 0.7 s of reverberation."""
    seconds = rng.uniform(0.15, 0.7)
    times = np.arange(int(seconds * RATE)) / RATE
    tail = rng.normal(0, 1, len(times)) * np.exp(-6.9 * times / seconds)
    tail[: int(rng.uniform(0.001, 0.008) * RATE)] = 0
    tail *= 10 ** (rng.uniform(-12, 3) / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return tail.astype(np.float32)


def _microphone(rng: np.random.Generator, mixed: Floats, echo: Floats | None) -> NDArray[np.int16]:
    """A level from whisper to shout, hiss, now and then clipping; mostly cleaned as in a session.

    `echo` is what the loudspeaker played, at the microphone's level, and is in `mixed` already.
    """
    sound = mixed * gain(rng.uniform(-46, -12)) / np.float32(max(loudness(mixed), 0.05))
    sound += rng.normal(0, 10 ** rng.uniform(-4.6, -3.4), len(sound))
    if rng.random() < 0.93:
        sound /= max(1.0, np.abs(sound).max() / 0.98)
    heard = pcm(sound)
    if echo is not None:
        return cleaned(heard, pcm(echo / max(float(np.abs(echo).max()), 1e-6) * 0.5))
    return cleaned(heard) if rng.random() < 0.9 else heard


def pcm(sound: Floats) -> NDArray[np.int16]:
    """As 16-bit samples; what is too loud is clipped."""
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


def cleaned(sound: NDArray[np.int16], played: NDArray[np.int16] | None = None) -> NDArray[np.int16]:
    """Through the canceller and noise suppressor of a live session, block for block."""
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    if played is None:
        return _unplayed(blocks)
    canceller = EchoCanceller()
    beside = played[: len(blocks) * BLOCK].reshape(-1, BLOCK)
    return np.concatenate(
        [canceller.clean(mic, ref).sound for mic, ref in zip(blocks, beside, strict=True)]
    )


def _unplayed(blocks: NDArray[np.int16]) -> NDArray[np.int16]:
    """The same while nothing is played. Every part that EchoCanceller chooses from then gives what
    this one gives, at a third of the cost."""
    alone = Aec3()
    return np.concatenate([alone.clean(block, NOTHING_PLAYED) for block in blocks])
