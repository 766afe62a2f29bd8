"""The values that cross the border between the audio process and the session, and nothing else.

Each is one JSON line: `{"kind": ..., field: value}` from the ears, `{"do": ..., field: value}` to
them. Nothing here may hold sound, a transcript longer than one utterance, or state.
"""

from dataclasses import dataclass, field
from enum import Enum

from intents.intent import Intent


class Level(Enum):
    """How sure the ears are."""

    VOICE = "voice"
    """Somebody is talking; nothing more is known."""
    SUSPECT = "suspect"
    """Perhaps a safety word: pause, which costs the person nothing."""
    CONFIRMED = "confirmed"
    """A safety word: halt."""
    FINAL = "final"
    """A whole utterance."""


class Ear(Enum):
    """Who heard it."""

    ALARM = "alarm"
    SECOND = "second"
    """The second opinion on "stop" that somebody may have installed."""
    WORDS = "words"
    KEYBOARD = "keyboard"
    BUTTON = "button"


@dataclass(frozen=True)
class Heard:
    """Something was heard. `at` is seconds of audio consumed when it was decided."""

    level: Level
    intent: Intent | None
    text: str
    ear: Ear
    at: float
    value: int | None = None
    topic: str | None = None


@dataclass(frozen=True)
class SayBegan:
    """The first sample of a prompt was handed to the loudspeaker."""

    prompt: str
    text: str
    at: float


@dataclass(frozen=True)
class SayEnded:
    """A prompt is over; `cut` when hush or another prompt ended it early."""

    prompt: str
    at: float
    cut: bool = False


@dataclass(frozen=True)
class Health:
    """The heartbeat, at least every 0.25 s; `block_age` is seconds since the last block heard."""

    at: float
    block_age: float
    level_db: float
    samples: int
    ears_answer: bool = True
    """The alarm ear and the recogniser have both worked through recent sound."""
    practice: bool = False
    """The word ear is one that may not arm a real massager by itself."""


@dataclass(frozen=True)
class Fault:
    """Something broke.

    `what`: microphone_lost, microphone_muted, microphone_clipped, microphone_gaps,
    loudspeaker_lost, voice_failed,
    recogniser_failed,
    voice_changed (another engine speaks, and nothing else is wrong),
    alarm_ear_failed, audio_process_died, audio_process_hangs, audio_gave_up (the
    last one: it is not started again), device_failed, device_silent, disk_full,
    clock_jumped.
    """

    what: str
    detail: str = ""


@dataclass(frozen=True)
class Recovered:
    """The fault `what` is over."""

    what: str


@dataclass(frozen=True)
class Ready:
    """The audio process listens and can speak."""

    engine: str
    model: str


FromAudio = Heard | SayBegan | SayEnded | Health | Fault | Recovered | Ready


@dataclass(frozen=True)
class SpeakCommand:
    """Speak sentence after sentence, `gap_seconds` apart. A new one replaces what is spoken."""

    prompt: str
    sentences: tuple[str, ...]
    gap_seconds: float = 0.35


@dataclass(frozen=True)
class ToneCommand:
    """A soft tone, never above speech level: `tick` (3-2-1), `begin`, `end`, `hold`, `release`."""

    name: str


@dataclass(frozen=True)
class HushCommand:
    """Be silent within 64 ms of audio, forget what was to be said."""


@dataclass(frozen=True)
class ExpectCommand:
    """What makes sense now. Safety words are always heard, whatever stands here.

    `intents` is all that may be heeded, empty for everything; `likely` is what was asked for, to
    which an ear of little understanding limits itself, empty for all of `intents`.
    """

    intents: frozenset[Intent] = field(default_factory=frozenset)
    likely: frozenset[Intent] = field(default_factory=frozenset)


@dataclass(frozen=True)
class EnrolCommand:
    """Keep (`on`) the sound of the person's next confirmed or suspected stop as today's sample, in
    memory only; `on=False` forgets every sample."""

    on: bool


@dataclass(frozen=True)
class VolumeCommand:
    """Loudness of the voice in dB against the rendered level (0 or less)."""

    level_db: float


ToAudio = SpeakCommand | ToneCommand | HushCommand | ExpectCommand | EnrolCommand | VolumeCommand
