"""Trains the members of the alarm ear's committee, two at a time, each without one fold of people.

A member that an earlier run of the same recipe finished is read, not trained again. It must never
let a member see the fold that it will be judged on.
"""

import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from training import rows
from training.clips import FOLDS

KINDS = ("tuned", "packaged")
"""With upper layers of its own, or on those of the packaged embedding."""
SHARES = {"tuned": 2.0, "packaged": 1.0}
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

Job = tuple[Path, str, int, int, int]
"""Work folder, kind, fold that is left out, steps, seed."""


def members(work: Path, steps: int, seed: int, at_once: int = 2) -> dict[int, list[Any]]:
    """For each fold, the members that never met it. `work` holds rows.npz."""
    jobs: list[Job] = [(work, kind, fold, steps, seed) for kind in KINDS for fold in range(FOLDS)]
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
    from training import network

    work, kind, fold, steps, seed = job
    path = work / f"{kind}-{fold}-{steps}-{seed}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())  # noqa: S301 - written below, by ourselves
    recipe = network.Recipe(steps=steps, seed=seed)
    if kind == "packaged":
        recipe = replace(recipe, top_rate=0.0, noise=0.4, rate=2e-3)
    print(f"{kind} member without the people of fold {fold}", flush=True)
    weights = network.train(rows.load(work / "rows.npz"), set(range(FOLDS)) - {fold}, recipe)
    made = {**weights, "share": SHARES[kind], "packaged": recipe.packaged}
    path.write_bytes(pickle.dumps(made))
    return made


def everyone(apart: dict[int, list[Any]]) -> Iterator[Any]:
    """All members, the tuned ones first: that is the order of a weights file."""
    for kind in range(len(KINDS)):
        yield from (pair[kind] for pair in apart.values())
