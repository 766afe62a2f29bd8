"""Is a massage safe, and is the person heard: the screening, the hearing check, the hands instead.

Nothing here may be skipped by a voice command; only a setting can leave the screening out.
"""

from collections.abc import Mapping
from math import ceil

from assistant.messages import Enrol
from assistant.phases.phase import YES_NO, Answer, Phase, Reply, close, not_now, unclear
from assistant.routine import Tool
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

HANDS_ROUTINE = "hands-on"
REASONS = ("injury", "surgery", "sudden", "clots", "skin", "condition")
"""The article's six reasons to skip massage, one question each."""
LOUD_ROOM_DB = -40.0
"""A room louder than this, 10 dB below a person's voice, is asked for the word twice."""


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
        s.calm_offered = True
        return close(s, "unanswered", "screening.unanswered")

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
        s.calm_offered = True
        return close(s, "declined", f"screening.{REASONS[s.reason]}.declined")


class HearingCheck(Phase):
    """Nobody who has not been heard gets a massager. A passed check is never called a guarantee."""

    def enter(self, s: Stage) -> Reply:
        """Ask for the word, where a massager is to be used."""
        if s.tool is not Tool.MASSAGER:
            return Trigger.CHECKED
        if s.governor.given_up:
            s.say("fault.device_failed")
            return Trigger.UNHEARD
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
        return close(s, "unanswered", "choosing.unanswered")

    def _yes(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        s.routine = s.routines[HANDS_ROUTINE]
        return Trigger.CHECKED
