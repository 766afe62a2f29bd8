"""Looks a second time at what the alarm ear suspects or half suspects, with both word readers.

They learned from other recordings to tell other things apart: the word ear's network knows "off"
and "go" as words of their own, the transcriber knows English. It must never take a suspicion back,
and never look later than a fifth of a second after it: who is not obeyed says it again.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from audio.embedding import STEP, Floats
from audio.network import likelihood
from audio.sound import RATE, Samples, resampled, to_int16
from audio.spelling import Spelling, Tokens
from audio.words_network import LEAD_STEPS
from intents.spotter import BARS

HALF: Final = -2.0
"""Log-odds from which a sound is looked at; the ear suspects it from 0."""
LATER_STEPS: Final = 5
"""Steps of 40 ms from then to the look: then nearly every word is over."""
SHOWN_STEPS: Final = 28
"""Steps that the network is shown: 1.1 s, a word and some of what was before it."""
HEARD_STEPS: Final = 37
"""Steps that the transcriber is given: 1.5 s."""
HASTY_RATE: Final = round(1.1 * RATE)
"""It is given them as if they had been recorded at this rate: a tenth faster, and higher."""
NEARLY: Final = -1.0
"""From these log-odds of the ear's on the transcriber listens a second time, to SHOWN_STEPS as they
were said. The mean of what two listenings find errs less than either (audio/weights/MODEL_CARD.md);
below, the second would cost more often than it helps."""
APART_STEPS: Final = 7
"""A sound that goes on is looked at anew after more than so many steps."""
WEIGHT: Final = 0.25
"""Share of the network's log-odds that counts. Three lengths, four times and weights from 0.2 to 1
were tried on people never met: these are among the best (audio/weights/MODEL_CARD.md)."""
WRITTEN_WEIGHT: Final = 1.6
"""The same of the transcriber's, set by its table and by a bark that must not halt."""
UNLIKELY: Final = -5.0
"""The network's log-odds that add nothing; of other people's words that are suspected half are
below -4.3, of people's "stop" one in ten is below -3.5."""
NOT_WRITTEN: Final = -6.5
"""The same of the transcriber's."""
LIKELY: Final = 6.0
"""Log-odds above this count as this."""
KEPT_ROWS: Final = LEAD_STEPS + SHOWN_STEPS
RIVALS: Final = (
    "yes no zero one two three four five six seven eight nine go off on up down left right"
)
"""Words that many people recorded: where one of these is likelier, the network adds nothing. Of
other rivals it knows too little to speak against a safety word."""
RIVALLED: Final = 0.6
"""Share of what the transcriber adds that counts then: with all of it more short words and barks
halt, with half of it fewer of people's words across a room and over music are sure."""
UNWRITTEN: Final = frozenset({"pause"})
"""What the transcriber is not asked for: "balls" is written as "pulse", which is near to it, and
who really says "pause" is read by the word ear a moment later."""
READ_AS: Final = {"start": "start neck massage"}
"""The alarm ear's words that the readers have under another name."""


def is_sure(odds: Floats) -> bool:
    """The ear is sure by itself: nobody need look."""
    return bool(likelihood(odds) >= BARS["alarm"].high)


class Reader(Protocol):
    """A words network."""

    @property
    def words(self) -> tuple[str, ...]:
        """What the log-chances are of."""

    def judge(self, rows: Floats) -> Floats:
        """Trunk rows (n, 4, 72) to log-chances (words,)."""


class Page(Protocol):
    """Sound that a transcriber listened to."""

    def chances(self, spelling: Spelling) -> Floats:
        """Log-chances (phrases,)."""


class Writer(Protocol):
    """A transcriber."""

    @property
    def tokens(self) -> Tokens:
        """What it spells with."""

    def listen(self, sound: Samples) -> Page:
        """Listen to some sound."""


class SecondLook:
    """One stream's suspicions and what became of them."""

    def __init__(self, reader: Reader, writer: Writer, words: Sequence[str]) -> None:
        """`words` are those of the alarm ear's log-odds, in their order."""
        self._reader, self._writer = reader, writer
        named = [READ_AS.get(word, word) for word in words]
        self._columns = [reader.words.index(name) for name in named]
        self._rivals = [
            column for column, word in enumerate(reader.words) if word in RIVALS.split()
        ]
        wordings = [(name, name.capitalize()) for name in named]
        self._spelt = [Spelling(writer.tokens, [each]) for each in wordings]
        self._unwritten = [word in UNWRITTEN for word in words]
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._rows: Floats | None = None
        self._odds: Floats | None = None
        self._sound = np.zeros(0, np.int16)
        self._since = np.full(len(self._columns), -APART_STEPS - 1)
        """Steps, counted from the next call's first, at which each word was last suspected."""

    def __call__(self, rows: Floats, odds: Floats, sound: Samples) -> Floats:
        """Rows (n, 4, 72), the ear's calibrated log-odds (n, words) and the sound (n * STEP,) that
        they are of, to log-odds that are higher where a second look found the word too."""
        if self._rows is None or self._odds is None:
            self._rows = np.repeat(rows[:1], KEPT_ROWS, 0)
            self._odds = np.repeat(np.full_like(odds[:1], -np.inf), HEARD_STEPS, 0)
            self._sound = np.zeros(HEARD_STEPS * STEP, np.int16)
        known_rows = np.concatenate([self._rows, rows])
        known_odds = np.concatenate([self._odds, odds])
        known_sound = np.concatenate([self._sound, sound])
        raised = odds.copy()
        for step, word in self._due(odds):
            lately = known_odds[step + 1 : step + 1 + HEARD_STEPS, word]
            # Once it was sure, by itself or by a look, what fades is that word and no other.
            if not is_sure(lately.max()):
                best = lately[-1 - LATER_STEPS :].max()
                shown = known_rows[step + 1 : step + 1 + KEPT_ROWS]
                heard = known_sound[(step + 1) * STEP : (step + 1 + HEARD_STEPS) * STEP]
                seen, rivalled = self._seen(shown, word)
                said = self._written(heard, word, best) * (RIVALLED if rivalled else 1.0)
                raised[step, word] = lately[-1] = best + seen + said
        self._rows, self._odds = known_rows[-KEPT_ROWS:], known_odds[-HEARD_STEPS:]
        self._sound = known_sound[-HEARD_STEPS * STEP :]
        return raised

    def _due(self, odds: Floats) -> list[tuple[int, int]]:
        """Steps of this call at which it is time to look, and for which word."""
        waits = self._since + LATER_STEPS
        if not ((waits >= 0) & (waits < len(odds))).any() and odds.max() < HALF:
            self._since -= len(odds)
            return []
        due = []
        for word, track in enumerate(odds.T):
            suspected = [int(self._since[word])]
            for step in np.flatnonzero(track >= HALF):
                if step - suspected[-1] > APART_STEPS:
                    suspected.append(int(step))
            steps = (step + LATER_STEPS for step in suspected)
            due += [(step, word) for step in steps if 0 <= step < len(track)]
            self._since[word] = suspected[-1] - len(track)
        return due

    def _seen(self, rows: Floats, word: int) -> tuple[float, bool]:
        """What the network adds to the log-odds of a word, at least nothing; and whether another
        one is likelier."""
        chances = np.exp(self._reader.judge(rows).astype(np.float64))
        chances /= chances.sum()
        share = chances[self._columns[word]]
        if (chances[self._rivals] > share).any():
            return 0.0, True
        return WEIGHT * _above(float(share), UNLIKELY), False

    def _written(self, sound: Samples, word: int, best: float) -> float:
        """What the transcriber adds to the ear's `best` log-odds of a word, at least nothing."""
        if self._unwritten[word]:
            return 0.0
        shares = [self._share(_hastened(sound), word)]
        if best >= NEARLY:
            shares.append(self._share(sound[-SHOWN_STEPS * STEP :], word))
        return WRITTEN_WEIGHT * _above(sum(shares) / len(shares), NOT_WRITTEN)

    def _share(self, sound: Samples, word: int) -> float:
        """The transcriber's chance of a word, 0 to 1."""
        return float(np.exp(self._writer.listen(sound).chances(self._spelt[word])[0]))


def _hastened(sound: Samples) -> Samples:
    """The same, said a tenth faster."""
    return to_int16(resampled(sound.astype(np.float32) / 32768.0, HASTY_RATE))


def _above(share: float, least: float) -> float:
    """How far the log-odds of a share, 0 to 1, are above the least that count."""
    odds = np.log(max(share, 1e-9) / max(1 - share, 1e-9))
    return float(np.clip(odds, least, LIKELY) - least)
