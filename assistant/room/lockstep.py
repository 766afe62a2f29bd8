"""Runs headset, session, massager and person in lockstep, 20 ms at a time, by counting samples.

It must never sleep, read a clock, or tell the session anything that it would not be told live.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from assistant.conductor import Conductor, Diary
from assistant.massager.simulated import SimulatedMassager
from assistant.messages import Begin, Event, Tick
from assistant.room.acoustics import Block, Convolution, Microphone, Noise
from assistant.room.expectations import DeviceMoment, Log
from assistant.room.faults import Breakdowns, DeadProcess, LostMicrophone
from assistant.room.moments import Moments
from assistant.room.person import Person
from assistant.room.sound import BLOCK, RATE, Samples
from assistant.session import Session
from assistant.wall_clock import JUMPED
from audio.messages import (
    ExpectCommand,
    Fault,
    FromAudio,
    HushCommand,
    Ready,
    SayEnded,
    SpeakCommand,
    ToAudio,
    VolumeCommand,
)

Line = dict[str, Any]
SILENT_AFTER_END_SECONDS = 1.0
"""The room goes on until nobody has spoken for so long after the session's end."""
MOST_TICKS = 100
"""More ticks than this at one moment mean a deadline that does not move."""
_SILENCE = np.zeros(BLOCK, np.int16)


class SampleClock:
    """Session time by samples; the only clock in the room."""

    def __init__(self) -> None:
        self.blocks = 0

    def __call__(self) -> float:
        """Seconds since the start, at the end of the last block."""
        return self.blocks * BLOCK / RATE


class Headset(Protocol):
    """Ears and mouth, as `audio.headset.Headset`."""

    @property
    def ready(self) -> Ready:
        """Who listens."""

    def do(self, command: ToAudio) -> None:
        """Perform one command."""

    def reset(self) -> None:
        """The sound had a gap."""

    def fill(self, count: int, /) -> Block:
        """Return the next samples for the loudspeaker."""

    def hear(self, mic: Block, played: Block, /) -> list[FromAudio]:
        """Take one block; return what there is to tell."""


@dataclass(frozen=True)
class World:
    """The sounds between person, loudspeaker and microphone."""

    person_path: Convolution
    echo_path: Convolution | None
    noise: Noise | None
    microphone: Microphone

    def block(self, voice: Samples, played: Block) -> Block:
        """What the microphone makes of one block."""
        sounds = [self.person_path.block(voice)]
        if self.echo_path is not None:
            sounds.append(self.echo_path.block(played.astype(np.float32) / np.float32(32768.0)))
        if self.noise is not None:
            sounds.append(self.noise.block())
        return self.microphone.block(*sounds)


@dataclass(frozen=True)
class Cast:
    """Everyone and everything in the room."""

    session: Session
    device: SimulatedMassager | None
    person: Person
    world: World
    breakdowns: Breakdowns
    headset: Callable[[], Headset]
    """Makes a fresh headset: at the start, and after the audio process has died."""
    routine: str | None
    """The routine that begins by itself; None waits for the person's word."""
    gap_seconds: float
    """Silence between two sentences of a prompt."""
    diary: Diary | None = None


class Room:
    """One session in the virtual room. `publish` gets every event line as it happens, `record`
    every block of microphone and loudspeaker."""

    def __init__(
        self,
        cast: Cast,
        clock: SampleClock,
        publish: Callable[[Line], None],
        record: Callable[[Block, Block], None],
    ) -> None:
        self._cast = cast
        self._clock = clock
        self._publish_outside = publish
        self._record = record
        self._headset: Headset | None = None
        self._moments = Moments(lambda: cast.session.waiting)
        self._lost, self._dead = LostMicrophone(), DeadProcess()
        self._events: list[Line] = []
        self._heard_blocks = 0
        self._quiet_since = 0.0
        self._jumps = 0
        self._begun = cast.routine is not None
        if self._begun:
            self._moments.begin()
        self._standing: dict[type, ToAudio] = {}
        self._speech: list[ToAudio] = []
        self._conductor = Conductor(
            cast.session,
            cast.device,
            self._send,
            self._publish,
            diary=cast.diary,
            gap_seconds=cast.gap_seconds,
        )

    def run(self, seconds: float) -> Log:
        """Live until the session is over and everybody is silent, or `seconds` have passed."""
        self._open_the_headset()
        self._handle(Begin(self._cast.routine))
        self._tell_the_person()
        while self._clock() < seconds and not self._is_over():
            self._live_one_block()
        device = self._cast.device
        history = [] if device is None else [DeviceMoment(*moment) for moment in device.history]
        return Log(self._events, history)

    def _is_over(self) -> bool:
        silent = self._clock() - self._quiet_since >= SILENT_AFTER_END_SECONDS
        return self._conductor.ended is not None and silent and not self._cast.person.speaking

    # One block

    def _live_one_block(self) -> None:
        began_at = self._clock()
        self._break_what_breaks(began_at)
        played = _SILENCE if self._headset is None else self._headset.fill(BLOCK)
        voice, words = self._cast.person.block(began_at)
        if words is not None:
            start, end = round(words.start, 3), round(words.end, 3)
            self._note(began_at, "person", text=words.text, start=start, end=end)
        mic = self._hear_the_room(voice, played, began_at)
        self._record(mic, played)
        self._clock.blocks += 1
        if played.any() or voice.any():
            self._quiet_since = self._clock()
        for message in self._listen(mic, played):
            self._take(message)
        self._tick()
        self._tell_the_person()

    def _break_what_breaks(self, now: float) -> None:
        breakdowns, device = self._cast.breakdowns, self._cast.device
        if device is not None:
            device.silent = breakdowns.on("device_silent", now)
            device.unreachable = breakdowns.on("broker_lost", now)
        jumps, self._jumps = self._jumps, breakdowns.count("clock_jump", now)
        if self._jumps > jumps and self._conductor.leasing:
            self._handle(Fault(JUMPED))
        if breakdowns.on("audio_process_dies", now):
            self._headset = None
        elif self._headset is None:
            self._open_the_headset()

    def _open_the_headset(self) -> None:
        """Start the ears and the mouth, as at first, or anew after they died."""
        self._headset = self._cast.headset()
        for command in [*self._standing.values(), *self._speech]:
            self._headset.do(command)
        self._speech = []
        self._handle(self._headset.ready)

    def _hear_the_room(self, voice: Samples, played: Block, now: float) -> Block:
        mic = self._cast.world.block(voice, played)
        broken = self._cast.breakdowns
        gone = broken.on("microphone_muted", now) or broken.on("microphone_lost", now)
        return _SILENCE if gone else mic

    def _listen(self, mic: Block, played: Block) -> list[FromAudio]:
        """What the audio side tells of this block, or its silence does."""
        now, breakdowns = self._clock(), self._cast.breakdowns
        died = breakdowns.since("audio_process_dies", now)
        if died is not None or self._headset is None:
            return self._dead.gone(now if died is None else died, now)
        lost = breakdowns.since("microphone_lost", now)
        if lost is not None:
            return self._lost.gone(lost, now, self._heard_blocks * BLOCK)
        self._heard_blocks += 1
        back = [*self._dead.back(), *self._lost.back()]
        if back:
            self._headset.reset()
        return [*back, *self._headset.hear(mic, played)]

    def _take(self, message: FromAudio) -> None:
        self._moments.handling()
        self._handle(message)
        self._moments.handled(message)
        if not self._begun and isinstance(message, SayEnded):
            # A person begins when unknot has said that it listens.
            self._begun = True
            self._moments.begin()

    def _tick(self) -> None:
        for _ in range(MOST_TICKS):
            deadline = self._conductor.deadline
            if deadline is None or deadline > self._clock():
                return
            self._handle(Tick())
            if self._conductor.deadline == deadline:
                return

    def _tell_the_person(self) -> None:
        for happening in self._moments.take():
            self._cast.person.notice(happening, self._clock())

    # To and from the session

    def _handle(self, event: Event) -> None:
        self._conductor.handle(event, self._clock())

    def _send(self, command: ToAudio) -> None:
        self._moments.sent(isinstance(command, SpeakCommand))
        if isinstance(command, ExpectCommand | VolumeCommand):
            self._standing[type(command)] = command
        if self._headset is not None:
            self._headset.do(command)
        elif isinstance(command, SpeakCommand | HushCommand):
            # As live (assistant/ear.py): fresh ears are told what was last to be said.
            self._speech = [command] if isinstance(command, SpeakCommand) else []

    def _publish(self, line: Line) -> None:
        self._events.append(line)
        self._moments.published(line)
        self._publish_outside(line)

    def _note(self, now: float, kind: str, **fields: object) -> None:
        line = {"at": round(now, 3), "kind": kind, **fields}
        self._events.append(line)
        self._publish_outside(line)
