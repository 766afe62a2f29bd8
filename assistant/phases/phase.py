"""What every phase of a session is: it says and asks, and answers with the move that it wants.

A phase must never move the session itself, and must never leave a person without a word.
"""

from collections.abc import Callable, Mapping

from assistant.course import Mark
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

Reply = Trigger | None
Answer = Callable[[Stage, Meaning], Reply]
YES_NO = frozenset({Intent.YES, Intent.NO, Intent.UNSURE})


class Phase:
    """The conduct of one state. Every method may say things and return a trigger."""

    time_runs = False
    """The step's or hold's time passes in this state."""

    def enter(self, s: Stage) -> Reply:
        """The session has come into this state."""
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """What is understood here, beyond the verbs that are understood anywhere."""
        return {}

    def all_said(self, s: Stage) -> Reply:
        """All that was to be said has been said."""
        return None

    def unanswered(self, s: Stage) -> Reply:
        """The open question got no clear answer, as often as it was asked."""
        return None

    def reached(self, s: Stage, mark: Mark) -> Reply:
        """The running time reached a mark."""
        return None

    def woken(self, s: Stage) -> Reply:
        """`stage.wake_at` has come."""
        return None

    def again(self, s: Stage) -> None:
        """Say again what the person needs to go on, after an answer came in between."""
        if s.question is not None:
            s.then(s.question_prompt())

    def halted_here(self, s: Stage) -> Reply:
        """A plain stop in a state that it does not lead out of."""
        return None

    def wants_massager(self, s: Stage) -> bool:
        """The device should be on in this state."""
        return False


def unclear(phase: Phase) -> Answer:
    """An answer that is none: ask more clearly, or give up."""

    def answer(s: Stage, meaning: Meaning) -> Reply:
        return None if s.ask_again() else phase.unanswered(s)

    return answer


def close(s: Stage, why: str, prompt: str) -> Reply:
    """End kindly with these words; `why` is what the journal keeps."""
    s.answered()
    s.why = why
    s.say(prompt)
    return Trigger.CLOSE


def not_now(s: Stage, meaning: Meaning) -> Reply:
    """The person would rather not."""
    return close(s, "declined", "not_now")
