"""From times of firing to figures: recall with its interval, delay, false halts.

It must never listen to anything: what an ear made of a stream comes in as numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

EARLY_SECONDS, LATE_SECONDS = 0.3, 1.5
"""A word counts as heard from just before its end to this long after it."""
APART_SECONDS = 2.0
"""Firings closer than this are one false halt."""
Z = 1.96
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True)
class Recall:
    """How often a word was heard, of how many, and after how many milliseconds."""

    hits: int
    of: int
    delays: tuple[float, ...] = ()

    @property
    def percent(self) -> float:
        """Of the words."""
        return 100 * self.hits / max(1, self.of)

    def share(self) -> str:
        """Recall with its 95 % interval."""
        low, high = wilson(self.hits, self.of)
        return f"{self.percent:5.1f} ({100 * low:.0f}-{100 * high:.0f})"

    def text(self) -> str:
        """Recall with its 95 % interval, delay p50/p95."""
        if not self.delays:
            return f"{self.share()}    -"
        middle, late = np.percentile(self.delays, (50, 95))
        return f"{self.share()} {middle:4.0f}/{late:4.0f}"


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's)."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    width = Z * np.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    middle, scale = share + Z * Z / (2 * of), 1 + Z * Z / of
    return float((middle - width) / scale), float((middle + width) / scale)


def recall(outcomes: Iterable[tuple[float, Sequence[float]]]) -> Recall:
    """From the ends of the words and the times of firing, in seconds."""
    delays, count = [], 0
    for end, times in outcomes:
        count += 1
        good = [at for at in times if end - EARLY_SECONDS < at <= end + LATE_SECONDS]
        delays += [1000 * (good[0] - end)] if good else []
    return Recall(len(delays), count, tuple(delays))


def halts(times: Iterable[float]) -> int:
    """Firings, those close together counted once."""
    count, last = 0, -APART_SECONDS - 1
    for at in times:
        count += at - last > APART_SECONDS
        last = at
    return count
