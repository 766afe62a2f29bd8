"""Before the massage: what is wanted, is it safe, is the person heard, how does it feel.

Nothing here may be skipped by a voice command; only a setting can leave the screening out.
"""

from collections.abc import Mapping
from math import ceil

from assistant.course import Course
from assistant.messages import Enrol, Rated, Tone
from assistant.phases.phase import Answer, Phase, Reply, unclear
from assistant.routine import Tool
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

TOOL_ROUTINE = {"massager": "neck-massager", "hands": "hands-on", "balls": "roll-out"}
RELAXING_ROUTINE = "paced-breathing"
HANDS_ROUTINE = "hands-on"
REASONS = ("injury", "surgery", "sudden", "clots", "skin", "condition")
"""The article's six reasons to skip massage, one question each."""
LOUD_ROOM_DB = -40.0
"""A room louder than this, 10 dB below a person's voice, is asked for the word twice."""
YES_NO = frozenset({Intent.YES, Intent.NO, Intent.UNSURE})
RATED_KINDS = frozenset({"massage", "breathing", "rest", "movement"})


def choose(s: Stage, name: str) -> Reply:
    """Take the routine `name`; without such a routine the choice stays open."""
    if name not in s.routines:
        s.say("choosing.unknown")
        return None
    s.routine, s.course, s.reason = s.routines[name], None, 0
    s.answered()
    return Trigger.CHOSEN


def start(s: Stage, meaning: Meaning) -> Reply:
    """ "Start neck massage", with or without a tool, or another routine by its name."""
    wanted = meaning.topic
    if wanted == "headache":
        s.red_flags_first = True
        return Trigger.CHOOSE
    if wanted == "relax":
        return choose(s, RELAXING_ROUTINE)
    if wanted is None and not s.manners.default_tool:
        return Trigger.CHOOSE
    return choose(s, wanted or TOOL_ROUTINE[s.manners.default_tool])


def tool(s: Stage, meaning: Meaning) -> Reply:
    """A tool by its name."""
    return choose(s, TOOL_ROUTINE.get(meaning.topic or "", ""))


def not_now(s: Stage, meaning: Meaning) -> Reply:
    """The person would rather not."""
    s.answered()
    s.why = "declined"
    s.say("not_now")
    return Trigger.CLOSE


def _woken(answer: Answer) -> Answer:
    """The start phrase was understood: the tone says so before any word, where it is wanted."""

    def chimed(s: Stage, meaning: Meaning) -> Reply:
        if s.manners.chime and not s.quiet:
            s.emit(Tone("begin"))
        return answer(s, meaning)

    return chimed


class Idle(Phase):
    """Listening for the start."""

    def enter(self, s: Stage) -> Reply:
        """Say that somebody listens."""
        s.say("idle.ready")
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Only a start leads on."""
        return {
            Intent.START: _woken(start),
            Intent.TOOL: _woken(tool),
            Intent.YES: self._go_on,
            Intent.CONTINUE: self._go_on,
            Intent.NO: self._let_be,
            Intent.NOT_NOW: self._not_now,
            Intent.FINISH: not_now,
        }

    def offer(self, s: Stage, routine: str, step: int) -> None:
        """The last session broke: would the person go on from there? The questions come first."""
        s.unfinished = (routine, step)
        s.say("ended.unclean")

    def _go_on(self, s: Stage, meaning: Meaning) -> Reply:
        if s.unfinished is None:
            s.say("not_sensible.idle")
            return None
        routine, step = s.unfinished
        rest = s.governor.rest_seconds(s.now)
        if rest > 0 and s.routines[routine].tool is Tool.MASSAGER:
            s.say("rest.wait", minutes=ceil(rest / 60))
            s.wake_at = s.now + rest
            return None
        s.unfinished = None
        s.begin_at_step = step - 1
        return choose(s, routine)

    def woken(self, s: Stage) -> Reply:
        """The rest that kept a broken session from going on is over."""
        s.wake_at = None
        s.say("rest.over")
        return None

    def _not_now(self, s: Stage, meaning: Meaning) -> Reply:
        """Go on listening, and leave the person alone."""
        s.unfinished = None
        s.say("not_now")
        return None

    def _let_be(self, s: Stage, meaning: Meaning) -> Reply:
        s.say("idle.ready" if s.unfinished is None else "ended.declined")
        s.unfinished = None
        return None

    def halted_here(self, s: Stage) -> Reply:
        """Nothing runs; say so by saying what would start."""
        s.hush()
        s.say("idle.ready")
        return None


class Choosing(Phase):
    """Which tool. A person with a headache is asked for the signs of danger first."""

    def enter(self, s: Stage) -> Reply:
        """Ask once for the tool."""
        if s.red_flags_first:
            s.ask("idle.red_flags", YES_NO)
        else:
            s.ask("choosing.ask", frozenset({Intent.TOOL, Intent.START}))
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """A tool or a routine; first the red flags where they were asked."""
        if s.red_flags_first:
            return {
                Intent.YES: self._flagged,
                Intent.UNSURE: self._flagged,
                Intent.NO: self._no_flags,
            }
        return {Intent.TOOL: tool, Intent.START: self._start, Intent.NOT_NOW: not_now}

    def unanswered(self, s: Stage) -> Reply:
        """No choice: end kindly. No answer about red flags: take it as a yes."""
        if s.red_flags_first:
            return self._flagged(s, Meaning(Intent.UNSURE))
        s.answered()
        s.why = "unanswered"
        s.say("choosing.unanswered")
        return Trigger.CLOSE

    def _start(self, s: Stage, meaning: Meaning) -> Reply:
        if meaning.topic in s.routines:
            return choose(s, meaning.topic or "")
        return None if s.ask_again() else self.unanswered(s)

    def _flagged(self, s: Stage, meaning: Meaning) -> Reply:
        s.red_flags_first, s.complaint = False, "headache"
        return Trigger.ALARM

    def _no_flags(self, s: Stage, meaning: Meaning) -> Reply:
        s.red_flags_first = False
        s.answered()
        s.say("idle.red_flags.clear")
        return self.enter(s)


class Screening(Phase):
    """The six reasons to skip massage, one at a time."""

    def enter(self, s: Stage) -> Reply:
        """Ask the reason that is due."""
        rest = s.governor.rest_seconds(s.now)
        if s.tool is Tool.MASSAGER and rest > 0:
            s.why = "declined"
            s.say("rest.wait", minutes=ceil(rest / 60))
            return Trigger.CLOSE
        if s.routine is None or not s.routine.screening or not s.manners.screening:
            return Trigger.CLEARED
        if s.reason == 0:
            s.say("screening.intro")
        s.ask(f"screening.{REASONS[s.reason]}", YES_NO)
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """No leads on, yes ends kindly, unsure is no clear answer."""
        return {
            Intent.NO: self._no,
            Intent.YES: self._yes,
            Intent.UNSURE: unclear(self),
            Intent.NOT_NOW: not_now,
        }

    def unanswered(self, s: Stage) -> Reply:
        """Without a clear answer there is no massage."""
        s.answered()
        s.why = "unanswered"
        s.say("screening.unanswered")
        return Trigger.CLOSE

    def _no(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        s.reason += 1
        if s.reason < len(REASONS):
            s.ask(f"screening.{REASONS[s.reason]}", YES_NO)
            return None
        s.reason = 0
        s.say("screening.passed")
        return Trigger.CLEARED

    def _yes(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        s.why = "declined"
        s.say(f"screening.{REASONS[s.reason]}.declined")
        return Trigger.CLOSE


class HearingCheck(Phase):
    """Nobody who has not been heard gets a massager. A passed check is never called a guarantee."""

    def enter(self, s: Stage) -> Reply:
        """Ask for the word, where a massager is to be used."""
        if s.tool is not Tool.MASSAGER:
            return Trigger.CHECKED
        if s.governor.practice_only:
            s.say("hearing_check.practice")
            return Trigger.UNHEARD
        s.emit(Enrol(on=True))
        s.then("hearing_check.intro")
        s.ask("hearing_check.ask", frozenset({Intent.STOP}))
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """The word itself passes; anything else is not the word."""
        return {
            Intent.STOP: self._heard,
            Intent.NO: self._declined,
            Intent.NOT_NOW: not_now,
            Intent.YES: unclear(self),
        }

    def unanswered(self, s: Stage) -> Reply:
        """Not heard: no massager today, and why."""
        s.answered()
        s.governor.disarm()
        s.say("hearing_check.failed")
        return Trigger.UNHEARD

    def _heard(self, s: Stage, meaning: Meaning) -> Reply:
        if s.noise_db > LOUD_ROOM_DB and not s.heard_once:
            s.heard_once, s.checked_at = True, s.now
            s.say("hearing_check.again")
            return None
        s.answered()
        s.governor.arm()
        s.checked_at = s.now
        s.say("hearing_check.passed")
        return Trigger.CHECKED

    def _declined(self, s: Stage, meaning: Meaning) -> Reply:
        return self.unanswered(s)


class HandsOnly(Phase):
    """No massager today; with the hands it may go on."""

    def enter(self, s: Stage) -> Reply:
        """Offer it."""
        s.ask("hearing_check.hands_only", YES_NO)
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Yes goes on with the hands."""
        return {
            Intent.YES: self._yes,
            Intent.CONTINUE: self._yes,
            Intent.NO: not_now,
            Intent.NOT_NOW: not_now,
            Intent.UNSURE: unclear(self),
        }

    def unanswered(self, s: Stage) -> Reply:
        """Nobody answers: end kindly."""
        s.answered()
        s.why = "unanswered"
        s.say("choosing.unanswered")
        return Trigger.CLOSE

    def _yes(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        s.routine = s.routines[HANDS_ROUTINE]
        return Trigger.CHECKED


class Rating(Phase):
    """Zero to ten; `when` is before or after."""

    def __init__(self, when: str) -> None:
        self._when = when

    def enter(self, s: Stage) -> Reply:
        """Ask for the number."""
        if s.routine is None or s.routine.kind not in RATED_KINDS:
            return Trigger.RATED
        s.wake_at = None
        s.ask(f"rating_{self._when}.ask", frozenset({Intent.NUMBER}))
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """A number, or rather not."""
        return {
            Intent.NUMBER: self._number,
            Intent.SKIP: self._skipped,
            Intent.NEXT: self._skipped,
            Intent.NO: self._skipped,
            Intent.UNSURE: self._skipped,
            Intent.NOT_NOW: self._skipped,
            Intent.FINISH: self._skipped,
        }

    def unanswered(self, s: Stage) -> Reply:
        """A number is never insisted on."""
        return self._skipped(s, Meaning(Intent.SKIP))

    def _number(self, s: Stage, meaning: Meaning) -> Reply:
        value = meaning.value
        if value is None or not 0 <= value <= 10:
            return None if s.ask_again() else self.unanswered(s)
        s.answered()
        s.ratings[self._when] = value
        s.emit(Rated(self._when, value))
        self._comment(s, value)
        return Trigger.RATED

    def _comment(self, s: Stage, value: int) -> None:
        if self._when == "before":
            s.say("rating_before.noted", number=value)
            return
        before = s.ratings.get("before", value)
        way = "same" if value == before else "lower" if value < before else "higher"
        s.say(f"rating_after.{way}", before=before, after=value)

    def _skipped(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        s.say(f"rating_{self._when}.skipped")
        return Trigger.RATED


class Preparing(Phase):
    """Make ready: straps, hair, where to stand; then wait for "ready"."""

    def enter(self, s: Stage) -> Reply:
        """Say what will happen and what to make ready."""
        if s.routine is None:
            raise AssertionError("a routine was chosen before")
        s.then(f"{s.routine.name}.intro")
        if s.tool is Tool.MASSAGER:
            s.then("preparing.hair")
            s.then("preparing.switch")
            if s.governor.cap <= 1:
                s.then("preparing.lowest")
        if s.routine.setup:
            s.then(f"{s.routine.name}.setup")
            s.ask("preparing.ready", frozenset({Intent.READY, Intent.YES, Intent.CONTINUE}))
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Ready, in any of its forms."""
        ready = dict.fromkeys(
            (Intent.READY, Intent.YES, Intent.CONTINUE, Intent.NEXT, Intent.START), self._ready
        )
        return {**ready, Intent.NO: self._wait, Intent.PAUSE: self._wait, Intent.NOT_NOW: not_now}

    def all_said(self, s: Stage) -> Reply:
        """A routine with nothing to make ready begins by itself."""
        return None if s.question else self._ready(s, Meaning(Intent.READY))

    def unanswered(self, s: Stage) -> Reply:
        """Nobody is there: end kindly."""
        s.answered()
        s.why = "unanswered"
        s.say("preparing.unanswered")
        return Trigger.CLOSE

    def _ready(self, s: Stage, meaning: Meaning) -> Reply:
        if s.routine is None:
            raise AssertionError("a routine was chosen before")
        s.answered()
        s.course = Course(s.routine)
        s.course.go_to(min(s.begin_at_step, len(s.routine.steps) - 1))
        s.step_is_new, s.begin_at_step = True, 0
        s.governor.go_on()
        return Trigger.READY

    def _wait(self, s: Stage, meaning: Meaning) -> Reply:
        s.say("preparing.waiting")
        if s.question is not None:
            s.question.asked = 1
        return None


class Waiting(Phase):
    """Between two rounds of a routine that comes again, like the screen break."""

    def enter(self, s: Stage) -> Reply:
        """Set the reminder."""
        if s.routine is None:
            raise AssertionError("a routine was chosen before")
        s.answered()
        s.then("reminder.wait", minutes=round(s.routine.again_minutes))
        s.wake_at = s.now + 60.0 * s.routine.again_minutes
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Go on early, or finish."""
        now = dict.fromkeys((Intent.CONTINUE, Intent.START, Intent.NEXT), self._now)
        return {**now, Intent.FINISH: self._finish, Intent.NOT_NOW: self._later}

    def woken(self, s: Stage) -> Reply:
        """The reminder; in quiet hours there is none, and the next one is waited for."""
        if s.quiet and s.routine is not None:
            s.wake_at = s.now + 60.0 * s.routine.again_minutes
            return None
        return self._now(s, Meaning(Intent.CONTINUE))

    def _later(self, s: Stage, meaning: Meaning) -> Reply:
        s.say("reminder.later")
        return self.enter(s)

    def _finish(self, s: Stage, meaning: Meaning) -> Reply:
        s.wake_at = None
        s.say("ended.early")
        return Trigger.DONE

    def _now(self, s: Stage, meaning: Meaning) -> Reply:
        s.wake_at = None
        s.last_heard_at = s.now
        s.say("reminder.again")
        s.way.go_to(0)
        s.step_is_new = True
        return Trigger.READY
