"""A step that ends by asking for a count, like breaths or a pulse.

A number must never be insisted on, nor be judged.
"""

from collections.abc import Mapping

from assistant.phases.massage_verbs import finish, go_to, pause
from assistant.phases.phase import Answer, Phase, Reply
from assistant.stage import Stage
from intents.intent import Intent, Meaning


class Counting(Phase):
    """A step that ends by asking for a count."""

    def enter(self, s: Stage) -> Reply:
        """Ask for it."""
        s.ask("count.ask", frozenset({Intent.NUMBER, Intent.COUNT}))
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """A number, or rather not."""
        return {
            Intent.NUMBER: self._number,
            Intent.COUNT: self._number,
            Intent.SKIP: self._skip,
            Intent.NEXT: self._skip,
            Intent.UNSURE: self._skip,
            Intent.NOT_NOW: self._skip,
            Intent.PAUSE: pause,
            Intent.FINISH: finish,
        }

    def unanswered(self, s: Stage) -> Reply:
        """A number is never insisted on."""
        return self._skip(s, Meaning(Intent.SKIP))

    def _number(self, s: Stage, meaning: Meaning) -> Reply:
        value = meaning.value
        if value is None:
            return None if s.ask_again() else self.unanswered(s)
        s.answered()
        s.say("count.noted", number=value)
        self._compare(s, value)
        return go_to(s, s.way.index + 1)

    def _compare(self, s: Stage, after: int) -> None:
        """Say the change plainly, when the same thing was counted before."""
        what = s.way.step.id.rpartition("_")[0] or s.way.step.id
        before = s.counts.setdefault(what, after)
        if s.way.step.id.endswith("_after"):
            way = "same" if after == before else "lower" if after < before else "higher"
            s.then(f"count.{way}", before=before, after=after)

    def _skip(self, s: Stage, meaning: Meaning) -> Reply:
        s.answered()
        s.say("count.skipped")
        return go_to(s, s.way.index + 1)
