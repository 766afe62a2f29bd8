"""The alarm ear's network for training: the embedding's upper layers and a head, in JAX.

Same layers and same numbers as `audio.embedding.Top` and `audio.alarm_ear` compute with numpy; the
upper layers begin as the packaged ones and are trained on. It must never train on a fold it judges.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from audio.embedding import LEAK, LEAST, TRUNK_LAYERS, packaged_layers
from training.clips import WORDS
from training.descent import Pace, Params, descend, drop, normed, pull
from training.recipe import Recipe
from training.rows import UNUSED, Rows, packaged_embeddings

NEAR, FAR = 4, 10
"""Embeddings 80 ms apart that the head looks at: for the words (1 s), for the phrase (1.5 s)."""
REACH = 13 + 2 * (FAR - 1)
"""Trunk rows before the first row that the network can judge."""
CROP = 64
"""Judged rows in one training example."""
WARM_UP = 0.2
"""Share of the steps in which the learning rate rises."""
EMBEDDED = 13
"""Trunk rows before the first embedding."""
USUAL = Recipe()


def start(recipe: Recipe, classes: int, spread: tuple[Any, Any]) -> Params:
    """Packaged upper layers and a random head."""
    rng = np.random.default_rng(recipe.seed)
    wide, narrow = recipe.hidden

    def dense(inputs: int, outputs: int) -> dict[str, Any]:
        weights = rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs)).astype(np.float32)
        return {"kernel": jnp.array(weights), "bias": jnp.zeros(outputs)}

    top = [
        {"kernel": jnp.array(k), "bias": jnp.array(b)} for k, b in packaged_layers()[TRUNK_LAYERS:]
    ]
    return {
        "top": top,
        "spread": {"mean": jnp.array(spread[0]), "deviation": jnp.array(spread[1])},
        "near": dense(96 * NEAR, wide),
        "far": dense(96, 16),
        "far2": dense(16 * FAR, 32),
        "norm": {"kernel": jnp.ones(wide), "bias": jnp.zeros(wide)},
        "middle": dense(wide, narrow),
        "out": dense(narrow + 32, classes),
    }


def _beside(rows: Any) -> Any:
    padded = jnp.pad(rows, ((0, 0), (0, 0), (1, 1), (0, 0)))
    return jnp.concatenate([padded[:, :, :-2], padded[:, :, 1:-1], padded[:, :, 2:]], axis=3)


def _behind(rows: Any) -> Any:
    return jnp.concatenate([rows[:, :-2], rows[:, 1:-1], rows[:, 2:]], axis=3)


def embed(top: Any, rows: Any) -> Any:
    """(batch, n, 4, 72) to (batch, n - 13, 96)."""
    for number, layer in enumerate(top[:-1]):
        taps = _behind(rows) if number % 2 else _beside(rows)
        flat = taps @ layer["kernel"] + layer["bias"]
        rows = jnp.maximum(jnp.maximum(flat, LEAK * flat), LEAST)
        if number in (3, 7):
            rows = jnp.maximum(rows[:, :, 0::2], rows[:, :, 1::2])
    rows = rows[:, :, 0]
    pairs = jnp.maximum(rows[:, :-1], rows[:, 1:])
    taps = jnp.concatenate([pairs[:, :-4], pairs[:, 2:-2], pairs[:, 4:]], axis=2)
    return taps @ top[-1]["kernel"] + top[-1]["bias"]


def judge(params: Params, embedded: Any, key: Any = None, recipe: Recipe = USUAL) -> Any:
    """(batch, n, 96) to logits (batch, n - 18, classes); with a key, noise and dropout."""
    scaled = (embedded - params["spread"]["mean"]) / params["spread"]["deviation"]
    keys = [None] * 3 if key is None else jax.random.split(key, 3)
    if key is not None:
        scaled = scaled + recipe.noise * jax.random.normal(keys[0], scaled.shape)
    count = scaled.shape[1] - 2 * (FAR - 1)
    last = 2 * (FAR - 1)
    near = jnp.concatenate(
        [scaled[:, last - 2 * k : last - 2 * k + count] for k in reversed(range(NEAR))], axis=2
    )
    hidden = near @ params["near"]["kernel"] + params["near"]["bias"]
    hidden = drop(normed(hidden, params["norm"]), keys[1], recipe.dropout)
    hidden = jax.nn.relu(hidden @ params["middle"]["kernel"] + params["middle"]["bias"])
    small = jax.nn.relu(scaled @ params["far"]["kernel"] + params["far"]["bias"])
    long = jnp.concatenate([small[:, 2 * k : 2 * k + count] for k in range(FAR)], axis=2)
    long = jax.nn.relu(long @ params["far2"]["kernel"] + params["far2"]["bias"])
    both = drop(jnp.concatenate([hidden, long], axis=2), keys[2], recipe.dropout)
    return both @ params["out"]["kernel"] + params["out"]["bias"]


def loss(params: Params, rows: Any, targets: Any, key: Any, recipe: Recipe) -> Any:
    """Cross-entropy of the rows that have a target."""
    logits = judge(params, embed(params["top"], rows), key, recipe)
    chance = jax.nn.log_softmax(logits)
    right = jnp.take_along_axis(chance, jnp.maximum(targets, 0)[..., None], 2)[..., 0]
    asked = targets != UNUSED
    return -(right * asked).sum() / asked.sum()


def train(data: Rows, folds: set[int], recipe: Recipe) -> Params:
    """Weights from the scenes of these folds (AdamW, one cycle of the learning rate)."""
    rng = np.random.default_rng(recipe.seed)
    places = _places(data, folds)
    params = start(recipe, 1 + len(WORDS), _spread(data, places, rng))

    def draw() -> tuple[Any, Any]:
        return _batch(data, places, rng, recipe.batch)

    def off(params: Params, rows: Any, targets: Any, key: Any) -> Any:
        return loss(params, rows, targets, key, recipe)

    pace = Pace(recipe.steps, recipe.rate, recipe.decay, WARM_UP, recipe.seed)
    return descend(params, pull(params, recipe.top_rate), off, draw, pace)


def _places(data: Rows, folds: set[int]) -> tuple[Any, Any]:
    """First and last possible beginning of an example, for each scene of the folds."""
    use = np.isin(data.folds, sorted(folds))
    return data.starts[:-1][use], data.starts[1:][use] - (REACH + CROP)


def _spread(data: Rows, places: tuple[Any, Any], rng: np.random.Generator) -> tuple[Any, Any]:
    begins = rng.choice(places[0], 40)
    parts = [packaged_embeddings(data.rows[at : at + 200])[EMBEDDED:] for at in begins]
    values = np.concatenate(parts).astype(np.float32)
    return values.mean(0), values.std(0) + 1e-3


def _batch(
    data: Rows, places: tuple[Any, Any], rng: np.random.Generator, size: int
) -> tuple[Any, Any]:
    which = rng.integers(0, len(places[0]), size)
    begins = rng.integers(places[0][which], places[1][which])
    rows = np.stack([data.rows[at : at + REACH + CROP] for at in begins]).astype(np.float32)
    marks = np.stack([data.targets[at + REACH : at + REACH + CROP] for at in begins])
    return rows, marks.astype(np.int32)
