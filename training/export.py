"""Writes trained committees as the weights file that ships.

Kernels are rounded, with one step a column, and of the upper layers only what training added to the
packaged ones is kept: so a committee fits into a megabyte. It must never write what `audio.network`
cannot read.
"""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.embedding import TRUNK_LAYERS, packaged_layers
from training.clips import WORDS

DENSE = ("near", "middle", "far", "far2", "out")

LEVELS = 63
"""A kernel's largest value in whole steps: seven bits."""
UPPER_LEVELS = 24
"""The same of the alarm ear's upper layers: less than six bits, that a megabyte may hold them."""


def arrays(members: list[Any], scale: Any, offset: Any) -> dict[str, NDArray[np.generic]]:
    """The contents of a weights file; what counts twice counts as two members."""
    counts = np.array([member["counts"] for member in members], np.float32)
    out: dict[str, NDArray[np.generic]] = {
        "words": np.array(WORDS),
        "members": np.array(len(members)),
        "shares": counts / counts.sum(),
        "scale": np.asarray(scale, np.float32),
        "offset": np.asarray(offset, np.float32),
    }
    for number, member in enumerate(members):
        out |= whole(number, member, DENSE, UPPER_LEVELS)
    return out


def whole(
    number: int, member: Any, layers: Sequence[str], upper_levels: int = LEVELS
) -> dict[str, NDArray[np.generic]]:
    """Everything of one member; `layers` are those of its head."""
    out = upper_layers(number, member, upper_levels)
    for name in layers:
        out |= dense(f"{number}.{name}", member[name])
    spread, norm = member["spread"], member["norm"]
    out[f"{number}.spread.kernel"] = np.asarray(spread["mean"], np.float32)
    out[f"{number}.spread.bias"] = np.asarray(spread["deviation"], np.float32)
    out[f"{number}.norm.kernel"] = np.asarray(norm["kernel"], np.float32)
    out[f"{number}.norm.bias"] = np.asarray(norm["bias"], np.float32)
    return out


def upper_layers(number: int, member: Any, levels: int) -> dict[str, NDArray[np.generic]]:
    """What a member's own upper layers have more than the packaged ones; one on the packaged ones
    brings none."""
    out: dict[str, NDArray[np.generic]] = {}
    if not member["packaged"]:
        kernels = [kernel for kernel, _ in packaged_layers()[TRUNK_LAYERS:]]
        for index, (layer, packaged) in enumerate(zip(member["top"], kernels, strict=True)):
            out |= dense(f"{number}.top{index}", layer, levels, less=packaged)
    return out


def dense(
    name: str, layer: Any, levels: int = LEVELS, less: Any = 0.0
) -> dict[str, NDArray[np.generic]]:
    """One layer, its kernel rounded; `less` is what the reader adds to the kernel again."""
    kernel = np.asarray(layer["kernel"])
    step = np.maximum(np.abs(kernel).max(0), 1e-8) / levels
    return {
        f"{name}.kernel": np.round((kernel - less) / step).astype(np.int8),
        f"{name}.step": step.astype(np.float32),
        f"{name}.bias": np.asarray(layer["bias"], np.float32),
    }


def write(path: Path, contents: dict[str, NDArray[np.generic]]) -> str:
    """The file, and its SHA-256."""
    memory = io.BytesIO()
    np.savez_compressed(memory, allow_pickle=False, **contents)
    path.write_bytes(memory.getvalue())
    return hashlib.sha256(memory.getvalue()).hexdigest()
