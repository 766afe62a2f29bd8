"""THE state machine: takes events and the time, moves by the table, returns what is to be done.

It must never touch a clock, a file, a thread, a network or a sound card.

Rules
  1. Every move is a row of `assistant.state.TABLE`; a phase can only ask for one.
  2. A safety word is looked at before anything else, in every state: off is the first effect.
  3. A suspected one pauses the massager for 1.5 s, and costs nothing if nothing follows.
  4. Ordinary words count when they are final. What is known but makes no sense now gets a word.
  5. Time passes in the course only while a step is done or held, and not while suspecting.
  6. A fault ends with the massager off; only the person's word goes on.
"""

from collections.abc import Mapping

from assistant.consequences import LOCKING, OFF_FAULTS, SERIOUS, SERIOUSNESS, TIER_TRIGGER
from assistant.expecting import expected
from assistant.machine import LEGAL, Position, machine
from assistant.messages import (
    AdviceGiven,
    Begin,
    Effect,
    Event,
    Expect,
    FaultNoted,
    MassagerOff,
    MassagerReport,
    StateChanged,
    TimeOfDay,
    Volume,
)
from assistant.phases import anytime
from assistant.phases.before import Idle, start
from assistant.phases.every import every_phase
from assistant.phases.phase import Phase, Reply
from assistant.phases.rests import LASTING, Faulty, fault_prompt
from assistant.quiet_hours import QUIET_DB
from assistant.routine import Routine
from assistant.safety import DEFAULT_TIER, Advice, Governor, Tier, advice_id
from assistant.script import Script
from assistant.stage import Manners, Stage
from assistant.state import LOCKED, MASSAGE, RESUMABLE, UNDER_WAY, State, Trigger
from audio.messages import Ear, Fault, Health, Heard, Level, Ready, Recovered, SayEnded
from intents.intent import SAFETY, Intent, Meaning
from intents.phrasebook import ELSEWHERE

SUSPECT_SECONDS = 1.5
OTHER_VOICE = "voice_changed"
POOR_ENGINE = "sphinx"
"""The word ear whose short safety phrases are only votes (DECISIONS.md)."""
ONLY_IN_WORDS = frozenset({Intent.DEVICE, Intent.PAIN, Intent.EMERGENCY})
"""Safety words that the alarm ear does not know by their sound."""
PAUSE_SECONDS = 1.0
"""A final comes up to a second after its word (docs/facts.md A1.3)."""
SAME_WORD_SECONDS = 2.0
"""One word is heard more than once: by two ears, as confirmed and as final."""
SAME_UTTERANCE_SECONDS = 1.2
"""A final comes up to a second after its word (docs/facts.md A1.3): what was confirmed to be a
safety word is not, to its end, taken for an ordinary one by an ear that hears worse."""
HEALTHY_SECONDS = 1.0
NOTICED_HERE = frozenset({"microphone_lost", "recogniser_failed"})
"""Faults that the governor's refusal may have noticed here, late beats being enough: nobody else
tells their end, so good beats do."""
NOISE_RISES_DB = 0.5
"""How fast the noise floor follows a room that gets louder: 2 dB a second at four beats."""
CONVERSATION_SECONDS = 30.0
"""So long after a word that was acted on, any question is taken to be for us."""


class Session:
    """One session. `handle` is the only way in, what it returns the only way out."""

    def __init__(
        self,
        routines: Mapping[str, Routine],
        script: Script,
        advice: Mapping[str, Advice],
        manners: Manners | None = None,
        governor: Governor | None = None,
    ) -> None:
        self._stage = Stage(routines, script, advice, manners or Manners(), governor or Governor())
        self._position = Position()
        self._machine = machine(self._position, lambda dest: lambda: self._stage.came_from is dest)
        self._phases = every_phase()
        self._suspect_until: float | None = None
        self._pause_at: float | None = None
        self._suspected: Intent | None = None
        self._poor_words = False
        self._expected: Expect | None = None
        self._halted_at: dict[Intent, float] = {}
        self._began = False
        self._standing: set[str] = set()
        self._confirmed_at = float("-inf")
        self._volume_db = 0.0

    # What can be asked of it

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._position.state

    @property
    def waiting(self) -> bool:
        """A question was spoken to its end and waits for its answer."""
        question = self._stage.question
        return question is not None and question.silent_at is not None

    @property
    def routine(self) -> Routine | None:
        """The routine that was chosen."""
        return self._stage.routine

    @property
    def step_seconds_left(self) -> float:
        """How long the step that is on still runs; 0 outside a routine."""
        return self._stage.course.countdown.left if self._stage.course else 0.0

    @property
    def deadline(self) -> float | None:
        """When a `Tick` is next wanted; None when nothing is due."""
        s = self._stage
        times = [s.deadline, self._suspect_until, self._pause_at]
        if self._time_runs():
            times.append(s.now + s.way.next_in)
        return min((t for t in times if t is not None), default=None)

    # The one way in

    def handle(self, event: Event, now: float) -> tuple[Effect, ...]:
        """Take one event at session time `now` in seconds; return what is to be done, in order."""
        self._let_time_pass(now)
        match event:
            case Heard():
                self._hear(event)
            case SayEnded():
                self._said(event)
            case Health():
                self._beat(event, now)
            case MassagerReport():
                self._report(event)
            case Fault():
                self._told_fault(event.what)
            case Recovered():
                self._recovered(event.what)
            case Ready():
                self._poor_words = event.engine == POOR_ENGINE
            case Begin():
                self._begin(event)
            case TimeOfDay():
                hours = self._stage.manners.quiet
                self._stage.quiet = hours is not None and hours.hold(event.minutes)
            case _:
                pass
        self._look_at_the_time(now)
        self._govern(now)
        self._mind_the_volume()
        return self._stage.take()

    # Moving

    @property
    def _phase(self) -> Phase:
        return self._phases[self.state]

    def _move(self, trigger: Reply) -> None:
        """Follow a trigger, and those that the new phases ask for on arrival."""
        while trigger is not None:
            before = self.state
            if (trigger, before) not in LEGAL:
                return
            dest = self._destination(trigger, before)
            if dest is None:
                trigger = self._phase.halted_here(self._stage)
                continue
            if before is State.IDLE:
                self._stage.wake_at = None
            self._remember_where_from(trigger, before)
            self._machine.dispatch(trigger.value)
            self._stage.emit(StateChanged(before.value, self.state.value))
            trigger = self._phase.enter(self._stage)

    def _destination(self, trigger: Trigger, before: State) -> State | None:
        return self._stage.came_from if trigger is Trigger.RESUME else LEGAL[trigger, before]

    def _remember_where_from(self, trigger: Trigger, before: State) -> None:
        if before in RESUMABLE and trigger in (
            Trigger.HALT,
            Trigger.PAUSE,
            Trigger.SORE,
            Trigger.FAULT,
        ):
            self._stage.came_from = before
        if trigger is Trigger.RESUME:
            self._stage.wake_at = None

    # Hearing

    def _begin(self, event: Begin) -> None:
        if self._began:
            return
        self._began = True
        idle = self._phase
        if event.routine is None and event.unfinished is not None and isinstance(idle, Idle):
            idle.offer(self._stage, *event.unfinished)
        elif event.routine is None:
            self._move(idle.enter(self._stage))
        else:
            self._move(start(self._stage, Meaning(Intent.START, topic=event.routine)))

    def _hear(self, heard: Heard) -> None:
        s = self._stage
        if heard.level is Level.VOICE:
            s.somebody_talks()
            return
        if heard.intent is None:
            self._not_understood()
            return
        meaning = self._known(Meaning(heard.intent, heard.value, heard.topic))
        if heard.level is Level.SUSPECT:
            self._suspect(meaning, heard.ear)
        elif meaning.intent is Intent.PAUSE and heard.ear is Ear.ALARM:
            self._perhaps_pause()
        elif meaning.intent in SAFETY:
            if heard.level is Level.CONFIRMED:
                self._confirmed_at = s.now
            self._halt(meaning, pressed=heard.ear is Ear.BUTTON)
        elif s.now >= self._confirmed_at + SAME_UTTERANCE_SECONDS:
            if meaning.topic == ELSEWHERE and not self._is_for_us(heard.ear):
                self._not_understood()
            else:
                self._obey(meaning)

    def _is_for_us(self, ear: Ear) -> bool:
        """People who talk to each other in the room ask questions too; a typed one is for us."""
        spoken_to = self._stage.last_heard_at
        recently = spoken_to > 0.0 and self._stage.now < spoken_to + CONVERSATION_SECONDS
        return ear is Ear.KEYBOARD or recently

    def _known(self, meaning: Meaning) -> Meaning:
        """A safety word whose topic nobody has advice for is the safety word all the same."""
        if meaning.intent in SAFETY and meaning.topic not in self._stage.advice:
            return Meaning(meaning.intent, meaning.value)
        return meaning

    def _suspect(self, meaning: Meaning, ear: Ear) -> None:
        """Rest for a moment. What only a poor word ear can know of is not passed over: everything
        rests until the person's word, and said once more it is a halt."""
        if self._poor_words and ear is Ear.WORDS and meaning.intent in ONLY_IN_WORDS:
            if self.state is State.PAUSED and self._suspected is meaning.intent:
                self._halt(meaning)
            elif self.state in MASSAGE:
                self._suspected = meaning.intent
                self._move(Trigger.PAUSE)
            return
        if meaning.intent in SAFETY and self.state in MASSAGE:
            self._rest_for_a_moment()

    def _perhaps_pause(self) -> None:
        """The sound of "pause", which "four" and "hold" come near: the massager rests at once, the
        session after a moment, in which a word ear may tell that it was another word."""
        if self.state in MASSAGE:
            self._pause_at = self._stage.now + PAUSE_SECONDS
            self._rest_for_a_moment()

    def _rest_for_a_moment(self) -> None:
        s = self._stage
        self._suspect_until = s.now + SUSPECT_SECONDS
        if s.governor.on:
            s.emit(s.governor.off("suspect", s.now))

    def _suspect_no_more(self) -> None:
        """It has become sure, or was something else."""
        self._suspect_until = self._pause_at = None

    def _halt(self, meaning: Meaning, *, pressed: bool = False) -> None:
        """Off, then what the sign asks for. A pressed stop does not prove that one is heard."""
        s = self._stage
        s.emit(s.governor.off(meaning.intent.value, s.now))
        self._suspect_no_more()
        s.last_heard_at = s.now
        said_stop = meaning.intent is Intent.STOP and not pressed
        if said_stop and s.now < s.checked_at + SAME_WORD_SECONDS:
            return
        if said_stop and self.state is State.HEARING_CHECK:
            self._move(self._phase.answers(s)[Intent.STOP](s, meaning))
            return
        if self._same_word(meaning):
            return
        tier = self._tier(meaning)
        if SERIOUS.get(self.state, 0) < SERIOUSNESS[tier]:
            s.complaint = advice_id(meaning)
        if self.state is State.ENDED:
            self._advise_after_the_end(tier)
            return
        if tier in LOCKING:
            s.why = "halted"
            s.governor.disarm()
        elif self.state in LOCKED:
            tier = Tier.STOP
        if tier is not Tier.STOP and SERIOUS.get(self.state, 0) >= SERIOUSNESS[tier]:
            return
        trigger = TIER_TRIGGER[tier]
        self._move(trigger if (trigger, self.state) in LEGAL else Trigger.HALT)

    def _same_word(self, meaning: Meaning) -> bool:
        """The word that halted us a moment ago, heard by another ear or to its end."""
        now = self._stage.now
        last = self._halted_at.get(meaning.intent)
        halted = self.state.top in ("halted", "paused", "closing", "ended")
        same = last is not None and now - last < SAME_WORD_SECONDS and halted
        if not same:
            self._halted_at[meaning.intent] = now
        return same

    def _tier(self, meaning: Meaning) -> Tier:
        advice = self._stage.advice.get(advice_id(meaning))
        return advice.tier if advice else DEFAULT_TIER[meaning.intent]

    def _advise_after_the_end(self, tier: Tier) -> None:
        s = self._stage
        s.hush()
        s.emit(AdviceGiven(s.complaint, tier.value))
        for part in ("heard", "say"):
            if s.script.has(f"advice.{s.complaint}.{part}"):
                s.then(f"advice.{s.complaint}.{part}")

    def _obey(self, meaning: Meaning) -> None:
        """An ordinary word. In a session, "I have a headache" is no wish to start: it is a sign."""
        s = self._stage
        if self._pause_at is not None:
            self._suspect_no_more()
        if meaning.topic == "headache" and self.state in UNDER_WAY:
            self._halt(Meaning(Intent.DIZZY, topic="headache"))
            return
        if meaning.topic != ELSEWHERE:
            s.last_heard_at = s.now
        if self.state is State.ENDED:
            return
        s.interrupt()
        pending, s.pending = s.pending, None
        if pending and s.now <= pending.until and meaning.intent in (Intent.YES, Intent.NO):
            self._move(anytime.settle(pending, self._phase, s, meaning))
            return
        answer = self._phase.answers(s).get(meaning.intent)
        if answer is not None:
            self._move(answer(s, meaning))
        elif meaning.intent is Intent.PAUSE and (Trigger.PAUSE, self.state) in LEGAL:
            self._move(Trigger.PAUSE)
        elif meaning.intent is Intent.FINISH and (Trigger.CLOSE, self.state) in LEGAL:
            s.why = "declined"
            s.say("not_now")
            self._move(Trigger.CLOSE)
        else:
            anytime.answer(self._phase, s, meaning, self.state)

    def _not_understood(self) -> None:
        s = self._stage
        if self.waiting:
            self._no_answer()
        elif self.state.top == "paused":
            anytime.not_understood(s, Meaning(Intent.HELP), self.state)

    def _no_answer(self) -> None:
        if not self._stage.ask_again():
            self._move(self._phase.unanswered(self._stage))

    # Speaking

    def _said(self, event: SayEnded) -> None:
        if not event.cut and self._stage.said(event.prompt):
            self._move(self._phase.all_said(self._stage))

    def _mind_the_volume(self) -> None:
        """Low in quiet hours, but never while a sign of danger or a fault is spoken of."""
        s = self._stage
        low = s.quiet and self.state not in (*LOCKED, State.PAUSED_FAULT)
        level_db = s.manners.volume_db + (QUIET_DB if low else 0.0)
        if level_db != self._volume_db:
            self._volume_db = level_db
            s.emit(Volume(level_db))

    # What the devices tell

    def _beat(self, event: Health, now: float) -> None:
        s = self._stage
        s.noise_db = min(s.noise_db + NOISE_RISES_DB, event.level_db)
        self._stage.governor.hears(event.block_age, event.ears_answer, event.practice, now)
        healthy = event.ears_answer and event.block_age < HEALTHY_SECONDS
        if healthy and s.fault in NOTICED_HERE and s.fault not in self._standing:
            self._recovered(s.fault)

    def _report(self, report: MassagerReport) -> None:
        governor = self._stage.governor
        governor.reported(report)
        if governor.disobeys() and self._stage.fault != "device_failed":
            self._stage.emit(governor.off("disobeys", self._stage.now))
            self._fault("device_failed")

    def _told_fault(self, what: str) -> None:
        """A fault that somebody told, who will tell its end, too."""
        if what == OTHER_VOICE:
            self._say_who_speaks()
            return
        if what in LASTING:
            self._standing.add(what)
        self._fault(what)

    def _fault(self, what: str) -> None:
        s = self._stage
        s.emit(s.governor.off(what, s.now))
        if self.state is State.PAUSED_FAULT and s.fault == what:
            return
        s.emit(FaultNoted(what))
        self._suspect_no_more()
        if self.state in (State.ENDED, State.IDLE, State.CLOSING, *LOCKED):
            return
        s.fault = what
        if what in ("device_failed", "audio_gave_up"):
            s.governor.disarm()
        self._move(Trigger.FAULT)

    def _say_who_speaks(self) -> None:
        """Nothing has to rest for that; but a strange voice in the dark is to be explained."""
        if self.state is not State.ENDED:
            self._stage.then(f"fault.{OTHER_VOICE}")

    def _recovered(self, what: str) -> None:
        """One fault is over; another one that still stands is said in its place."""
        s = self._stage
        phase = self._phase
        self._standing.discard(what)
        if s.fault == what and self._standing:
            s.fault = min(self._standing)
            s.say(fault_prompt(s))
        elif s.fault == what and isinstance(phase, Faulty):
            phase.recovered(s)
        elif s.fault == what:
            s.fault = None

    # Time

    def _time_runs(self) -> bool:
        return self._phase.time_runs and self._suspect_until is None

    def _let_time_pass(self, now: float) -> None:
        s = self._stage
        passed = max(0.0, now - s.now)
        runs = self._time_runs()
        s.now = max(s.now, now)
        if not runs:
            return
        for mark in s.way.run(passed):
            before = self.state
            self._move(self._phase.reached(s, mark))
            if self.state is not before:
                return

    def _look_at_the_time(self, now: float) -> None:
        s = self._stage
        if self._suspect_until is not None and now >= self._suspect_until:
            self._suspect_until = None
        if self._pause_at is not None and now >= self._pause_at:
            self._obey(Meaning(Intent.PAUSE))
        question = s.question
        if question is not None and question.silent_at is not None and now >= question.silent_at:
            question.silent_at = None
            self._no_answer()
        if s.wake_at is not None and now >= s.wake_at:
            self._move(self._phase.woken(s))
        if s.speak_by is not None and now >= s.speak_by:
            s.speaking = s.speak_by = None
            if s.fault != "loudspeaker_lost":  # which is why nothing was spoken
                self._fault("voice_failed")

    def _govern(self, now: float) -> None:
        s = self._stage
        suspecting = self._suspect_until is not None
        s.governor.want(self._phase.wants_massager(s) and not suspecting)
        command = s.governor.decide(now)
        if command is not None:
            s.emit(command)
        if isinstance(command, MassagerOff) and self.state in MASSAGE:
            self._refused(command.why)
        self._tell_what_is_expected()

    def _refused(self, why: str) -> None:
        if why in OFF_FAULTS:
            self._fault(OFF_FAULTS[why])
        elif why == "session limit":
            self._stage.say("massage.done")
            self._move(Trigger.DONE)

    def _tell_what_is_expected(self) -> None:
        expect = expected(self._phase, self._stage, self.state)
        if expect != self._expected:
            self._expected = expect
            self._stage.emit(expect)
