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

from assistant import complaints
from assistant.consequences import OFF_FAULTS
from assistant.expecting import expected
from assistant.faults import EARS_GONE, NOTHING_RUNS, Faults
from assistant.messages import (
    Begin,
    Effect,
    Event,
    Expect,
    MassagerOff,
    MassagerReport,
    TimeOfDay,
    Volume,
)
from assistant.moves import Moves
from assistant.phases import anytime
from assistant.phases.choosing import Idle, start
from assistant.phases.phase import Phase, not_now
from assistant.quiet_hours import QUIET_DB
from assistant.routine import Routine
from assistant.safety import Advice, Governor
from assistant.same_word import SAME_WORD_SECONDS, SameWord
from assistant.script import Script
from assistant.stage import Manners, Stage
from assistant.state import LOCKED, MASSAGE, UNDER_WAY, State, Trigger
from assistant.suspicion import Suspicion
from audio.messages import Ear, Fault, Health, Heard, Level, Ready, Recovered, SayEnded
from intents.intent import SAFETY, Intent, Meaning
from intents.phrasebook import ELSEWHERE

HEALTHY_SECONDS = 1.0
AT_REST = frozenset({"halted", "paused", "closing", "ended"})
"""Top names of the states in which no massage is under way any more."""
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
        self._moves = Moves(self._stage)
        self._suspicion = Suspicion(self._stage)
        self._same_word = SameWord()
        self._faults = Faults(self._stage, self._suspicion)
        self._expected: Expect | None = None
        self._began = False
        self._volume_db = 0.0

    # What can be asked of it

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._moves.state

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
        times = [s.deadline, *self._suspicion.deadlines]
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
                self._moves.follow(self._faults.reported(event, self.state))
            case Fault() | Recovered():
                self._break_or_mend(event)
            case Ready():
                self._suspicion.listens_with(event.engine)
            case Begin():
                self._begin(event)
            case TimeOfDay():
                hours = self._stage.manners.quiet
                self._stage.quiet = hours is not None and hours.hold(event.minutes)
            case _:
                pass
        self._look_at_the_time(now)
        self._mind_what_is_broken()
        self._govern(now)
        self._mind_the_volume()
        return self._stage.take()

    @property
    def _phase(self) -> Phase:
        return self._moves.phase

    # Hearing

    def _begin(self, event: Begin) -> None:
        if self._began:
            return
        self._began = True
        idle = self._phase
        if event.routine is None and event.unfinished is not None and isinstance(idle, Idle):
            idle.offer(self._stage, *event.unfinished)
        elif event.routine is None:
            self._moves.follow(idle.enter(self._stage))
        else:
            self._moves.follow(start(self._stage, Meaning(Intent.START, topic=event.routine)))

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
            if self.state in MASSAGE:
                self._suspicion.rest_for_a_pause()
        elif meaning.intent in SAFETY:
            if heard.level is Level.CONFIRMED:
                self._same_word.confirmed(s.now)
            self._halt(meaning, pressed=heard.ear is Ear.BUTTON)
        elif not self._same_word.still_spoken(s.now):
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
        if self._suspicion.needs_repeating(meaning.intent, ear):
            if self.state is State.PAUSED and self._suspicion.paused_for is meaning.intent:
                self._halt(meaning)
            elif self.state in MASSAGE:
                self._suspicion.paused_for = meaning.intent
                self._moves.follow(Trigger.PAUSE)
        elif meaning.intent in SAFETY and self.state in MASSAGE:
            self._suspicion.rest()

    def _halt(self, meaning: Meaning, *, pressed: bool = False) -> None:
        """Off, then what the sign asks for. A pressed stop does not prove that one is heard."""
        s = self._stage
        s.emit(s.governor.off(meaning.intent.value, s.now))
        self._suspicion.end()
        s.pending = None
        s.last_heard_at = s.now
        said_stop = meaning.intent is Intent.STOP and not pressed
        if said_stop and s.now < s.checked_at + SAME_WORD_SECONDS:
            return
        if said_stop and self.state is State.HEARING_CHECK:
            self._moves.follow(self._phase.answers(s)[Intent.STOP](s, meaning))
            return
        halted = self.state.top in AT_REST
        if not self._same_word.halts_again(meaning, s.now, halted=halted):
            self._moves.follow(complaints.take(s, meaning, self.state))

    def _obey(self, meaning: Meaning) -> None:
        """An ordinary word. In a session, "I have a headache" is no wish to start: it is a sign."""
        s = self._stage
        self._suspicion.take_word()
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
            self._moves.follow(anytime.settle(pending, self._phase, s, meaning))
            return
        answer = self._phase.answers(s).get(meaning.intent)
        if answer is not None:
            self._moves.follow(answer(s, meaning))
        elif meaning.intent is Intent.PAUSE and self._moves.allows(Trigger.PAUSE):
            self._moves.follow(Trigger.PAUSE)
        elif meaning.intent is Intent.FINISH and self._moves.allows(Trigger.CLOSE):
            self._moves.follow(not_now(s, meaning))
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
            self._moves.follow(self._phase.unanswered(self._stage))

    # Speaking

    def _said(self, event: SayEnded) -> None:
        if not event.cut and self._stage.said(event.prompt):
            self._moves.follow(self._phase.all_said(self._stage))

    def _never_said(self) -> None:
        """Nobody will tell the end of what is being said. Where nothing runs it counts as said:
        an emergency that lost one sentence must not be silent for ever."""
        s = self._stage
        if self.state in NOTHING_RUNS and s.speaking is not None and s.said(s.speaking):
            self._moves.follow(self._phase.all_said(s))

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
        s.governor.hears(event.block_age, event.ears_answer, event.practice, now)
        healthy = event.ears_answer and event.block_age < HEALTHY_SECONDS
        self._faults.beat(healthy, self._phase)

    def _break_or_mend(self, event: Fault | Recovered) -> None:
        if isinstance(event, Fault):
            self._moves.follow(self._faults.told(event.what, self.state))
            lost = event.what == "voice_failed"
        else:
            self._faults.recovered(event.what, self._phase)
            lost = event.what in EARS_GONE
        if lost:
            self._never_said()

    def _fault(self, what: str) -> None:
        """A fault that shows here."""
        self._moves.follow(self._faults.noticed(what, self.state))

    # Time

    def _time_runs(self) -> bool:
        return self._phase.time_runs and not self._suspicion.on

    def _let_time_pass(self, now: float) -> None:
        s = self._stage
        passed = max(0.0, now - s.now)
        runs = self._time_runs()
        s.now = max(s.now, now)
        if not runs:
            return
        for mark in s.way.run(passed):
            before = self.state
            self._moves.follow(self._phase.reached(s, mark))
            if self.state is not before:
                return

    def _look_at_the_time(self, now: float) -> None:
        s = self._stage
        if self._suspicion.pass_until(now):
            self._obey(Meaning(Intent.PAUSE))
        question = s.question
        if question is not None and question.silent_at is not None and now >= question.silent_at:
            question.silent_at = None
            self._no_answer()
        if s.wake_at is not None and now >= s.wake_at:
            self._moves.follow(self._phase.woken(s))
        if s.speak_by is not None and now >= s.speak_by:
            self._never_said()
            if s.speak_by is not None and now >= s.speak_by:
                s.speaking = s.speak_by = None
            if s.fault != "loudspeaker_lost":  # which is why nothing was spoken
                self._fault("voice_failed")

    def _mind_what_is_broken(self) -> None:
        """No word leads into a massage while a fault stands that makes it blind, deaf or mute."""
        if self.state in MASSAGE and self._faults.standing is not None:
            self._fault(self._faults.standing)

    def _govern(self, now: float) -> None:
        s = self._stage
        s.governor.want(self._phase.wants_massager(s) and not self._suspicion.on)
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
            self._moves.follow(Trigger.DONE)

    def _tell_what_is_expected(self) -> None:
        expect = expected(self._phase, self._stage, self.state)
        if expect != self._expected:
            self._expected = expect
            self._stage.emit(expect)
