"""Hears the answer to a question when its words are known: yes, no, a number, a few commands.

One small network of ours on the packaged speech embedding, asked once an utterance. It must never
choose a word that was not asked for, and never be used unprompted: half of what it then says is
wrong. Safety words are the alarm ear's.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audio.alarm_network import WeightsError
from audio.cutter import Cutter
from audio.embedding import STEP, TRUNK_LAYERS, Floats, Layer, Mel, Top, Trunk, packaged_layers
from audio.sound import RATE, Samples

WEIGHTS_SHA256: Final = "unset"
"""Of weights/answers.npz; `python -m training.answers` prints it."""
LOOKS: Final = 8
"""Embeddings 80 ms apart, back from the utterance's end, that are looked at: 1.3 s."""
LEAD: Final = 16_000
"""Silence put before an utterance, so that a short one fills the looks."""
LEAST_SCORE: Final = 0.4
"""An answer less sure than this is none: better asked again than misunderstood."""
LAYERS: Final = ("first", "second", "out")
OTHER: Final = "other"
"""The class of everything that is no answer."""


@dataclass(frozen=True)
class Answer:
    """One of the expected words. `score` is 0 to 1, `at` seconds of audio consumed."""

    text: str
    score: float
    at: float


class PromptedEar:
    """One microphone's ear for answers. Blocks in, at most one answer an utterance out."""

    def __init__(self, weights: Path | None = None, least: float = LEAST_SCORE) -> None:
        """`weights` None means those that ship. Raises WeightsError and EmbeddingError."""
        arrays = _read(weights)
        self._order = [str(word) for word in arrays["words"]]
        self.words = frozenset(self._order) - {OTHER}
        """All words it could be asked for."""
        self._mean, self._deviation = _floats(arrays["mean"]), _floats(arrays["deviation"])
        self._layers = [_dense(arrays, name) for name in LAYERS]
        self._least = least
        self._expected: frozenset[str] = frozenset()
        self.reset()

    def expect(self, words: frozenset[str]) -> None:
        """Choose among these only; none means that nothing is answered."""
        self._expected = words & self.words

    def reset(self) -> None:
        """Forget the sound so far, and the time."""
        self._cutter = Cutter()
        self._heard = 0

    def hear(self, block: Samples) -> list[Answer]:
        """The answer that this block ends, if it ends one: int16, mono, 16 kHz."""
        self._heard += len(block)
        utterance = self._cutter.hear(block)
        answer = None if utterance is None else self.read(utterance)
        return [] if answer is None else [answer]

    def read(self, utterance: Samples) -> Answer | None:
        """What this utterance answers; None when it is none of the expected words."""
        if not self._expected:
            return None
        logits = self._logits(looks(utterance))
        allowed = [self._order.index(word) for word in (*sorted(self._expected), OTHER)]
        chances = np.exp(logits[allowed] - logits[allowed].max())
        chances /= chances.sum()
        best = int(np.argmax(chances[:-1]))
        if chances[best] < self._least:
            return None
        return Answer(self._order[allowed[best]], float(chances[best]), self._heard / RATE)

    def _logits(self, seen: Floats) -> Floats:
        values = (seen - self._mean) / self._deviation
        for kernel, bias in self._layers[:-1]:
            values = np.maximum(values @ kernel + bias, 0)
        kernel, bias = self._layers[-1]
        return np.asarray(values @ kernel + bias, np.float32)


def looks(utterance: Samples) -> Floats:
    """What the network sees of an utterance: LOOKS embeddings, (LOOKS x 96,)."""
    sound = np.concatenate([np.zeros(LEAD, np.int16), utterance]).astype(np.float32)
    sound = sound[len(sound) % STEP :]
    (embedded,) = Top([packaged_layers()[TRUNK_LAYERS:]])(Trunk()(Mel()(sound)))
    return np.asarray(embedded[-1 - 2 * (LOOKS - 1) :: 2].ravel(), np.float32)


def _dense(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Layer:
    kernel = _floats(arrays[f"{name}.kernel"]) * _floats(arrays[f"{name}.step"])
    return kernel, _floats(arrays[f"{name}.bias"])


def _floats(array: NDArray[np.generic]) -> Floats:
    return array.astype(np.float32)


def _read(path: Path | None) -> Mapping[str, NDArray[np.generic]]:
    name = path or files("audio").joinpath("weights", "answers.npz")
    try:
        data = name.read_bytes()
    except OSError as error:
        raise WeightsError(f"{name}: {error.strerror}", "install unknot again") from error
    if path is None and hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise WeightsError(f"{name} was altered", "install unknot again")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}
