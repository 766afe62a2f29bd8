"""Looks a second time at what the alarm ear suspects, with the word ear's network.

The two networks learned from different recordings to tell different things apart: this one knows
"off" and "go" as words of their own. It must never take a suspicion back, and never look later than
a fifth of a second after it: who is not obeyed says it again.
"""

from typing import Final, Protocol

import numpy as np

from audio.embedding import Floats
from audio.network import likelihood
from audio.words_network import LEAD_STEPS
from intents.spotter import BARS

LATER_STEPS: Final = 5
"""Steps of 40 ms from the suspicion to the look: then nearly every word is over."""
SHOWN_STEPS: Final = 28
"""Steps that are looked at: 1.1 s, a word and some of what was before it."""
APART_STEPS: Final = 7
"""A sound that goes on is suspected anew after more than so many steps."""
WEIGHT: Final = 0.25
"""Share of the network's log-odds that counts. Three lengths, four times and weights from 0.2 to 1
were tried on people never met: these are among the best (audio/weights/MODEL_CARD.md)."""
UNLIKELY: Final = -5.0
"""Log-odds that add nothing; of other people's words that are suspected half are below -4.3, of
people's "stop" one in ten is below -3.5."""
LIKELY: Final = 6.0
"""Log-odds above this count as this."""
KEPT_ROWS: Final = LEAD_STEPS + SHOWN_STEPS
RIVALS: Final = (
    "yes no zero one two three four five six seven eight nine go off on up down left right"
)
"""Words that many people recorded: where one of these is likelier, the look adds nothing. Of other
rivals the network knows too little to speak against a safety word."""
READ_AS: Final = {"start": "start neck massage"}
"""The alarm ear's words that the other network has under another name."""


def is_sure(odds: Floats) -> bool:
    """The ear is sure by itself: nobody need look."""
    return bool(likelihood(odds) >= BARS["alarm"].high)


class Reader(Protocol):
    """What looks: a words network."""

    @property
    def words(self) -> tuple[str, ...]:
        """What the log-chances are of."""

    def judge(self, rows: Floats) -> Floats:
        """Trunk rows (n, 4, 72) to log-chances (words,)."""


class SecondLook:
    """One stream's suspicions and what became of them."""

    def __init__(self, reader: Reader, words: tuple[str, ...]) -> None:
        """`words` are those of the alarm ear's log-odds, in their order."""
        self._reader = reader
        self._columns = [reader.words.index(READ_AS.get(word, word)) for word in words]
        self._rivals = [
            column for column, word in enumerate(reader.words) if word in RIVALS.split()
        ]
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._rows: Floats | None = None
        self._odds: Floats | None = None
        self._since = np.full(len(self._columns), -APART_STEPS - 1)
        """Steps, counted from the next call's first, at which each word was last suspected."""

    def __call__(self, rows: Floats, odds: Floats) -> Floats:
        """Rows (n, 4, 72) and the ear's calibrated log-odds (n, words) to log-odds that are higher
        where a second look found the word too."""
        if self._rows is None or self._odds is None:
            self._rows = np.repeat(rows[:1], KEPT_ROWS, 0)
            self._odds = np.repeat(np.full_like(odds[:1], -np.inf), LATER_STEPS, 0)
        known_rows = np.concatenate([self._rows, rows])
        known_odds = np.concatenate([self._odds, odds])
        raised = odds.copy()
        for step, word in self._due(odds):
            shown = known_rows[step + 1 : step + 1 + KEPT_ROWS]
            best = known_odds[step : step + 1 + LATER_STEPS, word].max()
            if not is_sure(best):
                raised[step, word] = best + self._found(shown, word)
        self._rows, self._odds = known_rows[-KEPT_ROWS:], known_odds[-LATER_STEPS:]
        return raised

    def _due(self, odds: Floats) -> list[tuple[int, int]]:
        """Steps of this call at which it is time to look, and for which word."""
        due = []
        for word, track in enumerate(odds.T):
            suspected = [int(self._since[word])]
            for step in np.flatnonzero(track >= 0):
                if step - suspected[-1] > APART_STEPS:
                    suspected.append(int(step))
            steps = (step + LATER_STEPS for step in suspected)
            due += [(step, word) for step in steps if 0 <= step < len(track)]
            self._since[word] = suspected[-1] - len(track)
        return due

    def _found(self, rows: Floats, word: int) -> float:
        """What the look adds to the log-odds of a word, at least nothing."""
        chances = np.exp(self._reader.judge(rows).astype(np.float64))
        chances /= chances.sum()
        share = chances[self._columns[word]]
        if (chances[self._rivals] > share).any():
            return 0.0
        odds = np.log(max(share, 1e-9) / max(1 - share, 1e-9))
        return float(WEIGHT * (np.clip(odds, UNLIKELY, LIKELY) - UNLIKELY))
