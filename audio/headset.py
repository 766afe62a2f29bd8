"""Ears and mouth in one object without thread or clock: live, on files and in the virtual room.

It must never wait for the session to be silent: the voice gives way at the first sound of somebody
talking, before anybody has decided anything.
"""

from collections.abc import Sequence
from typing import Protocol

from audio.courtesy import Courtesy, Voiced
from audio.errors import UnknotError
from audio.messages import (
    EnrolCommand,
    ExpectCommand,
    Fault,
    FromAudio,
    Health,
    HushCommand,
    Ready,
    SayBegan,
    SayEnded,
    SpeakCommand,
    ToAudio,
    ToneCommand,
    VolumeCommand,
)
from audio.microphone_watch import MicrophoneWatch
from audio.pipeline import Pipeline
from audio.sound import Samples
from audio.speech_engine import fault_of

HEALTH_BLOCKS = 12
"""A heartbeat every 0.24 s of audio."""


class Mouth(Voiced, Protocol):
    """What the headset needs of the player (audio/speaker.py)."""

    def say(
        self, prompt: str, clips: Sequence[Samples], texts: Sequence[str], gap_seconds: float
    ) -> None:
        """Speak; what was spoken before is cut."""

    def tone(self, name: str) -> None:
        """Play a soft tone."""

    def hush(self) -> None:
        """Be silent now."""

    def fill(self, count: int) -> Samples:
        """The next samples for the loudspeaker."""

    def take_messages(self, at: float) -> Sequence[SayBegan | SayEnded]:
        """What began and ended since the last call."""


class Clips(Protocol):
    """Where sentences come from as sound (audio/voice.py)."""

    def clip(self, sentence: str) -> Samples:
        """The sentence as 16 kHz samples. Raises `UnknotError`."""


class Headset:
    """`do` what the session wants, `fill` the loudspeaker, `hear` the microphone."""

    def __init__(self, pipeline: Pipeline, mouth: Mouth, clips: Clips) -> None:
        self._pipeline = pipeline
        self._mouth = mouth
        self._clips = clips
        self._courtesy = Courtesy(mouth)
        self._microphone = MicrophoneWatch()
        self._faults: list[Fault] = []
        self._blocks = 0

    @property
    def ready(self) -> Ready:
        """Who listens."""
        return self._pipeline.ready

    def do(self, command: ToAudio) -> None:
        """Perform one command. What goes wrong is told by the next `hear`."""
        match command:
            case SpeakCommand():
                self._speak(command)
            case ToneCommand(name):
                self._mouth.tone(name)
            case HushCommand():
                self._mouth.hush()
                self._courtesy.forget()
            case ExpectCommand(intents, likely):
                self._pipeline.expect(intents, likely)
            case EnrolCommand(on):
                self._pipeline.enrol(on)
            case VolumeCommand(level_db):
                self._courtesy.volume(level_db)

    def fill(self, count: int) -> Samples:
        """The next `count` samples for the loudspeaker; zeros when there is nothing to say."""
        return self._mouth.fill(count)

    def hear(self, mic: Samples, played: Samples) -> list[FromAudio]:
        """Take one microphone block and what was played meanwhile; tell everything there is."""
        heard = self._pipeline.hear(mic, played)
        at = self._pipeline.at
        self._courtesy.mind(heard, self._pipeline.talking, at)
        told: list[FromAudio] = [*heard, *self._microphone.look(mic)]
        told += self._mouth.take_messages(at)
        told += self._pipeline.take_faults()
        told += self._faults
        self._faults = []
        return told + self._beat(at)

    def reset(self) -> None:
        """The sound had a gap: the canceller and the ears start anew."""
        self._pipeline.reset()

    def _speak(self, command: SpeakCommand) -> None:
        try:
            clips = [self._clips.clip(sentence) for sentence in command.sentences]
        except UnknotError as error:
            self._faults.append(fault_of(error))
            return
        self._courtesy.forget()
        self._pipeline.saying(command.sentences)
        self._mouth.say(command.prompt, clips, command.sentences, command.gap_seconds)

    def _beat(self, at: float) -> list[FromAudio]:
        self._blocks += 1
        if self._blocks % HEALTH_BLOCKS:
            return []
        pipeline = self._pipeline
        # How old the last block is only the live program can know; here it has just come.
        return [
            Health(
                at=at,
                block_age=0.0,
                level_db=pipeline.level_db,
                samples=pipeline.samples,
                ears_answer=pipeline.ears_answer,
                practice=pipeline.practice,
            )
        ]
