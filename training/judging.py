"""Lets weights, and the second look behind them, judge streams of people they never met.

It must never judge a fold with members that were trained on it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audio.alarm_network import Network
from audio.embedding import STEP, Floats
from audio.second_look import SecondLook
from audio.sound import Samples
from audio.spelling import Spelling
from audio.transcriber import Transcriber, shipped
from audio.words_network import WordsNetwork, load
from intents.intent import Intent
from intents.spotter import BARS, Clue, ClueKind, Spotter
from training.clips import FOLDS, WORDS
from training.material import Stream

RATE = 16_000
EARLY, LATE = 4800, 24_000
"""A word counts as heard from 300 ms before its end to 1.5 s after it."""
FIRST_ALONE = 8000
"""What is confirmed within half a second of the first word is not owed to the second."""
APART = 32_000
"""Firings closer than 2 s are one false halt."""
Track = NDArray[np.float32]
"""Log-odds of one word, one value each 40 ms."""
Judge = Callable[[Stream], Floats]
"""Log-odds of all words (n, words) of a stream."""


@dataclass(frozen=True)
class Judged:
    """A stream and what was made of it."""

    stream: Stream
    odds: Floats


def network_judge(networks: Mapping[int, Network]) -> Judge:
    """Each stream by the network that did not see its fold."""

    def judge(stream: Stream) -> Floats:
        network = networks[stream.fold]
        network.reset()
        return network(stream.rows.astype(np.float32))[1]

    return judge


def judge_all(streams: list[Stream], judge: Judge) -> list[Judged]:
    """Everything once."""
    return [Judged(stream, judge(stream)) for stream in streams]


class Looks:
    """The second look at a stream, by members of the words network that never met its fold."""

    def __init__(self) -> None:
        networks = {fold: WordsNetwork(load(None), fold) for fold in range(FOLDS)}
        writer = _RememberingWriter()
        self._looks = {
            fold: SecondLook(_Remembering(network), writer, WORDS)
            for fold, network in networks.items()
        }

    def __call__(self, item: Judged) -> Judged:
        """Calibrated log-odds, raised where the look found the word too."""
        look = self._looks[item.stream.fold]
        look.reset()
        rows = item.stream.rows.astype(np.float32)
        return replace(item, odds=look(rows, item.odds, item.stream.sound))

    def track(self, item: Judged, number: int) -> Track:
        """The same of one word alone."""
        alone = np.full_like(item.odds, -np.inf)
        alone[:, number] = item.odds[:, number]
        made: Track = self(replace(item, odds=alone)).odds[:, number]
        return made


class _Remembering:
    """A words network that is asked the same again and again while bars are looked for."""

    def __init__(self, network: WordsNetwork) -> None:
        self.words = network.words
        self._network = network
        self._known: dict[bytes, Floats] = {}

    def judge(self, rows: Floats) -> Floats:
        """What the network says."""
        name = hashlib.sha256(rows.tobytes()).digest()
        if name not in self._known:
            self._known[name] = self._network.judge(rows)
        return self._known[name]


class _RememberingWriter:
    """The same for the transcriber, whose phrases here are always one word of the ear's."""

    def __init__(self) -> None:
        self._writer = shipped()
        self.tokens = self._writer.tokens
        self._known: dict[bytes, _Page] = {}

    def listen(self, sound: Samples) -> "_Page":
        """Listen, unless this sound is known."""
        name = hashlib.sha256(sound.tobytes()).digest()
        return self._known.setdefault(name, _Page(self._writer, sound))


class _Page:
    """What was asked of one piece of sound; it is listened to again for another word."""

    def __init__(self, writer: Transcriber, sound: Samples) -> None:
        self._writer, self._sound = writer, sound
        self._found: dict[Spelling, Floats] = {}

    def chances(self, spelling: Spelling) -> Floats:
        """What the transcriber says."""
        if spelling not in self._found:
            self._found[spelling] = self._writer.listen(self._sound).chances(spelling)
        return self._found[spelling]


def firings(track: Track, bar: float) -> NDArray[np.int64]:
    """Samples at which a track is at or above the bar."""
    return (np.flatnonzero(track >= bar) + 1) * STEP


def halts(times: NDArray[np.int64]) -> int:
    """Firings, those close together counted once."""
    return int(np.sum(np.diff(times, prepend=-APART - 1) > APART)) if len(times) else 0


def verdicts(track: Track, word: str) -> dict[str, NDArray[np.int64]]:
    """Samples at which the spotter, with this ear alone, is suspicious and sure of the word."""
    spotter = Spotter()
    scores = 1 / (1 + np.exp(-np.clip(track, -30, 30)))
    told: dict[str, list[int]] = {"suspect": [], "confirmed": []}
    for step in np.flatnonzero(scores >= BARS["alarm"].low):
        clue = Clue(
            "alarm",
            ClueKind.SCORE,
            Intent(word),
            float(scores[step]),
            (step + 1) * STEP / RATE,
            word,
        )
        for verdict in spotter.hear(clue):
            told[verdict.level].append((int(step) + 1) * STEP)
    # Who is sure is suspicious too.
    told["suspect"] = sorted(told["suspect"] + told["confirmed"])
    return {level: np.array(times, np.int64) for level, times in told.items()}
