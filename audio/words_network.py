"""The word ear's network in numpy: one utterance in, the log-odds of each word it knows.

It must never run on weights other than those whose figures the model card gives, and must never
see less of an utterance than it was trained on.
"""

import hashlib
import io
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.alarm_network import Weights, WeightsError
from audio.embedding import STEP, TRUNK_LAYERS, Floats, Layer, Mel, Top, Trunk, packaged_layers
from audio.sound import Samples

WEIGHTS_SHA256: Final = "80b666c93bf76510a1000314c9ca55e6b05678e23bcb39ec5e9200fce2e41b32"
"""Of weights/words.npz; `python -m training.words` prints it."""
LEAD_STEPS: Final = 20
"""Steps of silence put before an utterance: what the embedding looks back on."""
NEAR: Final = 4
"""Embeddings 80 ms apart that are looked at together: with their own reach, a second."""
CONTEXT_ROWS: Final = 13 + 2 * (NEAR - 1)
"""Trunk rows before the first one that can be judged."""
MOST_STEPS: Final = 126
"""Steps of an utterance that are looked at: the cutter's longest."""
OTHER: Final = "other"
"""The class of everything that is none of the words; always the first."""
AGAIN: Final = "install unknot again"
TRAIN: Final = "make them with python -m training.words"


def trunk_rows(utterance: Samples) -> Floats:
    """All rows of an utterance and the silence before it, (LEAD_STEPS + n, 4, 72), n at least 1."""
    sound = utterance.astype(np.float32)
    sound = np.pad(sound, (LEAD_STEPS * STEP, max(0, STEP - len(sound))))
    return Trunk()(Mel()(sound[: len(sound) // STEP * STEP]))


def load(path: Path | None) -> Weights:
    """The arrays of a weights file; None means the one that ships, checked by its hash."""
    name = path or files("audio").joinpath("weights", "words.npz")
    try:
        data = name.read_bytes()
    except OSError as error:
        raise WeightsError(f"{name}: {error.strerror}", AGAIN) from error
    if path is None and hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise WeightsError(f"{name} was altered", AGAIN)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (ValueError, OSError) as error:
        raise WeightsError(f"{name} is no weights file", TRAIN) from error


class WordsNetwork:
    """All members of the committee; it keeps nothing between utterances."""

    def __init__(self, weights: Weights, member: int | None = None) -> None:
        """`member` n alone never met the people of fold n; None: all. Raises WeightsError when an
        array is missing."""
        try:
            self.words = tuple(str(word) for word in weights["words"])
            """What the values are of, in their order; the first is OTHER."""
            members = range(int(weights["members"])) if member is None else (member,)
            self._heads = [_Head(weights, number) for number in members]
        except KeyError as error:
            raise WeightsError(f"the weights lack {error}", TRAIN) from error

    def __call__(self, utterance: Samples) -> Floats:
        """Log-chances of all words, (words,): the committee's mean, not yet limited to a choice."""
        return self.judge(trunk_rows(utterance))

    def judge(self, rows: Floats) -> Floats:
        """The same from trunk rows."""
        first = LEAD_STEPS - 2 * (NEAR - 1)
        top = Top([packaged_layers()[TRUNK_LAYERS:]])
        embedded = top(rows[: LEAD_STEPS + MOST_STEPS])[0, first:]
        chances = [head(embedded) for head in self._heads]
        mean: Floats = np.mean(chances, axis=0, dtype=np.float32)
        return mean


class _Head:
    """One member: frames, what they have in common, and the words."""

    def __init__(self, weights: Weights, number: int) -> None:
        def layer(name: str) -> Layer:
            return _dense(weights, f"{number}.{name}")

        self._mean, self._deviation = layer("spread")
        self._near, self._norm = layer("near"), layer("norm")
        self._look, self._middle, self._out = layer("look"), layer("middle"), layer("out")

    def __call__(self, embedded: Floats) -> Floats:
        """Embeddings (6 + n, 96), n at least 1, to log-chances (words,)."""
        scaled = (embedded - self._mean) / self._deviation
        count = len(scaled) - 2 * (NEAR - 1)
        near = np.concatenate([scaled[2 * k : 2 * k + count] for k in range(NEAR)], axis=1)
        hidden = _normed(_through(near, self._near), self._norm)
        weight = _softmax(_through(hidden, self._look).T)
        pooled = np.concatenate([(weight @ hidden).ravel(), hidden.max(0), hidden.mean(0)])
        values = np.maximum(_through(pooled, self._middle), 0)
        return np.log(np.maximum(_softmax(_through(values, self._out)), 1e-9))


def _dense(weights: Weights, stem: str) -> Layer:
    kernel = _floats(weights[f"{stem}.kernel"])
    if f"{stem}.step" in weights:
        kernel = kernel * _floats(weights[f"{stem}.step"])
    return kernel, _floats(weights[f"{stem}.bias"])


def _through(values: Floats, layer: Layer) -> Floats:
    return values @ layer[0] + layer[1]


def _normed(values: Floats, norm: Layer) -> Floats:
    centred = values - values.mean(-1, keepdims=True)
    spread = np.sqrt(values.var(-1, keepdims=True) + 1e-5)
    normed: Floats = np.maximum(centred / spread * norm[0] + norm[1], 0)
    return normed


def _softmax(values: Floats) -> Floats:
    chances = np.exp(values - values.max(-1, keepdims=True))
    softmax: Floats = chances / chances.sum(-1, keepdims=True)
    return softmax


def _floats(array: NDArray[np.generic]) -> Floats:
    return array.astype(np.float32)
