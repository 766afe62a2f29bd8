"""After the massage: the closing words, among them the signs to watch for, and the end.

The signs are never left out after a massage, however it ended (docs/facts.md S6: tears show late).
"""

from collections.abc import Mapping

from assistant.messages import Ended, Enrol
from assistant.phases.choosing import RELAXING_ROUTINE, choose
from assistant.phases.phase import Answer, Phase, Reply
from assistant.routine import Tool
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning


def _neck_was_touched(s: Stage) -> bool:
    """There is something to watch for."""
    return s.course is not None and s.routine is not None and s.routine.needs_neck


class Closing(Phase):
    """The last words."""

    def enter(self, s: Stage) -> Reply:
        """Say what fits the way it ended; without a word to say, end at once."""
        s.answered()
        s.wake_at = None
        if s.why == "finished" and s.routine is not None:
            own = f"{s.routine.name}.closing"
            s.then(own if s.script.has(own) else "closing.thanks")
        if _neck_was_touched(s):
            s.then("closing.signs_brief" if s.manners.brief else "closing.signs")
            if s.why == "finished":
                s.then("closing.comfort")
        return None if s.speaking else Trigger.END

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Nothing is left to decide."""
        answers = {Intent.FINISH: self._end, Intent.YES: self._stay, Intent.CONTINUE: self._stay}
        return {**answers, Intent.START: self._calm} if s.calm_offered else answers

    def all_said(self, s: Stage) -> Reply:
        """All is said; what was offered in place of the massage may still be taken."""
        if not s.calm_offered:
            return Trigger.END
        s.wake_at = s.now + s.manners.answer_seconds
        return None

    def woken(self, s: Stage) -> Reply:
        """Nothing else is wanted."""
        return Trigger.END

    def halted_here(self, s: Stage) -> Reply:
        """Silence, and the end."""
        return self._end(s, Meaning(Intent.STOP))

    def again(self, s: Stage) -> None:
        """An answer cut the closing words short: say what must not be lost."""
        if _neck_was_touched(s):
            s.then("closing.signs_brief")

    def _end(self, s: Stage, meaning: Meaning) -> Reply:
        s.hush()
        return Trigger.END

    def _calm(self, s: Stage, meaning: Meaning) -> Reply:
        """Only what asks for no screening: the person has just said why no massage is safe."""
        wanted = RELAXING_ROUTINE if meaning.topic == "relax" else meaning.topic or ""
        routine = s.routines.get(wanted)
        if routine is None or routine.screening or routine.tool is not Tool.NONE:
            return self._stay(s, meaning)
        s.calm_offered, s.why, s.wake_at = False, "finished", None
        return choose(s, wanted)

    def _stay(self, s: Stage, meaning: Meaning) -> Reply:
        s.say("not_sensible.closing")
        self.again(s)
        return None


class Over(Phase):
    """The session has ended; only a complaint is still answered."""

    def enter(self, s: Stage) -> Reply:
        """Forget the person's own word, and say why it ended."""
        s.wake_at = None
        s.answered()
        s.emit(Enrol(on=False))
        s.emit(Ended(s.why))
        return None
