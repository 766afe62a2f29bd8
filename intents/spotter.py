"""Turns clues from the ears into "perhaps a safety word" and "surely one", by one table of rules.

It must never filter a safety word by what the program says or by what it expects, and it must never
let one sound count twice: the rules are below, the times are arguments, nothing is awaited.

| what is heard                                                     | then      |
|-------------------------------------------------------------------|-----------|
| a score at the low bar (not the second ear's), or the word in a   |           |
| partial                                                           | suspect   |
| a score at the high bar                                           | confirmed |
| the word in partials for 320 ms                                   | confirmed |
| the word in a final                                               | confirmed |
| two ears, each at least suspicious, within 0.5 s                  | confirmed |
| a second suspicious sound of the same kind within 4 s, when their |           |
| scores together are worth enough (text counts in full)            | confirmed |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal

from intents.intent import SAFETY, Intent

HELD_SECONDS = 0.32
"""A word that stands this long in partials is no passing guess (docs/facts.md A1.3)."""
TOGETHER_SECONDS = 0.5
"""Two ears that suspect the same kind of word within this time agree."""
AGAIN_SECONDS = 4.0
"""People say it again when they are not obeyed."""
AGAIN_WORTH = 1.5
"""What the scores of two such sounds must add up to: two that just reach the low bar are too often
two of other people's words (measured by python -m training)."""
GAP_SECONDS = 0.3
"""A silence of the ear shorter than this belongs to the same sound."""
ECHO_SECONDS = 1.2
"""A final this soon after the word last stood is the same word, not a second one."""

EarName = Literal["alarm", "words", "second", "vote"]
"""`second` is another ear for sounds, `vote` a word ear so poor that its short words only vote."""


class ClueKind(Enum):
    """What an ear offers as evidence."""

    SCORE = "score"
    """A likelihood 0 to 1 that the word has just been said; offered while it stands."""
    PARTIAL = "partial"
    """The word is in the unfinished text; offered as long as it is."""
    FINAL = "final"
    """The word is in a finished utterance."""


@dataclass(frozen=True)
class Clue:
    """One ear's evidence for one intent. `at` is seconds of audio consumed, `score` is 0 to 1."""

    ear: EarName
    kind: ClueKind
    intent: Intent
    score: float
    at: float
    text: str


@dataclass(frozen=True)
class Verdict:
    """What the clues add up to. Each sound gives at most one of each level."""

    level: Literal["suspect", "confirmed"]
    intent: Intent
    text: str
    ear: EarName
    at: float


@dataclass(frozen=True)
class Bars:
    """Scores from which an ear is suspicious (`low`) and sure (`high`; above 1 is never)."""

    low: float
    high: float


BARS: Mapping[EarName, Bars] = MappingProxyType(
    {
        "alarm": Bars(0.5, 0.9),
        "words": Bars(0.0, 2.0),
        "second": Bars(0.5, 2.0),
        "vote": Bars(0.5, 2.0),
    }
)
"""The alarm ear's scores are calibrated to these bars in training (audio/weights/MODEL_CARD.md).
The word ear's scores are not asked: its confidence is worthless.
The second ear and a poor one only vote."""

ONLY_AGREES: EarName = "second"
"""An ear whose suspicion alone is none: it is suspicious in other people's talk many times as often
as the alarm ear (`bench/hearing.py`), and of few words that the alarm ear lets pass."""

NEVER_SUSPECT = frozenset({Intent.START})
"""Intents that nothing is paused for: they count only when they are sure."""


@dataclass
class _Sound:
    """One uninterrupted sound that one ear takes for one intent."""

    began: float
    last: float
    worth: float = 0.0
    """The best score so far; 1 where the ear read text."""
    suspected: bool = False
    """It is one to repeat."""
    confirmed: bool = False


class Spotter:
    """Weighs clues in the order of their times; it has no clock and forgets by `at` alone."""

    def __init__(self, bars: Mapping[EarName, Bars] = BARS) -> None:
        self._bars = bars
        self._sounds: dict[tuple[EarName, Intent], _Sound] = {}
        self._past: dict[str, _Sound] = {}

    def hear(self, clue: Clue) -> list[Verdict]:
        """The verdicts that this clue brings: none, suspect, confirmed, or both in that order."""
        if not self._is_suspicious(clue):
            return []
        sound = self._sound(clue)
        alone = clue.ear != ONLY_AGREES
        if alone:
            sound.worth = max(sound.worth, clue.score if clue.ear == "alarm" else 1.0)
        verdicts = []
        told = sound.suspected or sound.confirmed
        if alone and not told and clue.intent not in NEVER_SUSPECT:
            verdicts.append(_verdict("suspect", clue))
        sure = self._is_sure(clue, sound)
        if sure and not sound.confirmed:
            verdicts.append(_verdict("confirmed", clue))
        sound.suspected, sound.confirmed = alone, sound.confirmed or sure
        sound.last = clue.at
        return verdicts

    def lost(self, ear: EarName, intent: Intent) -> None:
        """The ear's partial no longer holds the word: its time held starts anew."""
        sound = self._sounds.pop((ear, intent), None)
        if sound is not None and sound.suspected:
            self._past[_kind(intent)] = sound

    def reset(self) -> None:
        """Forget everything heard."""
        self._sounds.clear()
        self._past.clear()

    def _is_suspicious(self, clue: Clue) -> bool:
        if clue.kind is not ClueKind.SCORE:
            return True
        # Written so that a score that is not a number is not suspicious.
        return clue.score >= self._bars[clue.ear].low

    def _sound(self, clue: Clue) -> _Sound:
        """The sound that this clue belongs to: the one that still lasts, or a new one."""
        key = (clue.ear, clue.intent)
        sound = self._sounds.get(key)
        gap = GAP_SECONDS if clue.kind is ClueKind.SCORE else ECHO_SECONDS
        if sound is not None and clue.at - sound.last <= gap:
            return sound
        if sound is not None and sound.suspected:
            self._past[_kind(clue.intent)] = sound
        self._sounds[key] = _Sound(clue.at, clue.at)
        return self._sounds[key]

    def _is_sure(self, clue: Clue, sound: _Sound) -> bool:
        if clue.kind is ClueKind.FINAL:
            return True
        if clue.kind is ClueKind.PARTIAL and clue.at - sound.began >= HELD_SECONDS:
            return True
        if clue.kind is ClueKind.SCORE and clue.score >= self._bars[clue.ear].high:
            return True
        return self._ears_agree(clue) or self._is_repeated(clue, sound)

    def _ears_agree(self, clue: Clue) -> bool:
        return any(
            ear != clue.ear
            and _kind(intent) == _kind(clue.intent)
            and 0.0 <= clue.at - other.last <= TOGETHER_SECONDS
            for (ear, intent), other in self._sounds.items()
        )

    def _is_repeated(self, clue: Clue, sound: _Sound) -> bool:
        kind = _kind(clue.intent)
        earlier = [other for key, other in self._sounds.items() if _kind(key[1]) == kind]
        earlier += [self._past[kind]] if kind in self._past else []
        return any(
            GAP_SECONDS < sound.began - other.last <= AGAIN_SECONDS
            and sound.worth + other.worth >= AGAIN_WORTH
            for other in earlier
        )


def _kind(intent: Intent) -> str:
    """Words that ask for the same thing count as one another's repetition."""
    return "halt" if intent in SAFETY else intent.value


def _verdict(level: Literal["suspect", "confirmed"], clue: Clue) -> Verdict:
    return Verdict(level, clue.intent, clue.text, clue.ear, clue.at)
