"""The alarm ear's own network in numpy: trunk rows in, the log-odds of each word out.

It must give the same numbers however the rows are cut into calls, and must refuse weights that are
not the ones whose figures the model card gives.
"""

import hashlib
import io
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.embedding import TRUNK_LAYERS, Floats, Layer, Top, packaged_layers
from audio.errors import NotFit

WEIGHTS_SHA256: Final = "305aa1e6f81e3ecc28b3f5c59b94d6ade1dc291408c7f0cbce0eaa73f2d49ed7"
"""Of weights/alarm.npz; `python -m training` prints it."""
NEAR: Final = 4
"""Embeddings 80 ms apart that are looked at for the words: with their own reach, a second."""
FAR: Final = 10
"""The same for the phrase: a second and a half."""
TOP_LAYERS: Final = 9
SMOOTHED: Final = 3
"""Steps of 40 ms over which the log-odds are averaged."""
_KEPT = 2 * (FAR - 1)
AGAIN: Final = "install unknot again"
TRAIN: Final = "make them with python -m training"

Weights = Mapping[str, NDArray[np.generic]]


class WeightsError(NotFit):
    """The weights are missing or are not the ones that the model card describes."""


def load(path: Path | None) -> Weights:
    """The arrays of a weights file; None means the one that ships, checked by its hash."""
    name = path or files("audio").joinpath("weights", "alarm.npz")
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


class Network:
    """All members of the committee over one stream; it keeps the rows that the next call needs."""

    def __init__(self, weights: Weights) -> None:
        """Raises WeightsError when an array is missing."""
        try:
            self.words = tuple(str(word) for word in weights["words"])
            """What the log-odds are of, in their order."""
            self._sets, self._tops = _tops(weights)
            self._heads = _Heads(weights)
            self._shares = _floats(weights["shares"])[:, None, None]
            self._scale, self._offset = _floats(weights["scale"]), _floats(weights["offset"])
        except KeyError as error:
            raise WeightsError(f"the weights lack {error}", TRAIN) from error
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._top = Top(self._sets)
        self._heads.reset()
        self._before: Floats | None = None

    def __call__(self, rows: Floats) -> tuple[Floats, Floats]:
        """Shape (n, 4, 72) to windows (n, 384), for telling voices apart, and log-odds (n, words).

        Log-odds are calibrated: the spotter's bars hold for every word.
        """
        windows, odds = self._heads(self._top(rows)[self._tops])
        odds = (odds * self._shares).sum(0)
        return windows[-1], self._steadied(odds) * self._scale + self._offset

    def _steadied(self, odds: Floats) -> Floats:
        """The mean of each value and the SMOOTHED - 1 before it: one step's whim is no word."""
        kept = np.repeat(odds[:1], SMOOTHED - 1, 0) if self._before is None else self._before
        known = np.concatenate([kept, odds])
        self._before = known[-(SMOOTHED - 1) :]
        parts = [known[k : len(known) - SMOOTHED + 1 + k] for k in range(SMOOTHED)]
        steadied: Floats = np.mean(parts, axis=0, dtype=np.float32)
        return steadied


def _tops(weights: Weights) -> tuple[list[list[Layer]], list[int]]:
    """The sets of upper layers, and which of them each member uses: its own or the packaged."""
    sets: list[list[Layer]] = [list(packaged_layers()[TRUNK_LAYERS:])]
    used = []
    for number in range(int(weights["members"])):
        own = f"{number}.top0.kernel" in weights
        if own:
            sets.append([_dense(weights, f"{number}.top{layer}") for layer in range(TOP_LAYERS)])
        used.append(len(sets) - 1 if own else 0)
    return sets, used


class _Heads:
    """The members' heads, side by side as stacks of matrices."""

    def __init__(self, weights: Weights) -> None:
        def stack(name: str) -> Layer:
            members = range(int(weights["members"]))
            layers = [_dense(weights, f"{number}.{name}") for number in members]
            kernels, biases = zip(*layers, strict=True)
            return np.stack(kernels), np.stack(biases)[:, None]

        mean, deviation = stack("spread")
        self._mean, self._deviation = mean[:, None], deviation
        self._near, self._middle, self._out = stack("near"), stack("middle"), stack("out")
        self._far, self._far2 = stack("far"), stack("far2")
        scale, shift = stack("norm")
        self._norm = scale[:, None], shift
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._kept: Floats | None = None

    def __call__(self, embedded: Floats) -> tuple[Floats, Floats]:
        """Shape (members, n, 96) to near windows (members, n, 384) and log-odds of each word
        against all the rest (members, n, words)."""
        scaled = (embedded - self._mean) / self._deviation
        kept = np.repeat(scaled[:, :1], _KEPT, 1) if self._kept is None else self._kept
        known = np.concatenate([kept, scaled], axis=1)
        self._kept = known[:, -_KEPT:]
        count = scaled.shape[1]
        near = np.concatenate([_back(known, k, count) for k in reversed(range(NEAR))], axis=2)
        small = np.maximum(_through(known, self._far), 0)
        far = np.concatenate([_back(small, k, count) for k in reversed(range(FAR))], axis=2)
        hidden = _normed(_through(near, self._near), self._norm)
        hidden = np.maximum(_through(hidden, self._middle), 0)
        both = np.concatenate([hidden, np.maximum(_through(far, self._far2), 0)], axis=2)
        return near, _log_odds(_through(both, self._out))


def _dense(weights: Weights, stem: str) -> Layer:
    kernel = _floats(weights[f"{stem}.kernel"])
    if f"{stem}.step" in weights:
        kernel = kernel * _floats(weights[f"{stem}.step"])
    return kernel, _floats(weights[f"{stem}.bias"])


def _back(values: Floats, steps: int, count: int) -> Floats:
    """The last `count` values, each `steps` times 80 ms earlier."""
    end = values.shape[1] - 2 * steps
    return values[:, end - count : end]


def _through(values: Floats, layer: Layer) -> Floats:
    return values @ layer[0] + layer[1]


def _normed(values: Floats, norm: Layer) -> Floats:
    centred = values - values.mean(-1, keepdims=True)
    spread = np.sqrt(values.var(-1, keepdims=True) + 1e-5)
    normed: Floats = np.maximum(centred / spread * norm[0] + norm[1], 0)
    return normed


def _log_odds(logits: Floats) -> Floats:
    """Of each class but the first (none of the words) against all others, within +-16."""
    chances = np.exp(logits - logits.max(-1, keepdims=True))
    chances /= chances.sum(-1, keepdims=True)
    words = np.clip(chances[..., 1:], 1e-7, 1 - 1e-7)
    odds: Floats = np.log(words / (1 - words)).astype(np.float32)
    return odds


def _floats(array: NDArray[np.generic]) -> Floats:
    return array.astype(np.float32)
