"""A second opinion on "stop": microWakeWord's stop word, where somebody installed it.

It must never be needed, never be suspicious or sure by itself (the spotter only lets it agree with
another ear), and never run a file that is not the pinned one.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from audio.errors import NotFit
from audio.models import catalogue, difference
from audio.sound import BLOCK, RATE, Samples
from intents.intent import Intent
from intents.spotter import Clue, ClueKind

PACKAGE: Final = "pymicro_wakeword"
REMEDY: Final = "run: unknot model install --second-ear"
PACKAGE_REMEDY: Final = "run: pip install 'unknot[second-ear]'"
WINDOW: Final = 5
"""Scores that are averaged, each of 30 ms: as its authors ship it."""
CLUE_FROM: Final = 0.2
"""Scores below this are no clue to anything."""
WARM_SECONDS: Final = 1.0
"""Begun anew it fires at its own beginning: this much hiss counts for nothing."""
_CHUNK: Final = BLOCK // 2


class SecondEar:
    """One microphone's second ear. Blocks in, clues out; time is counted in samples heard."""

    def __init__(self, file: Path) -> None:
        """Load it. Raises `NotFit` where the file or the package is missing or another one."""
        if trouble := difference(file, catalogue().second_ear):
            raise NotFit(f"{file}: {trouble}", REMEDY)
        if not package_is_there():
            raise NotFit("the second ear needs the package pymicro-wakeword", PACKAGE_REMEDY)
        import pymicro_wakeword
        from pymicro_wakeword import microwakeword

        library = next(Path(microwakeword.__file__).with_name("lib").glob("*tensorflowlite_c.*"))
        self._features = pymicro_wakeword.MicroWakeWordFeatures()
        self._net = pymicro_wakeword.MicroWakeWord(
            id="stop",
            wake_word="stop",
            tflite_model=file,
            probability_cutoff=0.5,
            sliding_window_size=WINDOW,
            trained_languages=["en"],
            libtensorflowlite_c_path=library,
        )
        self.reset()

    def hear(self, block: Samples) -> list[Clue]:
        """The clues in the next block of 20 ms."""
        self._heard += len(block)
        score = max(self._scores(block), default=0.0)
        if not score >= CLUE_FROM:
            return []
        at = self._heard / RATE
        return [Clue("second", ClueKind.SCORE, Intent.STOP, score, at, Intent.STOP.value)]

    def enrol(self, on: bool) -> None:
        """It learns nobody's voice."""

    def reset(self) -> None:
        """Forget the sound so far, and the time."""
        self._heard = 0
        self._features.reset()
        self._net.reset()
        hiss = np.random.default_rng(0).integers(-8, 9, round(WARM_SECONDS * RATE))
        self._scores(hiss.astype(np.int16))

    def _scores(self, sound: Samples) -> list[float]:
        """In chunks of 10 ms, which is what its features are made from."""
        return [
            self._net.process_streaming_prob(features) or 0.0
            for at in range(0, len(sound), _CHUNK)
            for features in self._features.process_streaming(sound[at : at + _CHUNK].tobytes())
        ]


def package_is_there() -> bool:
    """Whether the package that runs it is installed; it is not loaded."""
    return find_spec(PACKAGE) is not None
