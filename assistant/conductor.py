"""Carries out what the session wants, in its order, and tells it what came of that.

The same object live, in the virtual room and in a rehearsal. It must never decide anything, and
nothing may come before an off.
"""

from collections.abc import Callable
from typing import Any, Protocol

from assistant.massager import Massager
from assistant.messages import (
    AdviceGiven,
    Effect,
    Ended,
    Enrol,
    Event,
    Expect,
    FaultNoted,
    HoldBegan,
    Hush,
    MassagerLease,
    MassagerOff,
    Pace,
    Rated,
    Remember,
    Say,
    StateChanged,
    StepBegan,
    Tone,
    Volume,
)
from assistant.session import Session
from audio.errors import UnknotError
from audio.messages import (
    EnrolCommand,
    ExpectCommand,
    Fault,
    Health,
    Heard,
    HushCommand,
    Level,
    SayBegan,
    SayEnded,
    SpeakCommand,
    ToAudio,
    ToneCommand,
    VolumeCommand,
)

Line = dict[str, Any]
GAP_SECONDS = 0.35
AFTER_AN_INSTRUCTION = 2.0
"""Hands need longer than ears: so many times the gap after a sentence of the routine itself."""
REPORT_SECONDS = 0.25
"""How often the device is asked what it does, at least."""


class Diary(Protocol):
    """Where a session is written down; both calls may raise an `UnknotError`."""

    def begin(self, routine: str) -> None:
        """A session with this routine begins."""

    def record(self, line: Line) -> None:
        """One event line."""


class Memory(Protocol):
    """Where settings changed by voice are kept."""

    def remember(self, key: str | None, value: object) -> None:
        """Keep `value` under `key`; no key forgets everything."""


class Conductor:
    """One session with its massager, its voice and its diary.

    `send` takes commands to the audio side, `publish` takes every event line of docs/commands.md.
    """

    def __init__(
        self,
        session: Session,
        massager: Massager | None,
        send: Callable[[ToAudio], None],
        publish: Callable[[Line], None],
        diary: Diary | None = None,
        memory: Memory | None = None,
        gap_seconds: float = GAP_SECONDS,
    ) -> None:
        self.session = session
        self.ended: str | None = None
        """Why the session ended; None while it goes on."""
        self._massager = massager
        self._send = send
        self._publish = publish
        self._diary = diary
        self._memory = memory
        self._gap_seconds = gap_seconds
        self._pace = 1.0
        self._on = False
        self._reported_at = float("-inf")
        self._texts: dict[str, str] = {}
        self._speaking: str | None = None
        self._in_diary = False
        self._lost: Fault | None = None
        """The diary failed, and the session has not been told yet."""

    @property
    def deadline(self) -> float | None:
        """When a `Tick` is due, in session time; None when nothing is."""
        return self.session.deadline

    @property
    def leasing(self) -> bool:
        """The massager was given a lease, and no off since."""
        return self._on

    def handle(self, event: Event, now: float) -> None:
        """Give the session one event and carry out all that it wants."""
        self._carry_out(event, now)
        self._ask_the_device(event, now)
        self._begin_diary()

    def end(self, why: str, now: float) -> None:
        """Whatever is the case: off, and the end. Calling it again is harmless."""
        if self._massager is not None:
            self._massager.off()
        if self.ended is None:
            self.ended = why
            self._tell(now, "end", why=why)

    def _carry_out(self, event: Event, now: float) -> None:
        """Off before a line is told: writing one down may take a slow disk a long while."""
        effects = self.session.handle(event, now)
        if self._massager is not None and any(isinstance(e, MassagerOff) for e in effects):
            self._massager.off()
        self._tell_event(event, now)
        for effect in effects:
            self._perform(effect, now)
        lost, self._lost = self._lost, None
        if lost is not None:
            self._carry_out(lost, now)

    def _ask_the_device(self, event: Event, now: float) -> None:
        """Pass on what the device confirms, a few times a second."""
        if self._massager is None:
            return
        if isinstance(event, Health) or now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            self._carry_out(self._massager.report(now), now)

    # What is wanted

    def _perform(self, effect: Effect, now: float) -> None:
        match effect:
            case MassagerOff():
                self._tell_off(effect, now)
            case MassagerLease():
                self._lease(effect, now)
            case Hush() | Say() | Tone() | Expect() | Enrol() | Volume() | Pace():
                self._to_audio(effect, now)
            case Remember():
                self._remember(effect)
            case Ended():
                self.ended = effect.why
                self._tell(now, "end", why=effect.why)
            case _:
                self._note(effect, now)

    def _tell_off(self, effect: MassagerOff, now: float) -> None:
        if self._on or effect.why not in ("not wanted", "no massager"):
            self._tell(now, "massager", on=False, level=0, lease=0.0, why=effect.why)
        self._on = False

    def _lease(self, effect: MassagerLease, now: float) -> None:
        """On, but not beside a diary that has just failed: the off for that comes next."""
        if self._massager is None or self._lost is not None:
            return
        self._massager.lease(effect.level, effect.seconds)
        self._on = True
        told = {"level": effect.level, "lease": effect.seconds, "why": effect.why}
        self._tell(now, "massager", on=True, **told)

    def _to_audio(self, effect: Effect, now: float) -> None:
        match effect:
            case Hush():
                self._tell_hush(now)
                self._send(HushCommand())
            case Say():
                self._texts[effect.prompt] = " ".join(effect.sentences)
                self._send(SpeakCommand(effect.prompt, effect.sentences, self._gap(effect.prompt)))
            case Tone():
                self._send(ToneCommand(effect.name))
            case Expect():
                self._send(ExpectCommand(effect.intents, effect.likely))
            case Enrol():
                self._send(EnrolCommand(effect.on))
            case Volume():
                self._send(VolumeCommand(effect.level_db))
            case Pace():
                self._pace = effect.factor

    def _gap(self, prompt: str) -> float:
        """Silence between the sentences of a prompt."""
        routine = self.session.routine
        instructs = routine is not None and prompt.partition(".")[0] == routine.name
        return self._gap_seconds * self._pace * (AFTER_AN_INSTRUCTION if instructs else 1.0)

    def _remember(self, effect: Remember) -> None:
        if self._memory is not None:
            self._memory.remember(effect.key, effect.value)

    # What is told

    def _tell_event(self, event: Event, now: float) -> None:
        match event:
            case Heard() if event.level is not Level.VOICE:
                self._tell(
                    now,
                    "heard",
                    level=event.level.value,
                    intent=event.intent.value if event.intent else None,
                    text=event.text,
                    ear=event.ear.value,
                )
            case SayBegan():
                self._speaking = event.prompt
                self._tell(now, "say", prompt=event.prompt, text=event.text)
            case SayEnded():
                if self._speaking == event.prompt:
                    self._speaking = None
                text = self._texts.get(event.prompt, "")
                self._tell(now, "say_end", prompt=event.prompt, text=text)
            case _:
                pass

    def _tell_hush(self, now: float) -> None:
        if self._speaking is not None:
            text = self._texts.get(self._speaking, "")
            self._tell(now, "hush", prompt=self._speaking, text=text)
            self._speaking = None

    def _note(self, effect: Effect, now: float) -> None:
        match effect:
            case StateChanged():
                self._tell(now, "state", **{"from": effect.source, "to": effect.dest})
            case StepBegan():
                self._tell(now, "step", index=effect.index, name=effect.name, of=effect.of)
            case HoldBegan():
                self._tell(now, "hold", seconds=effect.seconds)
            case AdviceGiven():
                self._tell(now, "advice", id=effect.id, tier=effect.tier)
            case Rated():
                self._tell(now, "rating", when=effect.when, value=effect.value)
            case FaultNoted():
                self._tell(now, "fault", what=effect.what)

    def _tell(self, now: float, kind: str, **fields: object) -> None:
        line: Line = {"at": round(now, 3), "kind": kind, **fields}
        self._publish(line)
        if self._in_diary:
            self._write(line)

    # The diary

    def _begin_diary(self) -> None:
        routine = self.session.routine
        if self._diary is None or self._in_diary or routine is None or self.ended:
            return
        self._in_diary = True
        try:
            self._diary.begin(routine.name)
        except UnknotError as error:
            self._lose_diary(error)

    def _write(self, line: Line) -> None:
        """Write a line down; a diary that fails is a fault, told once, and is not tried again."""
        if self._diary is None:
            return
        try:
            self._diary.record(line)
        except UnknotError as error:
            self._lose_diary(error)

    def _lose_diary(self, error: UnknotError) -> None:
        """Without one nobody would know after a power cut that a massager had run."""
        self._in_diary, self._diary = False, None
        self._lost = Fault("disk_full", str(error))
