"""Halts: the massager is off already; then hush, the advice of the tier, its one question, its end.

Nothing here leads back to a massage but "continue" after a plain stop.
"""

from collections.abc import Mapping

from assistant.messages import AdviceGiven
from assistant.phases.massage_verbs import finish
from assistant.phases.phase import Answer, Phase, Reply
from assistant.phases.rests import REST_ANSWERS, end_kindly, go_on
from assistant.safety import Tier
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

REPEAT_SECONDS = 8.0
PATIENT_SECONDS = 30.0
OFTEN = 10
"""An emergency is repeated every 8 s ten times, then every 30 s, until somebody answers."""
SUDDEN_ANSWERS = frozenset({Intent.YES, Intent.NO, Intent.UNSURE})


def advice_prompt(s: Stage, part: str) -> str:
    """The prompt of one part of the advice for the complaint."""
    return f"advice.{s.complaint}.{part}"


def give(s: Stage, tier: Tier, *parts: str) -> None:
    """Say these parts of the advice, those that there are, and note that it was given."""
    s.emit(AdviceGiven(s.complaint, tier.value))
    for part in parts:
        if s.script.has(advice_prompt(s, part)):
            s.then(advice_prompt(s, part))


class Halted(Phase):
    """A plain stop: "continue" undoes it, so that a false one costs one word."""

    def enter(self, s: Stage) -> Reply:
        """Say that all is still."""
        s.hush()
        s.answered()
        s.emit(AdviceGiven("stop", Tier.STOP.value))
        s.say("stopped")
        s.wake_at = s.now + s.manners.pause_seconds
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Continue or finish."""
        return {
            Intent.CONTINUE: go_on,
            Intent.YES: go_on,
            Intent.READY: go_on,
            Intent.START: go_on,
            Intent.FINISH: self._finish,
            Intent.NO: self._finish,
            Intent.NOT_NOW: self._finish,
            Intent.GOOD_NIGHT: self._finish,
        }

    def woken(self, s: Stage) -> Reply:
        """Ask once more what shall be."""
        s.wake_at = None
        s.ask("stopped.again", REST_ANSWERS, tries=2)
        return None

    def unanswered(self, s: Stage) -> Reply:
        """Nobody answers: end here."""
        return end_kindly(s, "stopped.unanswered")

    def halted_here(self, s: Stage) -> Reply:
        """Halted already."""
        return None

    def again(self, s: Stage) -> None:
        """What can be said now."""
        s.then("stopped")

    def _finish(self, s: Stage, meaning: Meaning) -> Reply:
        if s.course is None:
            return end_kindly(s, "not_now")
        s.answered()
        s.wake_at = None
        reply = finish(s, meaning)
        s.why = "stopped"
        return reply


class Locked(Phase):
    """What the locked states share: continue is refused with the reason."""

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """No way back."""
        return {Intent.CONTINUE: self._locked, Intent.START: self._locked}

    def _locked(self, s: Stage, meaning: Meaning) -> Reply:
        s.say("halted.locked")
        self.again(s)
        return None


class Asking(Locked):
    """A warning: one question tells rest from emergency. Yes, unsure or silence is the worse."""

    def enter(self, s: Stage) -> Reply:
        """Say what was heard, what to do, and ask."""
        s.hush()
        s.answered()
        s.wake_at = None
        give(s, Tier.WARNING, "heard", "say")
        s.ask(advice_prompt(s, "ask"), SUDDEN_ANSWERS, tries=2)
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Only a clear no is a no."""
        return {
            **super().answers(s),
            Intent.NO: self._no,
            Intent.YES: self._worse,
            Intent.UNSURE: self._worse,
        }

    def unanswered(self, s: Stage) -> Reply:
        """Silence counts as yes."""
        s.answered()
        return Trigger.ALARM

    def halted_here(self, s: Stage) -> Reply:
        """The word that stops is no answer: ask again; it was asked often enough: the worse."""
        s.hush()
        return None if s.ask_again() else self.unanswered(s)

    def _no(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        s.say(advice_prompt(s, "if_no"))
        return Trigger.REST

    def _worse(self, s: Stage, meaning: Meaning) -> Reply:
        return self.unanswered(s)


class Emergency(Locked):
    """Call for help: repeated until somebody answers."""

    def __init__(self) -> None:
        self._repeats = 0

    def enter(self, s: Stage) -> Reply:
        """Say it, the words of the complaint first."""
        s.hush()
        s.answered()
        self._repeats = 0
        advice = s.advice.get(s.complaint)
        if advice is not None and advice.tier is Tier.EMERGENCY:
            give(s, Tier.EMERGENCY, "heard", "say")
        else:
            give(s, Tier.EMERGENCY, "if_yes_or_silent")
        s.wake_at = None
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Any word that shows that the person has heard."""
        heard = (Intent.YES, Intent.READY, Intent.FINISH, Intent.GOOD_NIGHT)
        return {**super().answers(s), **dict.fromkeys(heard, self._acknowledged)}

    def all_said(self, s: Stage) -> Reply:
        """Wait, then repeat."""
        s.wake_at = s.now + (REPEAT_SECONDS if self._repeats < OFTEN else PATIENT_SECONDS)
        return None

    def woken(self, s: Stage) -> Reply:
        """Nobody has answered: again."""
        s.wake_at = None
        self._repeats += 1
        s.say(advice_prompt(s, "repeat"))
        return None

    def again(self, s: Stage) -> None:
        """What matters now."""
        s.then(advice_prompt(s, "repeat"))

    def halted_here(self, s: Stage) -> Reply:
        """The word that stops shows that the person is there."""
        return self._acknowledged(s, Meaning(Intent.STOP))

    def _acknowledged(self, s: Stage, meaning: Meaning) -> Reply:
        s.hush()
        s.say(advice_prompt(s, "answered"))
        return Trigger.REST


class Resting(Locked):
    """No more massage today; what was said is said to its end, then the session closes."""

    def enter(self, s: Stage) -> Reply:
        """After a device that is hot or caught, say what to do with it."""
        s.answered()
        s.wake_at = None
        s.why = "halted"
        advice = s.advice.get(s.complaint)
        if advice is not None and advice.tier is Tier.DEVICE:
            s.hush()
            give(s, Tier.DEVICE, "heard", "say")
        s.then("halted.rest")
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Nothing but the end is left."""
        return {**super().answers(s), Intent.FINISH: self._close, Intent.YES: self._close}

    def all_said(self, s: Stage) -> Reply:
        """Go on to the closing words."""
        return Trigger.CLOSE

    def again(self, s: Stage) -> None:
        """What was asked was answered; then what is left."""
        s.then("halted.rest")

    def halted_here(self, s: Stage) -> Reply:
        """Silence, and the end."""
        s.hush()
        return Trigger.CLOSE

    def _close(self, s: Stage, meaning: Meaning) -> Reply:
        return Trigger.CLOSE
