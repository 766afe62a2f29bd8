"""Plays and records for the doctor, with the same streams as a session; it keeps no sound on disk.

It must never be used while a session runs on a card that only one program can open: then there is
nothing to record, and that is told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from assistant.doctor_echo import LATEST_SECONDS, QUIET_SECONDS, Recording, soft_noise
from assistant.settings_file import HearingTable
from audio.devices import Devices
from audio.errors import AudioMissing
from audio.sound import BLOCK, RATE, Samples

START_SECONDS = 8.0
"""Sound servers wake up slowly."""
SETTLE_BLOCKS = 25
"""Half a second in which what the streams had kept is thrown away."""
GAP_SECONDS = 1.0
"""No block for so long: the microphone is gone."""


@dataclass
class Tape:
    """What is to be played; silence before it is started, and after it."""

    sound: Samples
    running: bool = False
    _at: int = field(init=False, default=0)

    def fill(self, count: int) -> Samples:
        """The next samples for the loudspeaker."""
        if not self.running:
            return np.zeros(count, np.int16)
        part = self.sound[self._at : self._at + count]
        self._at += count
        padded: Samples = np.pad(part, (0, count - len(part)))
        return padded


def record_echo(hearing: HearingTable) -> Recording:
    """Play the test sound and record it, paired as a session pairs it. Raises `AudioMissing`."""
    quiet = np.zeros(round(QUIET_SECONDS * RATE), np.int16)
    tape = Tape(np.concatenate([quiet, soft_noise()]))
    seconds = len(tape.sound) / RATE + max(QUIET_SECONDS, LATEST_SECONDS)
    with _streams(hearing.microphone, hearing.loudspeaker, tape) as devices:
        before, tape.running = _gaps(devices), True
        pairs = list(_pairs(devices, seconds))
        gaps = _gaps(devices) - before
    mic, played = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return Recording(mic, played, gaps)


def listen(hearing: HearingTable, seconds: float) -> Iterator[Samples]:
    """Blocks of 20 ms from the microphone, as they come. Raises `AudioMissing`."""
    with _streams(hearing.microphone, "none", Tape(np.zeros(0, np.int16))) as devices:
        for mic, _ in _pairs(devices, seconds):
            yield mic


@contextmanager
def _streams(microphone: str, loudspeaker: str, tape: Tape) -> Iterator[Devices]:
    """Both streams, running, and nothing old in them."""
    devices = Devices(microphone, loudspeaker, tape.fill)
    try:
        devices.start()
        for problem in devices.wait_until_both_work(START_SECONDS):
            raise AudioMissing(problem.what, problem.remedy)
        for _ in _pairs(devices, SETTLE_BLOCKS * BLOCK / RATE):
            continue
        yield devices
    finally:
        devices.close()


def _gaps(devices: Devices) -> int:
    microphone = devices.microphone
    return microphone.dropped + microphone.overflows + devices.loudspeaker.underflows


def _pairs(devices: Devices, seconds: float) -> Iterator[tuple[Samples, Samples]]:
    for _ in range(round(seconds * RATE / BLOCK)):
        mic = devices.microphone.take(GAP_SECONDS)
        if mic is None:
            raise AudioMissing("the microphone stopped bringing sound", "plug it in again")
        yield mic, devices.loudspeaker.played.pop()
