"""Sets the bars of each word by its false rates in talk: a scale and an offset of its log-odds.

It must never look at a recording in which the word is said: a bar is no matter of who is heard.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audio.embedding import Floats
from audio.second_look import LATER_STEPS
from intents.spotter import BARS
from training.clips import WORDS
from training.judging import RATE, Judged, Looks, Track, firings, halts, verdicts
from training.material import NOT_TALK

AN_HOUR = {
    "stop": (55.0, 5.0),
    "dizzy": (12.0, 3.0),
    "tingling": (12.0, 3.0),
    "pause": (20.0, 6.0),
    "start": (3.0, 1.5),
}
"""False suspicions and false halts an hour of other people's talk at which the low and the high bar
are set, the spotter's other rules counted in: more where a false one costs less."""
LOW_ODDS, HIGH_ODDS = (
    float(np.log(bar / (1 - bar))) for bar in (BARS["alarm"].low, BARS["alarm"].high)
)


def of_all_words(judged: list[Judged], looks: Looks) -> tuple[Floats, Floats]:
    """Scale and offset for each word's log-odds that put its two rates at the spotter's bars."""
    fitted = [fit(judged, looks, number) for number in range(len(WORDS))]
    scales, offsets = zip(*fitted, strict=True)
    return np.array(scales, np.float32), np.array(offsets, np.float32)


def fit(judged: list[Judged], looks: Looks, number: int) -> tuple[float, float]:
    """The same for one word."""
    talk = [item for item in judged if not item.stream.word and item.stream.kind not in NOT_TALK]
    hours = sum(item.stream.end for item in talk) / RATE / 3600
    suspect, sure = (rate * hours for rate in AN_HOUR[WORDS[number]])
    tracks = [item.odds[:, number] for item in talk]
    alone = _bar(lambda bar: sum(halts(firings(t, bar)) for t in tracks), suspect, -8.0, 16.0)
    looked = [_Looked.at(item, looks, number, *_fitted(alone, alone + USUAL)) for item in talk]

    def wrong(low: float, high: float, level: str) -> int:
        made = (item.odds(*_fitted(low, high)) for item in looked)
        if level == "suspect":
            return sum(halts(firings(track, LOW_ODDS)) for track in made)
        return sum(halts(verdicts(track, WORDS[number])[level]) for track in made)

    # The second look only adds suspicions: the bar is above that of the ear by itself.
    low = _bar(lambda bar: wrong(bar, bar + USUAL, "suspect"), suspect, alone, alone + 2)
    high = _bar(lambda bar: wrong(low, bar, "confirmed"), sure, low + 0.5, low + 12)
    return _fitted(low, high)


USUAL = 2.4
"""How far apart the two bars are, as long as the high one is not known."""


@dataclass(frozen=True)
class _Looked:
    """One word in one stream as the ear gives it, and what the second look adds at some steps.

    Where it looks moves a little with the bars. That is left out here, because every look costs a
    listening; the table that is printed has it.
    """

    track: Track
    steps: NDArray[np.int64]
    best: Track
    added: Track

    @classmethod
    def at(cls, item: Judged, looks: Looks, number: int, scale: float, offset: float) -> "_Looked":
        """Look where these bars make it look."""
        track = item.odds[:, number]
        fitted = track * scale + offset
        raised = looks.track(replace(item, odds=item.odds * scale + offset), number)
        steps = np.flatnonzero(raised > fitted)
        spans = [slice(max(0, step - LATER_STEPS), step + 1) for step in steps]
        best = np.array([track[span].max() for span in spans], np.float32)
        return cls(track, steps, best, raised[steps] - (best * scale + offset))

    def odds(self, scale: float, offset: float) -> Track:
        """Calibrated log-odds, the look's share in them."""
        made: Track = self.track * scale + offset
        made[self.steps] = np.maximum(made[self.steps], self.best * scale + offset + self.added)
        return made


def _fitted(low: float, high: float) -> tuple[float, float]:
    scale = (HIGH_ODDS - LOW_ODDS) / max(high - low, 0.1)
    return scale, LOW_ODDS - scale * low


def _bar(wrong: Callable[[float], int], most: float, low: float, high: float) -> float:
    """The lowest bar between `low` and `high` at which at most so many halts are false."""
    for _ in range(12):
        middle = (low + high) / 2
        if wrong(middle) > most:
            low = middle
        else:
            high = middle
    return high
