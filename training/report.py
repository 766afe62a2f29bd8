"""Judges weights on people they never met, chooses the calibration, prints the table.

It must never show a figure of a fold that the judged weights were trained on.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audio.alarm_network import Network
from audio.embedding import STEP, Floats
from audio.second_look import LATER_STEPS, SecondLook
from audio.sound import Samples
from audio.spelling import Spelling
from audio.transcriber import Transcriber, shipped
from audio.words_network import WordsNetwork, load
from intents.intent import Intent
from intents.spotter import BARS, Clue, ClueKind, Spotter
from training.clips import FOLDS, WORDS
from training.material import NOT_TALK, TWICE, Stream
from training.trials import CONDITIONS, NEAR

RATE = 16_000
EARLY, LATE = 4800, 24_000
"""A word counts as heard from 300 ms before its end to 1.5 s after it."""
FIRST_ALONE = 8000
"""What is confirmed within half a second of the first word is not owed to the second."""
APART = 32_000
"""Firings closer than 2 s are one false halt."""
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


def calibration(judged: list[Judged], looks: Looks) -> tuple[Floats, Floats]:
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


def print_table(title: str, judged: list[Judged], word: str) -> None:
    """Recall by condition at both levels, false halts an hour, what noise and music did."""
    print(f"{title}: {word}, recall % and delay p50/p95 ms after the word's end")
    talk = [item for item in judged if not item.stream.word]
    number = WORDS.index(word)
    wrong = [(item.stream, verdicts(item.odds[:, number], word)) for item in talk]
    for level in ("suspect", "confirmed"):
        cells = [_cell(judged, word, condition, level) for condition in CONDITIONS]
        rates = _rates([(stream, made[level]) for stream, made in wrong])
        print(f"  {level:9s} " + " | ".join(cells) + f" | {rates}", flush=True)


def print_twice(judged: list[Judged]) -> None:
    """How often "stop" is confirmed by the first of two and by both."""
    print("stop said twice, 0.8 s apart, confirmed %: by the first alone, by either or both")
    for condition in CONDITIONS:
        first, both = [], []
        for item in judged:
            end = item.stream.end
            if (item.stream.word, item.stream.condition) != (TWICE, condition):
                continue
            if not item.stream.synthetic:
                times = verdicts(item.odds[:, WORDS.index("stop")], "stop")["confirmed"]
                after = times[times > end - EARLY]
                first.append(bool((after <= end + FIRST_ALONE).any()))
                both.append(len(after) > 0)
        hits = f"{100 * np.mean(first):5.1f} {100 * np.mean(both):5.1f}"
        print(f"  {condition:6s} {hits} ({len(both)} clips)", flush=True)


def _cell(judged: list[Judged], word: str, condition: str, level: str) -> str:
    people = word == "stop"
    hits, delays = 0, []
    trials = [
        item
        for item in judged
        if (item.stream.word, item.stream.condition) == (word, condition)
        and (not people or not item.stream.synthetic)
    ]
    for item in trials:
        times = verdicts(item.odds[:, WORDS.index(word)], word)[level]
        good = times[(times > item.stream.end - EARLY) & (times <= item.stream.end + LATE)]
        hits += len(good) > 0
        delays += [(good[0] - item.stream.end) / 16] if len(good) else []
    middle, late = np.percentile(delays, (50, 95)) if delays else (0, 0)
    return f"{100 * hits / max(1, len(trials)):5.1f} {middle:4.0f}/{late:4.0f}"


def _rates(wrong: list[tuple[Stream, NDArray[np.int64]]]) -> str:
    parts = []
    for kinds, name in (
        (None, "talk"),
        (("noise",), "noise"),
        (("music",), "music"),
        ((NEAR,), NEAR),
    ):
        chosen = [
            (stream, times)
            for stream, times in wrong
            if (stream.kind not in NOT_TALK if kinds is None else stream.kind in kinds)
        ]
        count = sum(halts(times) for _, times in chosen)
        minutes = sum(stream.end for stream, _ in chosen) / RATE / 60
        rate = f"{60 * count / max(minutes, 1e-9):.1f}/h " if kinds is None else ""
        parts.append(f"{name} {rate}({count} in {minutes:.0f} min)")
    return ", ".join(parts)
