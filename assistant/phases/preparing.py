"""Making ready for a routine, and waiting for the next round of one that comes again.

Nothing here may begin what wants making ready before the person's word, nor call anybody to a break
in quiet hours.
"""

from collections.abc import Mapping

from assistant.course import Course
from assistant.phases.phase import Answer, Phase, Reply, close, not_now
from assistant.routine import Tool
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning


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
        return close(s, "unanswered", "preparing.unanswered")

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
        s.moving = False
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
