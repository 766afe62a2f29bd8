"""Scenes to trunk rows and targets, kept on disk: what the trainer eats.

The lower layers of the embedding are never trained, so their output is computed once a scene.
"""

from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.embedding import STEP, TRUNK_LAYERS, Floats, Mel, Top, Trunk, packaged_layers
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


def make(bank: Bank, scenes: int, seed: int, workers: int = 2) -> Rows:
    """`scenes` scenes, dealt to the folds in turn; the same however many workers make them."""
    makers = [Maker(bank, fold) for fold in range(FOLDS)]
    _shared[:] = makers
    with get_context("fork").Pool(workers) as pool:
        made = pool.map(_scene, [(seed, number) for number in range(scenes)], chunksize=15)
    parts, marks = zip(*made, strict=True)
    starts = np.cumsum([0, *map(len, parts)])
    folds = (np.arange(scenes) % FOLDS).astype(np.int8)
    return Rows(np.concatenate(parts), np.concatenate(marks), starts, folds)


_shared: list[Maker] = []
"""What the workers inherit: the recordings are too many to be sent to each."""


def _scene(name: tuple[int, int]) -> tuple[NDArray[np.float16], NDArray[np.int8]]:
    scene = _shared[name[1] % FOLDS].scene(np.random.default_rng(name))
    rows = trunk_rows(scene.sound)
    return rows, targets(len(rows), scene.said)


def packaged_embeddings(rows: NDArray[np.float16]) -> NDArray[np.float16]:
    """One stream's rows through the packaged upper layers."""
    top = Top([list(packaged_layers()[TRUNK_LAYERS:])])
    return top(as_floats(rows))[0].astype(np.float16)


def save(rows: Rows, path: Path) -> None:
    """As an uncompressed npz."""
    np.savez(path, allow_pickle=False, **vars(rows))


def load(path: Path) -> Rows:
    """What `save` wrote."""
    with np.load(path) as file:
        return Rows(**{name: file[name] for name in file.files})


def as_floats(rows: NDArray[np.float16]) -> Floats:
    """What the network computes with."""
    return rows.astype(np.float32)
