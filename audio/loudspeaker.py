"""Hands blocks to a loudspeaker when it asks; its callback must never wait, log, or raise."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr

from audio.echo import Played
from audio.sound import BLOCK, RATE, Samples


def silence(count: int) -> Samples:
    """Nothing to say."""
    return np.zeros(count, np.int16)


class Loudspeaker:
    """Asks `fill` for blocks of 20 ms; `played` gets each at the moment it is handed over."""

    def __init__(self, fill: Callable[[int], Samples] = silence) -> None:
        self.played = Played()
        self.underflows = 0
        """Times the sound card says that it had nothing to play."""
        self.latest = time.monotonic()
        """When it last asked."""
        self.blocks = 0
        """How many were handed over."""
        self._fill = fill

    def callback(self, rate: int) -> Callable[[Any, int, Any, Any], None]:
        """A callback for a raw 16-bit stream at `rate`."""
        rest = np.zeros(0, np.int16)
        convert = None if rate == RATE else soxr.ResampleStream(RATE, rate, 1, "int16", "MQ")

        def deliver(data: Any, frames: int, _when: Any, status: Any) -> None:
            nonlocal rest
            self.underflows += bool(status)
            while len(rest) < frames:
                block = self.next_block()
                rest = np.concatenate([rest, convert.resample_chunk(block) if convert else block])
            data[:] = rest[:frames].tobytes()
            rest = rest[frames:]

        return deliver

    def next_block(self) -> Samples:
        """The next 320 samples, kept as played."""
        block = self._fill(BLOCK)
        self.played.push(block)
        self.latest = time.monotonic()
        self.blocks += 1
        return block
