"""A session on sound files: the microphone is read, the loudspeaker written, samples are the time.

It must never sleep or look at a clock, and a microphone that ends is a lost one.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from assistant.conductor import Conductor
from assistant.messages import Begin, Tick
from audio.headset import Headset
from audio.messages import Fault, ToAudio
from audio.sound import BLOCK, RATE, Samples, blocks, read, write

Make = Callable[[Callable[[], float], Callable[[ToAudio], None]], Conductor]
"""Makes the conductor, given the clock and where commands for the audio side go."""


class FileSession:
    """One session on a recording."""

    def __init__(self, headset: Headset, make: Make, routine: str | None) -> None:
        self._headset = headset
        self._blocks = 0
        self._conductor = make(self._now, headset.do)
        self._routine = routine
        self._played: list[Samples] = []

    def _now(self) -> float:
        return self._blocks * BLOCK / RATE

    def run(self, microphone: Samples) -> str:
        """Live through the recording; why the session ended."""
        conductor = self._conductor
        self._live_block(np.zeros(BLOCK, np.int16))
        conductor.handle(Begin(self._routine), self._now())
        for block in blocks(microphone):
            self._live_block(block)
            if conductor.ended is not None:
                break
        if conductor.ended is None:
            conductor.handle(Fault("microphone_lost", "the recording is over"), self._now())
            conductor.end("faulted", self._now())
        return conductor.ended or "faulted"

    def loudspeaker(self) -> Samples:
        """All that was played."""
        return np.concatenate(self._played) if self._played else np.zeros(0, np.int16)

    def _live_block(self, mic: Samples) -> None:
        played = self._headset.fill(BLOCK)
        self._played.append(played)
        self._blocks += 1
        for message in self._headset.hear(mic, played):
            self._conductor.handle(message, self._now())
        deadline = self._conductor.deadline
        if deadline is not None and deadline <= self._now():
            self._conductor.handle(Tick(), self._now())


def run_on_files(
    headset: Headset, make: Make, routine: str | None, microphone: Path, loudspeaker: Path | None
) -> str:
    """Run a session on the recording `microphone`; what was played goes to `loudspeaker`.

    Returns why it ended. Raises `BadSound` for a file that is no recording.
    """
    session = FileSession(headset, make, routine)
    why = session.run(read(microphone))
    if loudspeaker is not None:
        write(loudspeaker, session.loudspeaker())
    return why
