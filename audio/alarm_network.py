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

WEIGHTS_SHA256: Final = "4d7add83a6606698fc66f2429b5f687661851c00cc676641845495a73980e0e8"
"""Of weights/alarm.npz; `python -m training` prints it."""
NEAR: Final = 4
"""Embeddings 80 ms apart that are looked at for the words: with their own reach, a second."""
FAR: Final = 10
"""The same for the phrase: a second and a half."""
TOP_LAYERS: Final = 9
PACKAGED: Final = -1
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
            self._layers = _tops(weights)
            self._members = [_Member(weights, number) for number in range(int(weights["members"]))]
            self._shares = _floats(weights["shares"])
            self._scale, self._offset = _floats(weights["scale"]), _floats(weights["offset"])
        except KeyError as error:
            raise WeightsError(f"the weights lack {error}", TRAIN) from error
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._tops = {number: Top(layers) for number, layers in self._layers.items()}
        self._before: Floats | None = None
        for member in self._members:
            member.reset()

    def __call__(self, rows: Floats) -> tuple[Floats, Floats]:
        """Shape (n, 4, 72) to windows (n, 384), for telling voices apart, and log-odds (n, words).

        Log-odds are calibrated: the spotter's bars hold for every word.
        """
        embedded = {number: top(rows) for number, top in self._tops.items()}
        judged = [member(embedded[member.top]) for member in self._members]
        odds = np.tensordot(self._shares, np.array([odds for _, odds in judged]), axes=1)
        return judged[-1][0], self._steadied(odds) * self._scale + self._offset

    def _steadied(self, odds: Floats) -> Floats:
        """The mean of each value and the SMOOTHED - 1 before it: one step's whim is no word."""
        kept = np.repeat(odds[:1], SMOOTHED - 1, 0) if self._before is None else self._before
        known = np.concatenate([kept, odds])
        self._before = known[-(SMOOTHED - 1) :]
        parts = [known[k : len(known) - SMOOTHED + 1 + k] for k in range(SMOOTHED)]
        return np.mean(parts, axis=0, dtype=np.float32)


def _tops(weights: Weights) -> dict[int, list[Layer]]:
    """The upper layers that members bring, by member; PACKAGED for those who bring none."""
    tops: dict[int, list[Layer]] = {}
    for number in range(int(weights["members"])):
        if f"{number}.top0.kernel" in weights:
            tops[number] = [_dense(weights, f"{number}.top{layer}") for layer in range(TOP_LAYERS)]
        else:
            tops[PACKAGED] = list(packaged_layers()[TRUNK_LAYERS:])
    return tops


class _Member:
    """One head, on upper layers of its own (`top`) or on the packaged ones."""

    def __init__(self, weights: Weights, number: int) -> None:
        def part(name: str) -> Layer:
            return _dense(weights, f"{number}.{name}")

        self.top = number if f"{number}.top0.kernel" in weights else PACKAGED
        self._mean, self._deviation = part("spread")
        self._near, self._norm, self._middle = part("near"), part("norm"), part("middle")
        self._far, self._far2, self._out = part("far"), part("far2"), part("out")
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._kept: Floats | None = None

    def __call__(self, embedded: Floats) -> tuple[Floats, Floats]:
        """Near windows (n, 384) and log-odds of each word against all the rest (n, words)."""
        scaled = (embedded - self._mean) / self._deviation
        kept = np.repeat(scaled[:1], _KEPT, 0) if self._kept is None else self._kept
        known = np.concatenate([kept, scaled])
        self._kept = known[-_KEPT:]
        count = len(scaled)
        near = np.concatenate([_back(known, k, count) for k in reversed(range(NEAR))], 1)
        small = np.maximum(_through(known, self._far), 0)
        far = np.concatenate([_back(small, k, count) for k in reversed(range(FAR))], 1)
        hidden = _normed(_through(near, self._near), self._norm)
        hidden = np.maximum(_through(hidden, self._middle), 0)
        both = np.concatenate([hidden, np.maximum(_through(far, self._far2), 0)], 1)
        return near, _log_odds(_through(both, self._out))


def _dense(weights: Weights, stem: str) -> Layer:
    kernel = _floats(weights[f"{stem}.kernel"])
    if f"{stem}.step" in weights:
        kernel = kernel * _floats(weights[f"{stem}.step"])
    return kernel, _floats(weights[f"{stem}.bias"])


def _back(values: Floats, steps: int, count: int) -> Floats:
    """The last `count` values, each `steps` times 80 ms earlier."""
    end = len(values) - 2 * steps
    return values[end - count : end]


def _through(values: Floats, layer: Layer) -> Floats:
    return values @ layer[0] + layer[1]


def _normed(values: Floats, norm: Layer) -> Floats:
    centred = values - values.mean(1, keepdims=True)
    spread = np.sqrt(values.var(1, keepdims=True) + 1e-5)
    return np.maximum(centred / spread * norm[0] + norm[1], 0)


def _log_odds(logits: Floats) -> Floats:
    """Of each class but the first (none of the words) against all others, within +-16."""
    chances = np.exp(logits - logits.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    words = np.clip(chances[:, 1:], 1e-7, 1 - 1e-7)
    return np.log(words / (1 - words)).astype(np.float32)


def _floats(array: NDArray[np.generic]) -> Floats:
    return array.astype(np.float32)
