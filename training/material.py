"""Everything that the ears are judged on, as trunk rows and sound: made once, kept in one file.

All of it went through the canceller and noise suppressor of a live session first.
"""

from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.embedding import STEP
from audio.sound import Samples
from training.clips import WORDS, Bank
from training.rows import trunk_rows
from training.scenes import cleaned
from training.trials import CONDITIONS, NEAR, near_words, surroundings_alone, talk, trials

NOT_TALK = "noise", "music", NEAR
"""Kinds of streams that are no sample of talk: their false halts are counted, not rated."""

TWICE = "stop, stop"
"""The word of a stream in which "stop" is said a second time, 0.8 s later; `end` is the first's."""
EACH_THIRD = 3
"""So many clips of "stop" for one that is also said twice."""


@dataclass(frozen=True)
class Stream:
    """One stream. With a `word`, that ends at sample `end` under `condition`; else `kind` tells."""

    rows: NDArray[np.float16]
    sound: Samples
    """What the rows are of, as the ear hears it."""
    fold: int
    word: str
    condition: str
    kind: str
    speaker: str
    end: int

    @property
    def synthetic(self) -> bool:
        """No recorded person speaks the word."""
        return self.speaker.startswith(("tts", "kokoro", "flite", "espeak"))


def make(bank: Bank, workers: int = 2) -> list[Stream]:
    """Trials of all words under all conditions, "stop" twice, all talk, all noise and music."""
    said = [
        trial
        for word in WORDS
        for condition in CONDITIONS
        for trial in trials(bank, word, condition)
    ]
    said += [
        replace(trial, word=TWICE)
        for condition in CONDITIONS
        for trial in trials(bank, "stop", condition, times=2, every=EACH_THIRD)
    ]
    unsaid = talk(bank) + near_words(bank) + surroundings_alone(bank)
    with get_context("fork").Pool(workers) as pool:
        heard = pool.map(_heard, [item.sound for item in (*said, *unsaid)], chunksize=20)
    streams = [
        Stream(*made, item.fold, item.word, item.condition, "word", item.speaker, item.end)
        for made, item in zip(heard, said, strict=False)
    ]
    return streams + [
        Stream(*made, item.fold, "", "", item.kind, "", len(item.sound))
        for made, item in zip(heard[len(said) :], unsaid, strict=True)
    ]


def _heard(sound: Samples) -> tuple[NDArray[np.float16], Samples]:
    heard = cleaned(sound)
    rows = trunk_rows(heard)
    return rows, heard[: len(rows) * STEP]


def save(streams: list[Stream], path: Path) -> None:
    """As an npz."""
    fields = {
        name: np.array([getattr(stream, name) for stream in streams])
        for name in ("fold", "word", "condition", "kind", "speaker", "end")
    }
    starts = np.cumsum([0, *(len(stream.rows) for stream in streams)])
    rows = np.concatenate([stream.rows for stream in streams])
    sound = np.concatenate([stream.sound for stream in streams])
    np.savez(path, rows=rows, sound=sound, starts=starts, allow_pickle=False, **fields)


def load(path: Path) -> list[Stream]:
    """What `save` wrote."""
    with np.load(path) as file:
        data = {name: file[name] for name in file.files}
    spans = zip(data["starts"][:-1], data["starts"][1:], strict=True)
    return [
        Stream(
            rows=data["rows"][begin:end],
            sound=data["sound"][begin * STEP : end * STEP],
            fold=int(data["fold"][i]),
            word=str(data["word"][i]),
            condition=str(data["condition"][i]),
            kind=str(data["kind"][i]),
            speaker=str(data["speaker"][i]),
            end=int(data["end"][i]),
        )
        for i, (begin, end) in enumerate(spans)
    ]
