"""Utterances to train and judge the word ear on: said in a room, cleaned and cut as in a session.

What the network learns from has gone through the canceller and `audio.cutter`, so that training
hears what a live session hears. It must never put one speaker into two folds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from audio.sound import Samples
from audio.words_network import trunk_rows
from training import clips, scenes
from training.clips import ANY_FOLD, Bank, Clip, Floats
from training.words_clips import Cut, Words, cuts
from training.words_list import CLASSES, SAID, WEIGHTS

RATE = 16_000
SECONDS = 24.0
KINDS = ("clean", "noise", "music", "voice")
SHARES = (0.30, 0.34, 0.26, 0.10)
WORD_SHARE = 0.8
REAL_SHARE = 0.75
"""Of a word that people recorded so many are theirs; the others are synthetic."""
ALONE, ALONE_SHARE = -1, 0.3
"""What is cut out of noise where nobody speaks; so much of it is kept."""


@dataclass(frozen=True)
class Utterance:
    """Trunk rows (n, 4, 72), the class, and the fold that it belongs to."""

    rows: NDArray[np.float16]
    number: int
    fold: int


class Maker:
    """Makes utterances out of the people and surroundings of one fold."""

    def __init__(self, bank: Bank, words: Words, fold: int) -> None:
        def mine(listed: list[Clip]) -> list[Clip]:
            return [clip for clip in listed if clip.fold == fold]

        self._fold = fold
        self._real = {
            word: [clip for clip in mine(listed) if clip.source != "unconfirmed"]
            for word, listed in words.real.items()
        }
        self._spoken = {
            word: [clip for clip in listed if clip.fold == ANY_FOLD]
            for word, listed in words.spoken.items()
        }
        self._known = [word for word in SAID if self._real.get(word) or self._spoken.get(word)]
        weights = np.array([WEIGHTS.get(word, 1.0) for word in self._known])
        self._shares = weights / weights.sum()
        self._other, self._alike = mine(words.other), words.alike
        self._talk = mine(bank.talk)
        self._near = [clip for clip in bank.near if clip.fold == ANY_FOLD]
        self._noise, self._music = mine(bank.noise), mine(bank.music)
        self._rooms = mine(bank.rooms)
        self._small = [room for room in self._rooms if clips.is_small(room)]

    def utterances(self, rng: np.random.Generator) -> Iterator[Utterance]:
        """What is cut out of one scene."""
        sound, said = self.scene(rng)
        for cut in cuts(sound):
            number = _label(cut, said)
            if number == ALONE:
                number = 0 if rng.random() < ALONE_SHARE else None
            if number is not None:
                yield Utterance(trunk_rows(cut.sound).astype(np.float16), number, self._fold)

    def scene(self, rng: np.random.Generator) -> tuple[Samples, list[tuple[int, int, int]]]:
        """Cleaned sound, and (class, first sample, last sample) of what was said in it."""
        length = int(SECONDS * RATE)
        front, said = self._speech(rng, length)
        mixed = front + self._background(rng, str(rng.choice(KINDS, p=SHARES)), length)
        mixed *= scenes.gain(rng.uniform(-44, -14)) / np.float32(max(scenes.loudness(front), 0.05))
        mixed += rng.normal(0, 10 ** rng.uniform(-4.6, -3.4), length)
        if rng.random() < 0.93:
            mixed = mixed / max(1.0, float(np.abs(mixed).max()) / 0.98)
        return scenes.cleaned(scenes.pcm(mixed)), said

    def _speech(
        self, rng: np.random.Generator, length: int
    ) -> tuple[Floats, list[tuple[int, int, int]]]:
        track = np.zeros(length + 2 * RATE, np.float32)
        room = self._room(rng) if rng.random() < 0.7 else None
        said = []
        at = int(rng.uniform(0.4, 1.5) * RATE)
        while at < length - 2 * RATE:
            number, sound = self._said(rng)
            sound = sound[: length - RATE - at]
            if len(sound) < RATE // 10:
                break
            start, end = clips.active(sound)
            sound = scenes.coloured(rng, _narrow(sound) if rng.random() < 0.2 else sound)
            sound = sound / scenes.loudness(sound[start:end]) * scenes.gain(rng.uniform(-4, 4))
            wet = sound if room is None else scenes.in_room(sound, room, start, end)
            track[at : at + len(wet)] += wet[: len(track) - at]
            said.append((number, at + start, at + end))
            at += len(sound) + int(rng.uniform(0.6, 1.1) * RATE)
        return track[:length], said

    def _said(self, rng: np.random.Generator) -> tuple[int, Floats]:
        if rng.random() >= WORD_SHARE:
            return 0, scenes.warped(rng, self._none_of_ours(rng), wide=rng.random() < 0.3)
        word = str(rng.choice(self._known, p=self._shares))
        number = CLASSES.index(word)
        real, spoken = self._real.get(word, []), self._spoken.get(word, [])
        use_real = not spoken or rng.random() < min(REAL_SHARE, len(real) / 12)
        sound = _any(rng, real if use_real else _better(rng, spoken))
        start, end = clips.active(sound)
        sound = sound[max(0, start - 800) : end + 800]
        return number, scenes.warped(rng, sound, wide=rng.random() < 0.5)

    def _none_of_ours(self, rng: np.random.Generator) -> Floats:
        """Another word, a sound-alike, or a piece of talk."""
        draw = rng.random()
        if draw < 0.25:
            return _any(rng, self._other)
        if draw < 0.5:
            return _any(rng, self._alike if rng.random() < 0.7 else self._near)
        sound = _any(rng, self._talk)
        span = int(rng.uniform(0.4, 3.5) * RATE)
        begin = int(rng.integers(0, max(1, len(sound) - span)))
        return sound[begin : begin + span]

    def _background(self, rng: np.random.Generator, kind: str, length: int) -> Floats:
        if kind == "clean":
            return np.zeros(length, np.float32)
        if kind == "voice":
            running = [clip for clip in self._talk if len(clip.sound) > 2 * RATE]
            return scenes.looped(rng, running, length) * scenes.gain(-rng.uniform(3, 18))
        behind = scenes.looped(rng, self._noise if kind == "noise" else self._music, length)
        return scenes.coloured(rng, behind) * scenes.gain(-rng.uniform(3, 24))

    def _room(self, rng: np.random.Generator) -> Floats:
        if rng.random() < 0.5:
            return scenes.imagined_room(rng)
        rooms = self._small if self._small and rng.random() < 0.8 else self._rooms
        response = _any(rng, rooms)
        return response / np.abs(response).max()


def _label(cut: Cut, said: list[tuple[int, int, int]]) -> int | None:
    """The class of what the cut holds; None when that is doubtful."""
    within = [
        (number, start, end) for number, start, end in said if start < cut.end and end > cut.begin
    ]
    if not within:
        return ALONE
    if not any(number for number, _, _ in within):
        return 0
    if len(within) > 1:
        return None
    number, start, end = within[0]
    return number if start >= cut.begin - 800 and end <= cut.end + 3200 else None


def _narrow(sound: Floats) -> Floats:
    """Without the half of its band that a poor microphone lacks."""
    half = soxr.resample(sound, RATE, RATE // 2, quality="LQ")
    return np.asarray(soxr.resample(half, RATE // 2, RATE, quality="LQ"), np.float32)


def _any(rng: np.random.Generator, listed: list[Clip]) -> Floats:
    return listed[int(rng.integers(len(listed)))].sound


def _better(rng: np.random.Generator, listed: list[Clip]) -> list[Clip]:
    """Two draws of three from Kokoro, whose voices are most like people's."""
    good = [clip for clip in listed if clip.speaker.startswith("kokoro")]
    return good if len(good) > 3 and rng.random() < 0.67 else listed
