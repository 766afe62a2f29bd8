"""The massage itself: speaking a step, doing it, holding on a knot.

It must never want the massager on but in the midst of a massage that is done by one.
"""

from collections.abc import Mapping

from assistant.course import Happening, Mark
from assistant.messages import HoldBegan, StepBegan, Tone
from assistant.phases.massage_verbs import ANSWERS, longer, step_over, step_prompt
from assistant.phases.phase import Answer, Phase, Reply
from assistant.routine import Tool
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

STILL_WITH_ME = frozenset({Intent.YES, Intent.CONTINUE})


class Moving(Phase):
    """What speaking, doing and holding share."""

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Every verb of a massage."""
        return ANSWERS

    def wants_massager(self, s: Stage) -> bool:
        """On once the massage itself has begun, where it is done by a massager that may run."""
        return s.moving and s.tool is Tool.MASSAGER and s.governor.armed


class Speaking(Moving):
    """The step's instruction is spoken; its time waits."""

    def enter(self, s: Stage) -> Reply:
        """Say the instruction."""
        s.wake_at = None
        s.answered()
        if s.step_is_new:
            s.step_is_new = False
            way = s.way
            s.emit(StepBegan(way.index + 1, way.step.name, len(way.routine.steps)))
        s.then(step_prompt(s))
        return None

    def all_said(self, s: Stage) -> Reply:
        """The instruction is over: the step's time begins."""
        return Trigger.SPOKEN

    def again(self, s: Stage) -> None:
        """An answer cut the instruction short: say it again."""
        s.then(step_prompt(s))


class Doing(Moving):
    """The step's time runs."""

    time_runs = True

    def enter(self, s: Stage) -> Reply:
        """A soft tone marks the beginning."""
        s.moving = True
        if s.way.countdown.left >= s.way.step.seconds:
            s.emit(Tone("begin"))
        s.wake_at = s.last_heard_at + s.manners.still_with_me_seconds
        return None

    def reached(self, s: Stage, mark: Mark) -> Reply:
        """A cue, the word of what comes, a tone of 3-2-1, a hold of its own, the end."""
        if mark.happening is Happening.CUE:
            s.then(f"{s.way.routine.name}.{s.way.step.id}.cue.{mark.number}")
        elif mark.happening is Happening.COMING:
            self._announce(s)
        elif mark.happening is Happening.TICK:
            s.emit(Tone("tick"))
        elif mark.happening is Happening.HOLD:
            s.way.begin_own_hold()
            return Trigger.HOLD
        else:
            return step_over(s)
        return None

    def woken(self, s: Stage) -> Reply:
        """Nobody was heard for a long while."""
        s.wake_at = s.last_heard_at + s.manners.still_with_me_seconds
        if s.now >= s.wake_at:
            s.wake_at = None
            s.ask("still_with_me", STILL_WITH_ME, tries=2)
        return None

    def unanswered(self, s: Stage) -> Reply:
        """Two silences: rest."""
        s.answered()
        s.say("still_with_me.pausing")
        return Trigger.PAUSE

    def again(self, s: Stage) -> None:
        """The time goes on; nothing needs to be said again."""

    def _announce(self, s: Stage) -> None:
        step = s.way.coming
        prompt = f"{s.way.routine.name}.{step.id}.coming" if step else ""
        if s.script.has(prompt):
            s.then(prompt)


class Holding(Moving):
    """Holding still on a knot; the step's own time waits."""

    time_runs = True

    def enter(self, s: Stage) -> Reply:
        """Say how long, unless the hold only goes on after a pause."""
        hold_ = s.way.hold
        if hold_ is None:
            return Trigger.LET_GO
        s.answered()
        s.emit(HoldBegan(hold_.left))
        s.emit(Tone("hold"))
        s.say("hold.begins", seconds=max(5, 5 * round(hold_.left / 5)))
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """As in a massage, but "release" lets go and a second "hold" lasts longer."""
        return {
            **ANSWERS,
            Intent.RELEASE: self._release,
            Intent.HOLD: longer,
            Intent.CONTINUE: self._release,
        }

    def reached(self, s: Stage, mark: Mark) -> Reply:
        """Tones of 3-2-1, then the end of the hold."""
        if mark.happening is Happening.TICK:
            s.emit(Tone("tick"))
            return None
        return self._end(s, "hold.ended")

    def again(self, s: Stage) -> None:
        """The hold goes on; nothing needs to be said again."""

    def _release(self, s: Stage, meaning: Meaning) -> Reply:
        return self._end(s, "hold.released")

    def _end(self, s: Stage, prompt: str) -> Reply:
        s.emit(Tone("release"))
        s.say(prompt)
        if s.way.end_hold():
            return step_over(s)
        unspoken = s.way.countdown.left >= s.way.step.seconds
        return Trigger.STEP if unspoken else Trigger.LET_GO
