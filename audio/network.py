"""What our small networks in numpy share: a weights file read and checked, and single layers.

It must never hand out shipped weights other than those whose figures the model card gives.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.embedding import TRUNK_LAYERS, Floats, Layer, packaged_layers
from audio.errors import NotFit

Weights = Mapping[str, NDArray[np.generic]]

AGAIN: Final = "install unknot again"


class WeightsError(NotFit):
    """The weights are missing or are not the ones that the model card describes."""


def read(path: Path | None, shipped: str, sha256: str, train: str) -> Weights:
    """The arrays of a weights file; `path` None means the one that ships, checked by its hash.

    `train` says how to make others. Raises WeightsError.
    """
    name = path or files("audio").joinpath("weights", shipped)
    try:
        data = name.read_bytes()
    except OSError as error:
        raise WeightsError(f"{name}: {error.strerror}", AGAIN) from error
    if path is None and hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsError(f"{name} was altered", AGAIN)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (ValueError, OSError) as error:
        raise WeightsError(f"{name} is no weights file", train) from error


def dense(weights: Weights, stem: str) -> Layer:
    """Kernel (inputs, outputs) and bias (outputs,); kernels may be kept in steps."""
    kernel = floats(weights[f"{stem}.kernel"])
    if f"{stem}.step" in weights:
        kernel = kernel * floats(weights[f"{stem}.step"])
    return kernel, floats(weights[f"{stem}.bias"])


def upper_layers(weights: Weights, members: Sequence[int]) -> tuple[list[list[Layer]], list[int]]:
    """Sets of the embedding's upper layers, and which of them each of these members uses: its own
    or the packaged, which is there, as the first, when one uses it.

    Kept is what training added to the packaged kernels: that is small, and so are the files.
    """
    packaged = list(packaged_layers()[TRUNK_LAYERS:])
    own = [f"{number}.top0.kernel" in weights for number in members]
    sets, used = [] if all(own) else [packaged], []
    for number, has_own in zip(members, own, strict=True):
        if has_own:
            added = [dense(weights, f"{number}.top{at}") for at in range(len(packaged))]
            pairs = zip(packaged, added, strict=True)
            sets.append([(kernel + more, bias) for (kernel, _), (more, bias) in pairs])
        used.append(len(sets) - 1 if has_own else 0)
    return sets, used


def through(values: Floats, layer: Layer) -> Floats:
    """Values (..., inputs) to (..., outputs)."""
    return values @ layer[0] + layer[1]


def normed(values: Floats, norm: Layer) -> Floats:
    """Centred and of spread one along the last axis, scaled, shifted, not below zero."""
    count = values.shape[-1]
    centred = values - values.sum(-1, keepdims=True) / count
    spread = np.sqrt(np.square(centred).sum(-1, keepdims=True) / count + 1e-5)
    made: Floats = np.maximum(centred / spread * norm[0] + norm[1], 0)
    return made


def likelihood(odds: Floats) -> Floats:
    """Log-odds to 0..1."""
    made: Floats = (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32)
    return made


def floats(array: NDArray[np.generic]) -> Floats:
    """As 32-bit floats."""
    return array.astype(np.float32)
