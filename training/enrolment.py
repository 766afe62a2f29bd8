"""How much the person's own "stop", kept from the hearing check, helps to hear the next one.

Sample and word are two clips of one person in surroundings of the same kind, both unknown to the
network. It must never use a sample of a word that it judges.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from audio.alarm_ear import likeness
from audio.alarm_network import Network
from audio.embedding import STEP, Floats
from intents.spotter import BARS
from training.calibration import HIGH_ODDS
from training.clips import WORDS
from training.judging import EARLY, LATE, RATE, Judged, Looks, Track, firings, halts
from training.material import NOT_TALK, Stream
from training.trials import CONDITIONS

STOP = WORDS.index("stop")
SAMPLES = 6
"""Samples that the false halts are counted with, each by itself."""
EACH_TALK = 3
"""One piece of talk of so many is listened to for false halts."""


@dataclass(frozen=True)
class _Heard:
    """Windows (n, 384) and calibrated log-odds of "stop" (n,) of one stream."""

    stream: Stream
    windows: Floats
    odds: Floats
    looks: Looks

    @property
    def said(self) -> slice:
        """The steps in which the word counts as heard."""
        end = self.stream.end
        return slice(max(0, (end - EARLY) // STEP), (end + LATE) // STEP)

    @property
    def sample(self) -> Floats:
        """What would be kept of it: the window where the word was clearest."""
        here = self.said
        best: Floats = self.windows[here][int(np.argmax(self.odds[here]))]
        return best

    def with_sample(self, *samples: Floats) -> Track:
        """The log-odds, likeness to the samples and the second look added."""
        odds = np.full((len(self.odds), len(WORDS)), -np.inf, np.float32)
        odds[:, STOP] = self.odds + [likeness(window, samples) for window in self.windows]
        return self.looks.track(Judged(self.stream, odds), STOP)


def print_table(
    streams: list[Stream],
    networks: Mapping[int, Network],
    looks: Looks,
    scale: float,
    offset: float,
) -> None:
    """Recall of "stop" at the high bar by condition, without and with a sample; false halts."""
    print(f"stop with the person's own sample, at the high bar ({BARS['alarm'].high})")

    def hear(stream: Stream) -> _Heard:
        network = networks[stream.fold]
        network.reset()
        windows, odds = network(stream.rows.astype(np.float32))
        return _Heard(stream, windows, odds[:, STOP] * scale + offset, looks)

    talk = [item for item in streams if not item.word and item.kind not in NOT_TALK][::EACH_TALK]
    others = [hear(item) for item in talk]
    hours = sum(item.end for item in talk) / RATE / 3600
    for condition in CONDITIONS:
        heard = _pairs([[hear(clip) for clip in clips] for clips in _people(streams, condition)])
        alone = [word.with_sample()[word.said].max() >= HIGH_ODDS for _, word in heard]
        helped = [
            word.with_sample(first.sample)[word.said].max() >= HIGH_ODDS for first, word in heard
        ]
        chosen = [first.sample for first, _ in heard[:: max(1, len(heard) // SAMPLES)]]
        wrong = np.mean([_halts(others, sample) for sample in chosen]) / hours
        recall = f"{100 * np.mean(alone):5.1f} -> {100 * np.mean(helped):5.1f} %"
        print(
            f"  {condition:6s} {recall} ({len(heard)} pairs), false {wrong:.1f} an hour", flush=True
        )
    usual = sum(halts(firings(item.with_sample(), HIGH_ODDS)) for item in others) / hours
    print(f"  without a sample: false {usual:.1f} an hour, in {60 * hours:.0f} min of talk")


def _people(streams: list[Stream], condition: str) -> list[list[Stream]]:
    """The clips of "stop" of each person who recorded several."""
    by_person = defaultdict(list)
    for item in streams:
        if (item.word, item.condition) == ("stop", condition) and not item.synthetic:
            by_person[item.speaker].append(item)
    return [clips for clips in by_person.values() if len(clips) > 1]


def _pairs(people: list[list[_Heard]]) -> list[tuple[_Heard, _Heard]]:
    """Each clip as a word, with the one before it of the same person as the sample."""
    return [(clips[number - 1], word) for clips in people for number, word in enumerate(clips)]


def _halts(others: list[_Heard], sample: Floats) -> int:
    return sum(halts(firings(item.with_sample(sample), HIGH_ODDS)) for item in others)
