"""The word ear's network for training, in JAX: the same layers as `audio.words_network`.

A frame is four embeddings 80 ms apart; what the frames of an utterance have in common, at most and
where it matters (attention) decides between the words. It must never train on a fold it judges.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from audio.embedding import TRUNK_LAYERS, Floats, packaged_layers
from audio.words_network import CONTEXT_ROWS, LEAD_STEPS, NEAR
from training.descent import Pace, Params, descend, drop, normed, pull
from training.network import embed

LENGTHS = (24, 36, 52, 80, 126)
"""Judged rows of an utterance, rounded up to one of these: few shapes compile quickly."""
WARM_UP = 0.15
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True)
class Rows:
    """Trunk rows of all utterances one after the other, where each begins, class and fold."""

    rows: NDArray[np.float16]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    folds: NDArray[np.int64]

    @cached_property
    def embedded(self) -> NDArray[np.float16]:
        """What the packaged upper layers make of the rows, (n, 96)."""
        top = [{"kernel": k, "bias": b} for k, b in packaged_layers()[TRUNK_LAYERS:]]
        rows = np.concatenate([np.repeat(self.rows[:1], 13, 0), self.rows])
        parts = [
            np.asarray(_embed(top, _piece(rows, at)), np.float16)[0][: len(self.rows) - at]
            for at in range(0, len(self.rows), PIECE)
        ]
        return np.concatenate(parts)


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    steps: int = 1500
    batch: int = 96
    rate: float = 2e-3
    top_rate: float = 0.0
    """The embedding's upper layers learn at this share of the rate; 0: they stay as packaged."""
    noise: float = 0.3
    dropout: float = 0.3
    decay: float = 1e-2
    smoothing: float = 0.05
    other_share: float = 0.25
    wide: int = 160
    narrow: int = 96
    looks: int = 4
    """Places of an utterance that attention may choose."""
    seed: int = 1


def start(recipe: Recipe, classes: int, spread: tuple[Any, Any]) -> Params:
    """Packaged upper layers and random others."""
    rng = np.random.default_rng(recipe.seed)

    def dense(inputs: int, outputs: int, scale: float = 1.0) -> dict[str, Any]:
        weights = scale * rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs))
        return {"kernel": jnp.array(weights, jnp.float32), "bias": jnp.zeros(outputs)}

    pooled = recipe.wide * (recipe.looks + 2)
    return {
        "top": [
            {"kernel": jnp.array(k), "bias": jnp.array(b)}
            for k, b in packaged_layers()[TRUNK_LAYERS:]
        ],
        "spread": {"mean": jnp.array(spread[0]), "deviation": jnp.array(spread[1])},
        "near": dense(96 * NEAR, recipe.wide),
        "norm": {"kernel": jnp.ones(recipe.wide), "bias": jnp.zeros(recipe.wide)},
        "look": dense(recipe.wide, recipe.looks, 0.3),
        "middle": dense(pooled, recipe.narrow),
        "out": dense(recipe.narrow, classes),
    }


def judge(params: Params, embedded: Any, mask: Any, key: Any, recipe: Recipe) -> Any:
    """Embeddings (batch, n + 6, 96) and marks of real rows (batch, n) to logits (batch, words)."""
    scaled = (embedded - params["spread"]["mean"]) / params["spread"]["deviation"]
    keys = [None] * 3 if key is None else jax.random.split(key, 3)
    if key is not None:
        scaled = scaled + recipe.noise * jax.random.normal(keys[0], scaled.shape)
    count = mask.shape[1]
    near = jnp.concatenate([scaled[:, 2 * k : 2 * k + count] for k in range(NEAR)], axis=2)
    hidden = near @ params["near"]["kernel"] + params["near"]["bias"]
    hidden = drop(normed(hidden, params["norm"]), keys[1], recipe.dropout)
    scores = hidden @ params["look"]["kernel"] + params["look"]["bias"]
    weight = jax.nn.softmax(jnp.where(mask[..., None], scores, -1e9), axis=1)
    looked = jnp.einsum("btl,btw->blw", weight, hidden).reshape(len(mask), -1)
    most = jnp.where(mask[..., None], hidden, 0).max(1)
    usual = jnp.where(mask[..., None], hidden, 0).sum(1) / mask.sum(1)[:, None]
    pooled = drop(jnp.concatenate([looked, most, usual], axis=1), keys[2], recipe.dropout)
    values = jax.nn.relu(pooled @ params["middle"]["kernel"] + params["middle"]["bias"])
    return values @ params["out"]["kernel"] + params["out"]["bias"]


def loss(
    params: Params, rows: Any, mask: Any, numbers: Any, key: Any, recipe: Recipe, tuned: bool
) -> Any:
    """Cross-entropy, the classes smoothed; `rows` are embeddings unless `tuned`."""
    embedded = embed(params["top"], rows) if tuned else rows
    chance = jax.nn.log_softmax(judge(params, embedded, mask, key, recipe))
    right = jnp.take_along_axis(chance, numbers[:, None], 1)[:, 0]
    return -((1 - recipe.smoothing) * right + recipe.smoothing * chance.mean(1)).mean()


def train(data: Rows, folds: set[int], recipe: Recipe, classes: int) -> Params:
    """Weights from the utterances of these folds."""
    rng = np.random.default_rng(recipe.seed)
    tuned = recipe.top_rate > 0
    ready = data.rows if tuned else data.embedded
    deal = _Deal(data, folds, classes, recipe)
    params = start(recipe, classes, _spread(data, folds, rng))

    def draw() -> tuple[Any, Any, Any]:
        return deal.batch(ready, rng, tuned)

    def off(params: Params, rows: Any, mask: Any, numbers: Any, key: Any) -> Any:
        return loss(params, rows, mask, numbers, key, recipe, tuned)

    pace = Pace(recipe.steps, recipe.rate, recipe.decay, WARM_UP, recipe.seed)
    return descend(params, pull(params, recipe.top_rate), off, draw, pace)


class _Deal:
    """Batches of utterances of about the same length, all words equally often."""

    def __init__(self, data: Rows, folds: set[int], classes: int, recipe: Recipe) -> None:
        self._data, self._recipe, self._classes = data, recipe, classes
        lengths = np.diff(data.starts) - LEAD_STEPS
        self._lengths = np.minimum(lengths, LENGTHS[-1])
        mine = np.isin(data.folds, sorted(folds))
        shelf = np.searchsorted(LENGTHS, self._lengths)
        counts = np.bincount(data.numbers[mine], minlength=classes)
        weight = np.where(counts > 0, (1 - recipe.other_share) / np.maximum(counts, 1), 0)
        weight /= (counts[1:] > 0).sum()
        weight[0] = recipe.other_share / max(counts[0], 1)
        self._shelves = []
        for number in range(len(LENGTHS)):
            listed = np.flatnonzero(mine & (shelf == number))
            chances = weight[data.numbers[listed]]
            if len(listed):
                self._shelves.append((LENGTHS[number], listed, chances / chances.sum()))
        shares = np.array([weight[data.numbers[listed]].sum() for _, listed, _ in self._shelves])
        self._shares = shares / shares.sum()

    def batch(self, ready: Any, rng: np.random.Generator, tuned: bool) -> tuple[Any, Any, Any]:
        """Rows or embeddings with what is looked back on, marks of real rows, classes."""
        length, listed, chances = self._shelves[int(rng.choice(len(self._shares), p=self._shares))]
        chosen = rng.choice(listed, self._recipe.batch, p=chances)
        context = CONTEXT_ROWS if tuned else 2 * (NEAR - 1)
        starts = self._data.starts[chosen] + LEAD_STEPS - context
        count = np.minimum(self._lengths[chosen], length)
        at = np.minimum(np.arange(length + context)[None], (context + count - 1)[:, None])
        rows = ready[starts[:, None] + at].astype(np.float32)
        mask = np.arange(length)[None] < count[:, None]
        return rows, mask, self._data.numbers[chosen].astype(np.int32)


PIECE = 20_000
_embed = jax.jit(embed)


def _piece(rows: NDArray[np.float16], at: int) -> Floats:
    piece = rows[at : at + PIECE + 13].astype(np.float32)
    return np.pad(piece, ((0, PIECE + 13 - len(piece)), (0, 0), (0, 0)))[None]


def _spread(data: Rows, folds: set[int], rng: np.random.Generator) -> tuple[Any, Any]:
    mine = np.flatnonzero(np.isin(data.folds, sorted(folds)))
    top = [{"kernel": k, "bias": b} for k, b in packaged_layers()[TRUNK_LAYERS:]]
    chosen = rng.choice(mine, 200)
    parts = []
    for begin, end in zip(data.starts[chosen], data.starts[chosen + 1], strict=True):
        rows = data.rows[begin + LEAD_STEPS - 13 : min(end, begin + LEAD_STEPS + 30)]
        if len(rows) == 43:
            parts.append(rows)
    embedded = np.asarray(embed(top, np.stack(parts).astype(np.float32))).reshape(-1, 96)
    return embedded.mean(0), embedded.std(0) + 1e-3
