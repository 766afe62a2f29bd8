"""Ears and mouth on real devices: commands in, messages out, a heartbeat whatever happens.

It must never be silent for a quarter of a second: what hangs here is found by its silence.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from audio.devices import Devices
from audio.errors import UnknotError
from audio.gaps import Gaps
from audio.headset import Headset
from audio.messages import (
    Fault,
    FromAudio,
    Health,
    HushCommand,
    Recovered,
    SayEnded,
    SpeakCommand,
    ToAudio,
)
from audio.sound import BLOCK, RATE, Samples
from audio.speaker import Player
from audio.speech_engine import fault_of
from audio.voice import Voice

HEARTBEAT_SECONDS = 0.2
FAULT_SECONDS = 2.5
"""Without a block for so long the device is lost; noticed within 3 s, whatever else is going on."""
FIRST_SECONDS = 6.0
"""How long the devices may take to get going: sound servers wake up slowly."""
STUCK_SECONDS = 10.0
"""PortAudio does not come back from a call: only a new process helps."""
WAIT_SECONDS = 0.02
BLOCK_SECONDS = BLOCK / RATE
WARM_BLOCKS = 50

_log = logging.getLogger(__name__)


class SoundCardHangs(Exception):
    """PortAudio does not come back; the process must end, to be started again."""


@dataclass(frozen=True)
class Mouth:
    """The parts of the mouth that live sound needs apart from the headset."""

    player: Player
    voice: Voice


@dataclass(frozen=True)
class _Rendered:
    """A prompt whose sentences had to be rendered; `said` counts what was said and hushed then."""

    command: SpeakCommand
    said: int


class Live:
    """The loop between devices and session. `order` is safe from any thread."""

    def __init__(
        self,
        headset: Headset,
        mouth: Mouth,
        devices: Devices,
        tell: Callable[[FromAudio], None],
    ) -> None:
        self._headset = headset
        self._mouth = mouth
        self._devices = devices
        self._tell_outside = tell
        self._orders: queue.SimpleQueue[ToAudio | _Rendered | None] = queue.SimpleQueue()
        self._said = 0
        self._health = Health(0.0, 0.0, -100.0, 0)
        self._told_at = self._heard_at = self._began_at = time.monotonic()
        self._breaks = (0, 0)
        self._gaps = Gaps()
        self._blocks = 0
        self._ready = False
        self._faults: set[str] = set()

    def order(self, command: ToAudio | None) -> None:
        """Have a command done; None ends the loop."""
        if isinstance(command, HushCommand):
            # Not in its turn: the loop may have a block to hear before.
            self._mouth.player.hush()
        self._orders.put(command)

    def warm_up(self) -> None:
        """Let the ears hear a second of faint noise: their first blocks take longest."""
        noise = np.random.default_rng(0).integers(-30, 31, (WARM_BLOCKS, BLOCK))
        for block in noise.astype(np.int16):
            self._headset.hear(block, np.zeros_like(block))
        self._headset.reset()

    def run(self) -> None:
        """Hear and speak until told to end. Raises `SoundCardHangs`."""
        self._began_at = self._heard_at = time.monotonic()
        while self._obey():
            block = self._devices.microphone.take(WAIT_SECONDS)
            if block is None:
                self._mind_the_mouth()
            else:
                self._mind_the_gap()
                self._hear(block)
            self._watch()

    # Commands

    def _obey(self) -> bool:
        """Do what was ordered; false when that was to end."""
        while not self._orders.empty():
            command = self._orders.get()
            if command is None:
                return False
            self._do(command)
        return True

    def _do(self, command: ToAudio | _Rendered) -> None:
        try:
            if isinstance(command, _Rendered):
                self._say_rendered(command)
                return
            if isinstance(command, SpeakCommand | HushCommand):
                self._said += 1
            if isinstance(command, SpeakCommand) and not self._is_rendered(command):
                late = _Rendered(command, self._said)
                threading.Thread(target=self._render, args=(late,), daemon=True).start()
            else:
                self._headset.do(command)
        except ValueError as error:  # a tone of another version
            _log.warning("%s", error)
        except UnknotError as error:
            self._tell(fault_of(error))

    def _say_rendered(self, late: _Rendered) -> None:
        """Say it, unless it was hushed or replaced while it was rendered."""
        if late.said == self._said:
            self._headset.do(late.command)
        else:
            self._tell(SayEnded(late.command.prompt, self._health.at, cut=True))

    def _is_rendered(self, command: SpeakCommand) -> bool:
        return all(self._mouth.voice.is_ready(sentence) for sentence in command.sentences)

    def _render(self, late: _Rendered) -> None:
        """In a thread of its own: rendering takes a while, and an engine may hang."""
        try:
            self._mouth.voice.prepare(late.command.sentences)
        except UnknotError as error:
            self._tell_outside(fault_of(error))
        else:
            self._orders.put(late)

    # Sound

    def _hear(self, block: Samples) -> None:
        if not self._devices.speaks:
            self._headset.fill(BLOCK)
        if not self._ready:
            self._ready = True
            self._tell(self._headset.ready)
        self._heard_at = time.monotonic()
        self._blocks += 1
        if not self._devices.microphone.waiting:
            for fault in self._gaps.look(self._heard_at, self._blocks):
                self._tell(fault)
        for message in self._headset.hear(block, self._devices.loudspeaker.played.pop()):
            if isinstance(message, Health):
                self._health = message
                message = self._aged(self._devices.microphone.waiting * BLOCK_SECONDS)
            self._tell(message)

    def _mind_the_gap(self) -> None:
        """What was before a reopened stream or lost blocks belongs to nothing after it.

        A mere overflow of the sound card costs a few samples: to forget a word half heard for that
        would cost more.
        """
        devices = self._devices
        breaks = devices.openings, devices.microphone.dropped
        if breaks == self._breaks:
            return
        if self._ready:
            _log.warning("a gap in the sound: %d blocks dropped so far", devices.microphone.dropped)
            devices.microphone.clear()
            self._headset.reset()
        devices.loudspeaker.played.clear()
        if devices.openings != self._breaks[0]:
            self._gaps.restart()
        self._breaks = devices.openings, devices.microphone.dropped

    def _mind_the_mouth(self) -> None:
        """Nothing is heard now, but what was said is told all the same."""
        for message in self._mouth.player.take_messages(self._health.at):
            self._tell(message)

    # Watching

    def _watch(self) -> None:
        now = time.monotonic()
        devices = self._devices
        self._judge("microphone", now - self._heard_at, starting=not devices.microphone.blocks)
        if devices.speaks:
            # A sound server takes the first blocks at once, and then none for two seconds.
            starting = now - self._began_at < FIRST_SECONDS
            silent_since = max(devices.loudspeaker.latest, self._began_at)
            self._judge("loudspeaker", now - silent_since, starting=starting)
        if devices.stuck_seconds > STUCK_SECONDS:
            raise SoundCardHangs("the sound card does not come back from a call")
        if now - self._told_at >= HEARTBEAT_SECONDS:
            self._tell(self._aged(now - self._heard_at))

    def _aged(self, block_age: float) -> Health:
        return replace(self._health, block_age=round(block_age, 3))

    def _judge(self, device: str, silent_seconds: float, *, starting: bool) -> None:
        what = f"{device}_lost"
        patience = FIRST_SECONDS if starting else FAULT_SECONDS
        if silent_seconds > patience and what not in self._faults:
            self._faults.add(what)
            problem = self._devices.problems.get(device)
            self._tell(Fault(what, str(problem or f"no sound for {silent_seconds:.1f} s")))
        elif silent_seconds < FAULT_SECONDS and what in self._faults:
            self._faults.remove(what)
            self._tell(Recovered(what))

    def _tell(self, message: FromAudio) -> None:
        if isinstance(message, Health):
            self._told_at = time.monotonic()
        self._tell_outside(message)
