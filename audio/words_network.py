"""The word ear's network in numpy: one utterance in, the log-odds of each word it knows.

It must never run on weights other than those whose figures the model card gives, and must never
see less of an utterance than it was trained on.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from audio.embedding import STEP, Floats, Layer, Mel, Top, Trunk
from audio.network import Weights, WeightsError, dense, normed, read, through, upper_layers
from audio.sound import Samples

WEIGHTS_SHA256: Final = "ee3511d7a4d96310065650333fab39982d910dce19c692e9ce54d9b9c0fad858"
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
TRAIN: Final = "make them with python -m training.words"


def trunk_rows(utterance: Samples) -> Floats:
    """All rows of an utterance and the silence before it, (LEAD_STEPS + n, 4, 72), n at least 1."""
    sound = utterance.astype(np.float32)
    sound = np.pad(sound, (LEAD_STEPS * STEP, max(0, STEP - len(sound))))
    return Trunk()(Mel()(sound[: len(sound) // STEP * STEP]))


def load(path: Path | None) -> Weights:
    """The arrays of a weights file; None means the one that ships. Raises WeightsError."""
    return read(path, "words.npz", WEIGHTS_SHA256, TRAIN)


class WordsNetwork:
    """All members of the committee; it keeps nothing between utterances."""

    def __init__(self, weights: Weights, fold: int | None = None) -> None:
        """Of a `fold` only the members that never met its people; None: all. Raises WeightsError
        when an array is missing."""
        try:
            self.words = tuple(str(word) for word in weights["words"])
            """What the values are of, in their order; the first is OTHER."""
            apart = [fold in (None, never_met) for never_met in weights["never_met"].tolist()]
            members = [number for number, chosen in enumerate(apart) if chosen]
            self._heads = [_Head(weights, number) for number in members]
            self._sets, self._used = upper_layers(weights, members)
        except KeyError as error:
            raise WeightsError(f"the weights lack {error}", TRAIN) from error

    def __call__(self, utterance: Samples) -> Floats:
        """Log-chances of all words, (words,): the committee's mean, not yet limited to a choice."""
        return self.judge(trunk_rows(utterance))

    def judge(self, rows: Floats) -> Floats:
        """The same from trunk rows."""
        first = LEAD_STEPS - 2 * (NEAR - 1)
        embedded = Top(self._sets)(rows[: LEAD_STEPS + MOST_STEPS])[:, first:]
        chances = [head(embedded[used]) for head, used in zip(self._heads, self._used, strict=True)]
        mean: Floats = np.mean(chances, axis=0, dtype=np.float32)
        return mean


class _Head:
    """One member: frames, what they have in common, and the words."""

    def __init__(self, weights: Weights, number: int) -> None:
        def layer(name: str) -> Layer:
            return dense(weights, f"{number}.{name}")

        self._mean, self._deviation = layer("spread")
        self._near, self._norm = layer("near"), layer("norm")
        self._look, self._middle, self._out = layer("look"), layer("middle"), layer("out")

    def __call__(self, embedded: Floats) -> Floats:
        """Embeddings (6 + n, 96), n at least 1, to log-chances (words,)."""
        scaled = (embedded - self._mean) / self._deviation
        count = len(scaled) - 2 * (NEAR - 1)
        near = np.concatenate([scaled[2 * k : 2 * k + count] for k in range(NEAR)], axis=1)
        hidden = normed(through(near, self._near), self._norm)
        weight = _softmax(through(hidden, self._look).T)
        pooled = np.concatenate([(weight @ hidden).ravel(), hidden.max(0), hidden.mean(0)])
        values = np.maximum(through(pooled, self._middle), 0)
        return np.log(np.maximum(_softmax(through(values, self._out)), 1e-9))


def _softmax(values: Floats) -> Floats:
    chances = np.exp(values - values.max(-1, keepdims=True))
    softmax: Floats = chances / chances.sum(-1, keepdims=True)
    return softmax


@cache
def shipped() -> WordsNetwork:
    """The one that ships, read once: it keeps nothing between utterances. Raises WeightsError."""
    return WordsNetwork(load(None))
