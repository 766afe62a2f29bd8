"""Rests: a pause, a sore spot, a fault. Everything is off, and only the person's word goes on.

A rest changes nothing but time: the step, its seconds and the hold wait as they are.
"""

from collections.abc import Mapping

from assistant.messages import AdviceGiven, Tone
from assistant.phases.massage_verbs import back, finish, next_step, skip_side, skip_step, start_over
from assistant.phases.phase import Answer, Phase, Reply, close, unclear
from assistant.stage import Stage
from assistant.state import MASSAGE, Trigger
from intents.intent import Intent, Meaning

GIVE_UP_SECONDS = 60.0
"""A fault that lasts longer ends the session."""
LASTING = frozenset(
    {
        "microphone_lost",
        "microphone_muted",
        "microphone_clipped",
        "microphone_gaps",
        "audio_process_died",
        "audio_process_hangs",
        "audio_gave_up",
        "loudspeaker_lost",
        "recogniser_failed",
        "alarm_ear_failed",
    }
)
"""Nobody can be heard or told anything: only their end, and then the person's word, goes on. After
any other fault the person's word is enough; if it is still there, it will show again."""
SORE_ANSWERS = frozenset({Intent.SOFTER, Intent.SKIP, Intent.FINISH, Intent.CONTINUE})
REST_ANSWERS = frozenset({Intent.CONTINUE, Intent.FINISH, Intent.YES})


def go_on(s: Stage, meaning: Meaning) -> Reply:
    """The person's word: back to where it was."""
    s.answered()
    s.wake_at = None
    s.governor.go_on()
    s.say("continued")
    return Trigger.RESUME


def end_kindly(s: Stage, prompt: str) -> Reply:
    """Nobody is there any more."""
    s.wake_at = None
    return close(s, "stopped", prompt)


def leave(s: Stage, meaning: Meaning) -> Reply:
    """Finish out of a rest: with the number when there was a massage, else straight to the end."""
    s.answered()
    if s.course is None:
        s.why = "declined"
        s.say("not_now")
        return Trigger.CLOSE
    return finish(s, meaning)


def steps_only(answer: Answer) -> Answer:
    """A verb about steps, where there are steps; else the word that it does not fit."""

    def guarded(s: Stage, meaning: Meaning) -> Reply:
        if s.came_from not in MASSAGE:
            s.say("not_sensible.paused")
            return None
        s.answered()
        s.governor.go_on()
        return answer(s, meaning)

    return guarded


class Paused(Phase):
    """A pause."""

    def enter(self, s: Stage) -> Reply:
        """Everything rests."""
        s.emit(s.governor.off("pause", s.now))
        s.answered()
        if s.speaking == "still_with_me.pausing":
            s.then("paused.menu")
        else:
            s.hush()
            s.say("paused.menu")
        s.wake_at = s.now + s.manners.pause_seconds
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Continue, another step, or finish."""
        return {
            Intent.CONTINUE: go_on,
            Intent.YES: go_on,
            Intent.READY: go_on,
            Intent.START: go_on,
            Intent.REPEAT: go_on,
            Intent.NEXT: steps_only(next_step),
            Intent.SKIP: steps_only(skip_step),
            Intent.BACK: steps_only(back),
            Intent.START_OVER: steps_only(start_over),
            Intent.SKIP_SIDE: steps_only(skip_side),
            Intent.FINISH: leave,
            Intent.NO: leave,
            Intent.NOT_NOW: leave,
            Intent.PAUSE: self._already,
        }

    def woken(self, s: Stage) -> Reply:
        """A long pause: is anybody there?"""
        s.wake_at = None
        s.ask("paused.still_there", REST_ANSWERS, tries=2)
        return None

    def unanswered(self, s: Stage) -> Reply:
        """Two silences: a kind end."""
        return end_kindly(s, "paused.closing")

    def _already(self, s: Stage, meaning: Meaning) -> Reply:
        s.say("paused.already")
        s.wake_at = s.now + s.manners.pause_seconds
        return None


class Sore(Phase):
    """Too hard, or sore: lighter, skip, or finish?"""

    def enter(self, s: Stage) -> Reply:
        """Say what was heard, and ask."""
        s.hush()
        s.answered()
        advice = s.advice.get(s.complaint)
        s.emit(AdviceGiven(s.complaint, advice.tier.value if advice else "sore"))
        s.then(f"advice.{s.complaint}.heard")
        s.ask(f"advice.{s.complaint}.ask", SORE_ANSWERS)
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Lighter, skip, continue or finish."""
        return {
            Intent.SOFTER: self._softer,
            Intent.CONTINUE: go_on,
            Intent.YES: unclear(self),
            Intent.SKIP: steps_only(skip_step),
            Intent.NEXT: steps_only(next_step),
            Intent.SKIP_SIDE: steps_only(skip_side),
            Intent.FINISH: leave,
            Intent.NO: leave,
            Intent.NOT_NOW: leave,
            Intent.PAUSE: self._pause,
        }

    def unanswered(self, s: Stage) -> Reply:
        """No answer: rest."""
        return self._pause(s, Meaning(Intent.PAUSE))

    def _softer(self, s: Stage, meaning: Meaning) -> Reply:
        s.governor.softer(s.now)
        return go_on(s, meaning)

    def _pause(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        return Trigger.PAUSE


class Faulty(Phase):
    """Something is broken: everything rests until it is whole and the person says continue."""

    def enter(self, s: Stage) -> Reply:
        """Say what it is."""
        s.hush()
        s.answered()
        s.say(fault_prompt(s))
        s.wake_at = s.now + GIVE_UP_SECONDS
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Continue, when it is whole again; or finish."""
        return {
            Intent.CONTINUE: self._continue,
            Intent.YES: self._continue,
            Intent.READY: self._continue,
            Intent.FINISH: leave,
            Intent.NO: leave,
            Intent.NOT_NOW: leave,
        }

    def recovered(self, s: Stage) -> None:
        """It is whole again: say so, and wait for the person's word."""
        was, s.fault = s.fault, None
        s.wake_at = s.now + s.manners.pause_seconds
        if was == "loudspeaker_lost":
            s.emit(Tone("begin"))  # so that whoever hears it knows that there is a voice again
        elif was in LASTING:
            s.say("fault.microphone_back")
        s.then("fault.continue")

    def woken(self, s: Stage) -> Reply:
        """Still broken: give up. Whole, and nobody answers: ask, then end kindly."""
        s.wake_at = None
        if s.fault is not None:
            s.why = "faulted"
            s.say("fault.gave_up")
            return Trigger.CLOSE
        s.ask("paused.still_there", REST_ANSWERS, tries=2)
        return None

    def unanswered(self, s: Stage) -> Reply:
        """Nobody is there."""
        return end_kindly(s, "paused.closing")

    def _continue(self, s: Stage, meaning: Meaning) -> Reply:
        if s.fault not in LASTING:
            s.fault = None
            return go_on(s, meaning)
        s.say(fault_prompt(s))
        return None


def fault_prompt(s: Stage) -> str:
    """What is said about the fault that is on."""
    prompt = f"fault.{s.fault}"
    return prompt if s.script.has(prompt) else "fault.other"
