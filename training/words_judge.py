"""What the word ear is judged on: each person's word in its surroundings, cut as in a session.

The trials are those of the alarm ear (training.trials). It must never hold an utterance of a fold
that the judged network was trained on; the caller sees to that by `fold`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audio.echo import EchoCanceller
from audio.sound import BLOCK, Samples
from training import trials
from training.clips import FOLDS, KEPT_OUT, Bank, Clip, Floats
from training.words_clips import Words, cuts
from training.words_list import CLASSES, PEOPLE, SAID

CONDITIONS = ("clean", "far", "noisy", "music")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OPEN = (
    *PEOPLE,
    *[
        "pause",
        "continue",
        "next",
        "back",
        "repeat",
        "skip",
        "help",
        "ten",
        "finish",
        "louder",
        "softer",
        "dizzy",
        "tingling",
    ],
    "start neck massage",
    "how long is left",
)
"""The 36 words of the reference's table."""
THIRTEEN = ("yes", "no", "stop", *DIGITS)
CHOICES = {
    "all": (THIRTEEN, SAID),
    "35": (THIRTEEN, OPEN),
    "13": (THIRTEEN, THIRTEEN),
    "digits, stop": (DIGITS, (*DIGITS, "ten", "stop")),
    "yes no stop": (("yes", "no", "stop"), ("yes", "no", "stop")),
}
"""Of each table: the words that are judged, and those that may be chosen."""


@dataclass(frozen=True)
class Trial:
    """All utterances that were cut; `held` is the one that holds the word, if any does."""

    word: str
    condition: str
    fold: int
    speaker: str
    cuts: tuple[Samples, ...]
    held: int | None

    @property
    def synthetic(self) -> bool:
        """A voice that was kept out of training says it."""
        return ":" in self.speaker and self.speaker.startswith(("kokoro", "flite", "tts", "piper"))


def make(bank: Bank, words: Words, conditions: tuple[str, ...] = CONDITIONS) -> Iterator[Trial]:
    """Every person's clip of every word, and the synthetic judges' of the other words."""
    for condition in conditions:
        rng = np.random.default_rng(7)
        for word in SAID:
            judged = words.real.get(word, [])
            made = [clip for clip in words.spoken.get(word, []) if clip.fold == KEPT_OUT]
            for clip in judged if word in PEOPLE else [*judged, *made]:
                yield _trial(bank, word, condition, clip, rng)


def _trial(bank: Bank, word: str, condition: str, clip: Clip, rng: np.random.Generator) -> Trial:
    fold = clip.fold if clip.fold >= 0 else int(rng.integers(FOLDS))
    sound, end = trials.stream(clip.sound, condition, trials.surroundings(bank, fold), rng)
    listed = list(cuts(_cleaned(sound)))
    held = [
        number
        for number, cut in enumerate(listed)
        if cut.begin < end - 1600 and cut.end > end - 3200
    ]
    pieces = tuple(cut.sound for cut in listed)
    return Trial(word, condition, fold, clip.speaker, pieces, held[0] if held else None)


def _cleaned(sound: Samples) -> Samples:
    """Through the canceller of a live session, nothing being played."""
    canceller, silence = EchoCanceller(), np.zeros(BLOCK, np.int16)
    pieces = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return np.concatenate([canceller.clean(piece, silence).words for piece in pieces])


def row(condition: str, listed: list[Trial], judged: list[Floats | None]) -> str:
    """One line of the table: words right in %, closed choice; an utterance not cut is wrong."""
    cells = []
    for name, (words, allowed) in CHOICES.items():
        places = [CLASSES.index(word) for word in allowed]
        right = [
            values is not None and allowed[int(np.argmax(values[places]))] == trial.word
            for trial, values in zip(listed, judged, strict=True)
            if trial.word in words and not trial.synthetic
        ]
        cells.append(f"{name} {100 * np.mean(right):.1f} ({len(right)})")
    spoken = [
        values is not None and CLASSES[1 + int(np.argmax(values[1:]))] == trial.word
        for trial, values in zip(listed, judged, strict=True)
        if trial.synthetic
    ]
    if spoken:
        cells.append(f"voices {100 * np.mean(spoken):.1f} ({len(spoken)})")
    return f"{condition:6s} {' | '.join(cells)}"
