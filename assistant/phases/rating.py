"""How it feels, from zero to ten, before the massage and after it.

A number must never be insisted on.
"""

from collections.abc import Mapping

from assistant.messages import Rated
from assistant.phases.phase import Answer, Phase, Reply, not_now
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

RATED_KINDS = frozenset({"massage", "breathing", "rest", "movement"})


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
            Intent.NOT_NOW: self._enough,
            Intent.FINISH: self._enough,
        }

    def unanswered(self, s: Stage) -> Reply:
        """A number is never insisted on."""
        return self._skipped(s, Meaning(Intent.SKIP))

    def _enough(self, s: Stage, meaning: Meaning) -> Reply:
        """Before the massage it ends the asking; after it, only the number is left out."""
        return not_now(s, meaning) if self._when == "before" else self._skipped(s, meaning)

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
