"""The alarm ear's own network in numpy: trunk rows in, the log-odds of each word out.

It must give the same numbers however the rows are cut into calls, and must refuse weights that are
not the ones whose figures the model card gives.
"""

from pathlib import Path
from typing import Final

import numpy as np

from audio.embedding import Floats, Layer, Top
from audio.network import (
    Weights,
    WeightsError,
    dense,
    floats,
    normed,
    read,
    through,
    upper_layers,
)

WEIGHTS_SHA256: Final = "78d79da73e42e4228d8aaa9146e219dc5b90ecb008c60b5aaf9118b4969a52d8"
"""Of weights/alarm.npz; `python -m training` prints it."""
NEAR: Final = 4
"""Embeddings 80 ms apart that are looked at for the words: with their own reach, a second."""
FAR: Final = 10
"""The same for the phrase: a second and a half."""
STEADY: Final = (1, 2, 3, 2, 1)
"""Weights of the last steps of 40 ms in the mean of the log-odds: of five tried on people never met
none found more words at the same rate of false ones, but for one that was later."""
_STEADY = tuple(np.float32(weight / sum(STEADY)) for weight in STEADY)
_KEPT = 2 * (FAR - 1)
TRAIN: Final = "make them with python -m training"


def load(path: Path | None) -> Weights:
    """The arrays of a weights file; None means the one that ships. Raises WeightsError."""
    return read(path, "alarm.npz", WEIGHTS_SHA256, TRAIN)


class Network:
    """All members of the committee over one stream; it keeps the rows that the next call needs."""

    def __init__(self, weights: Weights) -> None:
        """Raises WeightsError when an array is missing."""
        try:
            self.words = tuple(str(word) for word in weights["words"])
            """What the log-odds are of, in their order."""
            members = range(int(weights["members"]))
            self._sets, self._tops = upper_layers(weights, members)
            self._heads = _Heads(weights)
            self._shares = floats(weights["shares"])[:, None, None]
            self._scale, self._offset = floats(weights["scale"]), floats(weights["offset"])
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
        """A mean of each value and those before it: one step's whim is no word."""
        before = len(STEADY) - 1
        kept = np.repeat(odds[:1], before, 0) if self._before is None else self._before
        known = np.concatenate([kept, odds])
        self._before = known[-before:]
        parts = [known[k : k + len(odds)] for k in range(len(STEADY))]
        weighted = [weight * part for weight, part in zip(_STEADY, parts, strict=True)]
        steadied: Floats = np.sum(weighted, axis=0, dtype=np.float32)
        return steadied


class _Heads:
    """The members' heads, side by side as stacks of matrices."""

    def __init__(self, weights: Weights) -> None:
        def stack(name: str) -> Layer:
            members = range(int(weights["members"]))
            layers = [dense(weights, f"{number}.{name}") for number in members]
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
        small = np.maximum(through(known, self._far), 0)
        far = np.concatenate([_back(small, k, count) for k in reversed(range(FAR))], axis=2)
        hidden = normed(through(near, self._near), self._norm)
        hidden = np.maximum(through(hidden, self._middle), 0)
        both = np.concatenate([hidden, np.maximum(through(far, self._far2), 0)], axis=2)
        return near, _log_odds(through(both, self._out))


def _back(values: Floats, steps: int, count: int) -> Floats:
    """The last `count` values, each `steps` times 80 ms earlier."""
    end = values.shape[1] - 2 * steps
    return values[:, end - count : end]


def _log_odds(logits: Floats) -> Floats:
    """Of each class but the first (none of the words) against all others, within +-16."""
    chances = np.exp(logits - logits.max(-1, keepdims=True))
    chances /= chances.sum(-1, keepdims=True)
    words = np.clip(chances[..., 1:], 1e-7, 1 - 1e-7)
    odds: Floats = np.log(words / (1 - words)).astype(np.float32)
    return odds
