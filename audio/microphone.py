"""Blocks of 20 ms from a microphone; its callback must never wait, log, or raise.

What is not taken in time is dropped, oldest first, and counted: an old sound is worth nothing.
"""

import queue
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr

from audio.sound import BLOCK, RATE, Samples

KEPT_BLOCKS = 100
"""2 s of sound wait at most."""


class Microphone:
    """Collects what the sound card's callback brings, as 16 kHz blocks of 320 samples."""

    def __init__(self) -> None:
        self.dropped = 0
        """Blocks that were not taken in time."""
        self.overflows = 0
        """Times the sound card says that it lost something."""
        self.latest = time.monotonic()
        """When the last block came."""
        self.blocks = 0
        """How many came."""
        self._queue: queue.Queue[Samples] = queue.Queue(KEPT_BLOCKS)

    @property
    def waiting(self) -> int:
        """Blocks not taken yet."""
        return self._queue.qsize()

    def take(self, seconds: float) -> Samples | None:
        """The next block, or None when none comes in this time."""
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None

    def clear(self) -> None:
        """Forget what waits, so that who is late catches up at once and not always a bit."""
        while self.take(0.0) is not None:
            pass

    def callback(self, rate: int) -> Callable[[Any, int, Any, Any], None]:
        """A callback for a raw 16-bit stream at `rate`."""
        rest = np.zeros(0, np.int16)
        convert = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, "int16", "MQ")

        def receive(data: Any, _frames: int, _when: Any, status: Any) -> None:
            nonlocal rest
            self.overflows += bool(status)
            whole = bytes(data)[: len(data) // 2 * 2]  # half a sample is none
            sound = np.frombuffer(whole, np.int16)
            rest = np.concatenate([rest, convert.resample_chunk(sound) if convert else sound])
            while len(rest) >= BLOCK:
                self._keep(rest[:BLOCK])
                rest = rest[BLOCK:]

        return receive

    def _keep(self, block: Samples) -> None:
        self.latest = time.monotonic()
        self.blocks += 1
        try:
            self._queue.put_nowait(block)
        except queue.Full:
            self.dropped += 1
            self.take(0.0)
            self._queue.put_nowait(block)
