"""Writes trained committees as the weights file that ships.

Kernels are rounded to 7 bits with one step a column, so that a committee fits into a megabyte. It
must never write what `audio.network` cannot read.
"""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.clips import WORDS

DENSE = ("near", "middle", "far", "far2", "out")


LEVELS = 63
"""A kernel's largest value in whole steps: seven bits, that a megabyte may hold all members."""


def arrays(members: list[Any], scale: Any, offset: Any) -> dict[str, NDArray[np.generic]]:
    """The contents of a weights file. A member may have a `share` in the committee (else 1)."""
    shares = np.array([member.get("share", 1.0) for member in members], np.float32)
    out: dict[str, NDArray[np.generic]] = {
        "words": np.array(WORDS),
        "members": np.array(len(members)),
        "shares": shares / shares.sum(),
        "scale": np.asarray(scale, np.float32),
        "offset": np.asarray(offset, np.float32),
    }
    for number, member in enumerate(members):
        out |= whole(number, member, DENSE)
    return out


def whole(number: int, member: Any, layers: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Everything of one member; `layers` are those of its head."""
    out = upper_layers(number, member)
    for name in layers:
        out |= dense(f"{number}.{name}", member[name])
    spread, norm = member["spread"], member["norm"]
    out[f"{number}.spread.kernel"] = np.asarray(spread["mean"], np.float32)
    out[f"{number}.spread.bias"] = np.asarray(spread["deviation"], np.float32)
    out[f"{number}.norm.kernel"] = np.asarray(norm["kernel"], np.float32)
    out[f"{number}.norm.bias"] = np.asarray(norm["bias"], np.float32)
    return out


def upper_layers(number: int, member: Any) -> dict[str, NDArray[np.generic]]:
    """A member's own upper layers; one whose upper layers are the packaged ones brings none."""
    out: dict[str, NDArray[np.generic]] = {}
    for index, layer in enumerate([] if member["packaged"] else member["top"]):
        out |= dense(f"{number}.top{index}", layer)
    return out


def dense(name: str, layer: Any) -> dict[str, NDArray[np.generic]]:
    """One layer, its kernel rounded."""
    kernel = np.asarray(layer["kernel"])
    step = np.maximum(np.abs(kernel).max(0), 1e-8) / LEVELS
    return {
        f"{name}.kernel": np.round(kernel / step).astype(np.int8),
        f"{name}.step": step.astype(np.float32),
        f"{name}.bias": np.asarray(layer["bias"], np.float32),
    }


def write(path: Path, contents: dict[str, NDArray[np.generic]]) -> str:
    """The file, and its SHA-256."""
    memory = io.BytesIO()
    np.savez_compressed(memory, allow_pickle=False, **contents)
    path.write_bytes(memory.getvalue())
    return hashlib.sha256(memory.getvalue()).hexdigest()
