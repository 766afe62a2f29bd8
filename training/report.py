"""Prints how well weights hear people they never met, and how often they hear what nobody said.

It must never show a figure of a fold that the judged weights were trained on.
"""

import numpy as np
from numpy.typing import NDArray

from training.clips import WORDS
from training.judging import EARLY, FIRST_ALONE, LATE, RATE, Judged, halts, verdicts
from training.material import NOT_TALK, TWICE, Stream
from training.trials import CONDITIONS, NEAR


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
