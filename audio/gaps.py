"""Tells whether all of the sound arrives, or so much is missing that words get lost in the gaps.

It must never take sound that only comes late for sound that is lost: it is asked between floods.
"""

from collections import deque
from dataclasses import dataclass

from audio.messages import Fault, Recovered
from audio.sound import BLOCK, RATE

GAPS = "microphone_gaps"
WINDOW_SECONDS = 10.0
MISSING_SECONDS = 1.5
"""So much missing in so long is a fault: below it the alarm ear still hears nearly every word,
at half of the sound it misses many (bench/gaps.py)."""
WAKING_SECONDS = 5.0
"""A stream that was just opened may bring some blocks at once, and then none for two seconds."""
WHOLE_SECONDS = 0.3
"""Less missing is none: a sound server hands sound over in lumps."""


@dataclass(frozen=True)
class _Mark:
    at: float
    blocks: int


class Gaps:
    """Counts blocks against the time. A device that is opened anew begins anew."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()
        self._awake_at: float | None = None
        self._told = False

    def restart(self) -> None:
        """The stream was opened again: what was missing before says nothing."""
        self._marks.clear()
        self._awake_at = None

    def look(self, at: float, blocks: int) -> list[Fault | Recovered]:
        """At `at` seconds `blocks` had been heard in all, and none waited."""
        self._awake_at = at + WAKING_SECONDS if self._awake_at is None else self._awake_at
        if at < self._awake_at:
            return []
        self._marks.append(_Mark(at, blocks))
        while self._marks[0].at < at - WINDOW_SECONDS:
            self._marks.popleft()
        first = self._marks[0]
        missing = (at - first.at) - (blocks - first.blocks) * BLOCK / RATE
        if missing > MISSING_SECONDS and not self._told:
            self._told = True
            return [Fault(GAPS, f"{missing:.1f} s of {at - first.at:.1f} s of sound are missing")]
        if missing < WHOLE_SECONDS and self._told and at - first.at > WINDOW_SECONDS / 2:
            self._told = False
            return [Recovered(GAPS)]
        return []
