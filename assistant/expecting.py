"""What the ears are to listen for in each moment; it must never leave out a safety word.

An ear of little understanding hears the better the less it may choose from, so it is told what is
likely; a good one hears everything that makes sense.
"""

from assistant.messages import Expect
from assistant.phases import anytime
from assistant.phases.phase import Phase
from assistant.stage import Stage
from assistant.state import State
from intents.intent import SAFETY, Intent

ALWAYS_LIKELY = frozenset({Intent.HELP, Intent.REPEAT})
LIKELY = frozenset(
    {
        Intent.START,
        Intent.YES,
        Intent.NO,
        Intent.READY,
        Intent.PAUSE,
        Intent.CONTINUE,
        Intent.NEXT,
        Intent.BACK,
        Intent.SKIP,
        Intent.HOLD,
        Intent.RELEASE,
        Intent.LONGER,
        Intent.STRONGER,
        Intent.SOFTER,
        Intent.FINISH,
    }
)
"""What an ear of little understanding listens for where nothing was asked (docs/facts.md A0)."""

CHATTY = frozenset({Intent.QUESTION, Intent.MORE})
AT_LEISURE = frozenset({"idle", "paused", "closing"})
"""Where our own prompts invite questions. In a massage they would cost commands."""


def expected(phase: Phase, s: Stage, state: State) -> Expect:
    """The answers and verbs that make sense now, and the likely ones among them."""
    answers = frozenset(phase.answers(s))
    asked = s.question.expects if s.question else frozenset()
    chatty = CHATTY if state.top in AT_LEISURE else frozenset()
    likely = ALWAYS_LIKELY | (asked or answers & LIKELY | chatty)
    if s.pending is not None:
        likely |= {Intent.YES, Intent.NO}
    return Expect((asked | answers | frozenset(anytime.VERBS)) - SAFETY, likely)
