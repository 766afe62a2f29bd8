"""Scenes to trunk rows and targets, kept on disk: what the trainer eats.

The lower layers of the embedding are never trained, so their output is computed once a scene.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.embedding import STEP, Floats, Mel, Trunk
from training.clips import FOLDS, WORDS, Bank
from training.scenes import Maker, Said

UNUSED = -1
BEFORE, AFTER = 640, 5120
"""A word counts as just said from 40 ms before its end to 320 ms after it."""
DOUBTFUL = 4000, 14_400
"""Around a word nothing is asked: from 250 ms before its end to 900 ms after."""


@dataclass(frozen=True)
class Rows:
    """Trunk rows (n, 4, 72), targets (n,), scene starts, and folds of scenes."""

    rows: NDArray[np.float16]
    targets: NDArray[np.int8]
    starts: NDArray[np.int64]
    folds: NDArray[np.int8]


def trunk_rows(sound: NDArray[np.int16]) -> NDArray[np.float16]:
    """All rows of a recording; row i is known after (i + 1) x STEP samples."""
    frames = Mel()(sound[: len(sound) // STEP * STEP].astype(np.float32))
    return Trunk()(frames).astype(np.float16)


def targets(count: int, said: tuple[Said, ...]) -> NDArray[np.int8]:
    """0 for none of the words, 1.. for WORDS, UNUSED where neither is sure."""
    known = (np.arange(count) + 1) * STEP
    marks = np.zeros(count, np.int8)
    for item in said:
        begin = item.end - DOUBTFUL[0] if item.sure else item.start
        marks[(known > begin) & (known < item.end + DOUBTFUL[1])] = UNUSED
    for item in said:
        just = (known >= item.end - BEFORE) & (known <= item.end + AFTER)
        marks[just] = 1 + WORDS.index(item.word)
    return marks


def make(bank: Bank, scenes: int, seed: int) -> Rows:
    """`scenes` scenes, dealt to the folds in turn."""
    makers = [Maker(bank, fold) for fold in range(FOLDS)]
    parts, marks, folds = [], [], []
    for number in range(scenes):
        scene = makers[number % FOLDS].scene(np.random.default_rng((seed, number)))
        parts.append(trunk_rows(scene.sound))
        marks.append(targets(len(parts[-1]), scene.said))
        folds.append(number % FOLDS)
    starts = np.cumsum([0, *map(len, parts)])
    return Rows(np.concatenate(parts), np.concatenate(marks), starts, np.array(folds, np.int8))


def save(rows: Rows, path: Path) -> None:
    """As an uncompressed npz."""
    np.savez(path, rows=rows.rows, targets=rows.targets, starts=rows.starts, folds=rows.folds)


def load(paths: list[Path]) -> Rows:
    """Several files as one."""
    read = [np.load(path) for path in paths]
    starts, base = [np.zeros(1, np.int64)], 0
    for part in read:
        starts.append(part["starts"][1:] + base)
        base += int(part["starts"][-1])
    return Rows(
        np.concatenate([part["rows"] for part in read]),
        np.concatenate([part["targets"] for part in read]),
        np.concatenate(starts),
        np.concatenate([part["folds"] for part in read]),
    )


def as_floats(rows: NDArray[np.float16]) -> Floats:
    """What the network computes with."""
    return rows.astype(np.float32)
