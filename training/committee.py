"""Trains the members of the alarm ear's committee, two at a time, each without one fold of people.

A member that an earlier run of the same recipe finished is read, not trained again. It must never
let a member see the fold that it will be judged on.
"""

import hashlib
import os
import pickle
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from training import rows
from training.clips import FOLDS
from training.recipe import Recipe

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

KINDS = {
    "quick": Recipe(steps=1600, top_rate=0.5, noise=0.2, seed=2, counts=2),
    "gentle": Recipe(batch=32, rate=2e-3, top_rate=0.07, seed=4, counts=3),
}
"""The faster the upper layers learn, the more words a member suspects and the less sure it is of
them: together the two suspect as much as the quick one and are as sure as the gentle one."""

Job = tuple[Path, str, int]
"""Work folder, kind, fold that is left out."""


def members(work: Path, at_once: int = 2) -> dict[int, list[Any]]:
    """For each fold, the members that never met it, as KINDS. `work` holds rows.npz."""
    jobs: list[Job] = [(work, kind, fold) for kind in KINDS for fold in range(FOLDS)]
    os.environ.setdefault("XLA_FLAGS", ONE_THREAD)
    # A fresh process for each: what the numerics' threads hold does not survive a fork.
    with get_context("spawn").Pool(at_once, maxtasksperchild=1) as pool:
        made = pool.map(member, jobs, chunksize=1)
    return {
        fold: [one for job, one in zip(jobs, made, strict=True) if job[2] == fold]
        for fold in range(FOLDS)
    }


def member(job: Job) -> Any:
    """One member's weights."""
    from training.network import train

    work, name, fold = job
    recipe = KINDS[name]
    how = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    path = work / f"{name}-{fold}-{how}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())  # noqa: S301 - written below, by ourselves
    print(f"{name} member without the people of fold {fold}", flush=True)
    weights = train(rows.load(work / "rows.npz"), set(range(FOLDS)) - {fold}, recipe)
    made = {**weights, "packaged": False, "counts": recipe.counts}
    path.write_bytes(pickle.dumps(made))
    return made


def everyone(apart: dict[int, list[Any]]) -> Iterator[Any]:
    """All members in the order of a weights file: kind by kind, each without one fold after the
    other."""
    for number in range(len(KINDS)):
        yield from (three[number] for three in apart.values())
