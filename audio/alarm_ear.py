"""Hears a handful of safety words by their sound, whatever recogniser there is.

Sound -> speech embedding (its upper layers are ours) -> small network -> a score for each word,
which a second look may raise. It must never halt by itself (the spotter weighs its clues), never
miss the beginning of a word because it slept, and never keep sound longer than the words need.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from audio import transcriber, words_network
from audio.alarm_network import Network, load
from audio.embedding import STEP, Floats, Mel, Trunk
from audio.network import likelihood
from audio.quiet import Quiet
from audio.second_look import Reader, SecondLook, Writer
from audio.sound import Samples
from intents.intent import Intent
from intents.spotter import Clue, ClueKind

RATE: Final = 16_000
MEANINGS: Final = {
    "stop": Intent.STOP,
    "dizzy": Intent.DIZZY,
    "tingling": Intent.TINGLING,
    "pause": Intent.PAUSE,
    "start": Intent.START,
}
"""The weights' words; `start` is the phrase "start neck massage"."""
CLUE_FROM: Final = 0.2
"""Scores below this are no clue to anything."""
LIKE_A_WORD: Final = -4.0
"""Log-odds from which each step of 40 ms is worked through as it comes."""
PATIENT_STEPS: Final = 3
"""So many are worked through at once while nothing is like a word: it is calls that cost
(bench/hearing_costs.py). More would make a word that begins suddenly late."""
SAMPLES: Final = 5
"""Samples of one person's "stop" that are kept at most."""
ALIKE: Final = 3.0
"""Log-odds that full likeness to a sample adds to "stop"; none below SOMEWHAT_ALIKE."""
SOMEWHAT_ALIKE: Final = 0.3


class AlarmEar:
    """One microphone's alarm ear. Blocks in, clues out; time is counted in samples heard."""

    def __init__(
        self,
        weights: Path | None = None,
        reader: Reader | None = None,
        writer: Writer | None = None,
    ) -> None:
        """`weights`, `reader` and `writer`, who look a second time: None means those that ship.

        Raises WeightsError, EmbeddingError and TranscriberError.
        """
        self._network = Network(load(weights))
        self._look = SecondLook(
            reader or words_network.shipped(),
            writer or transcriber.shipped(),
            self._network.words,
        )
        self._samples: list[Floats] = []
        self._enrolling = False
        self._known = 0
        """Samples of the waiting sound whose words were told before."""
        self._hasty = False
        """Something is like a word: it is to be known at once whether it is one."""
        self._waiting: Floats = np.zeros(0, np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far, and the time; the person's samples stay."""
        self._heard = 0
        self._known = 0
        self._quiet = Quiet()
        self._best: tuple[float, Floats] | None = None
        self._wake()

    def hear(self, block: Samples) -> list[Clue]:
        """The clues in the next block: int16, mono, 16 kHz, of any length."""
        sound = _usable(block)
        self._heard += len(sound)
        passed = self._quiet.let_through(sound)
        if passed.anew:
            self._wake()
            self._known = passed.known
        self._waiting = np.concatenate([self._waiting, passed.sound])
        steps = len(self._waiting) // STEP
        asleep = not len(passed.sound)
        if not steps or not (steps >= PATIENT_STEPS or self._hasty or asleep):
            return []
        worked, self._waiting = np.split(self._waiting, [steps * STEP])
        rows = self._trunk(self._mel(worked))
        windows, odds = self._network(rows)
        told = min(self._known // STEP, len(odds))
        self._known -= told * STEP
        scores = self._scores(windows, odds, told)
        self._hasty = bool(scores[-1].max() >= LIKE_A_WORD)
        return self._clues(likelihood(self._look(rows, scores, worked.astype(np.int16))))

    def enrol(self, on: bool) -> None:
        """On: the next "stop" becomes a sample of this person's voice, in memory only. Off: forget
        every sample."""
        self._enrolling, self._best = on, None
        if not on:
            self._samples.clear()

    def _wake(self) -> None:
        self._mel, self._trunk = Mel(), Trunk()
        self._network.reset()
        self._look.reset()
        self._hasty = False
        self._waiting = np.zeros(0, np.float32)

    def _scores(self, windows: Floats, odds: Floats, told: int) -> Floats:
        """The log-odds with the person's own sample; the first `told` steps were told before."""
        stop = self._network.words.index("stop")
        helped = odds.copy()
        helped[:told] = -np.inf
        for step in range(told, len(odds)):
            self._enrol_this(windows[step], float(odds[step, stop]))
            helped[step, stop] += likeness(windows[step], self._samples)
        return helped

    def _clues(self, scores: Floats) -> list[Clue]:
        """One clue for each word and step whose score is worth telling."""
        return [
            self._clue(word, score)
            for step in scores.tolist()
            for word, score in zip(self._network.words, step, strict=True)
            if score >= CLUE_FROM
        ]

    def _clue(self, word: str, score: float) -> Clue:
        at = (self._heard - len(self._waiting)) / RATE
        return Clue("alarm", ClueKind.SCORE, MEANINGS[word], score, at, word)

    def _enrol_this(self, window: Floats, odds: float) -> None:
        """While a sample is wanted: the window where the word was clearest, once it is over."""
        if not self._enrolling:
            return
        if odds >= 0.0 and (self._best is None or odds > self._best[0]):
            self._best = (odds, window)
        elif odds < 0.0 and self._best is not None:
            self._samples = [*self._samples, self._best[1]][-SAMPLES:]
            self._best, self._enrolling = None, False


def _usable(block: Samples) -> Floats:
    """As floats without what is not a number, from one channel."""
    sound = np.asarray(block).reshape(-1)
    if sound.dtype == np.int16:
        return sound.astype(np.float32)
    return np.nan_to_num(sound.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def likeness(window: Floats, samples: Sequence[Floats]) -> float:
    """What the likeness of a window (384,) to the person's own "stop" adds to its log-odds."""
    if not samples:
        return 0.0
    alike = max(_cosine(window, sample) for sample in samples)
    return ALIKE * max(0.0, alike - SOMEWHAT_ALIKE) / (1 - SOMEWHAT_ALIKE)


def _cosine(one: Floats, other: Floats) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0
