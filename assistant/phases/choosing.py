"""What is wanted: listening for the start, an offer to go on, and which tool.

Nothing here may lead to a massage but by way of the screening.
"""

from collections.abc import Mapping
from math import ceil

from assistant.messages import Tone
from assistant.phases.phase import YES_NO, Answer, Phase, Reply, close, not_now
from assistant.routine import Tool
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

TOOL_ROUTINE = {"massager": "neck-massager", "hands": "hands-on", "balls": "roll-out"}
RELAXING_ROUTINE = "paced-breathing"


def choose(s: Stage, name: str) -> Reply:
    """Take the routine `name`; without such a routine the choice stays open."""
    if name not in s.routines:
        s.say("choosing.unknown")
        return None
    s.routine, s.course, s.reason = s.routines[name], None, 0
    s.answered()
    return Trigger.CHOSEN


def start(s: Stage, meaning: Meaning) -> Reply:
    """ "Start neck massage", with or without a tool, or another routine by its name."""
    wanted = meaning.topic
    if wanted == "headache":
        s.red_flags_first = True
        return Trigger.CHOOSE
    if wanted == "relax":
        return choose(s, RELAXING_ROUTINE)
    if wanted is None and not s.manners.default_tool:
        return Trigger.CHOOSE
    return choose(s, wanted or TOOL_ROUTINE[s.manners.default_tool])


def tool(s: Stage, meaning: Meaning) -> Reply:
    """A tool by its name."""
    return choose(s, TOOL_ROUTINE.get(meaning.topic or "", ""))


def _woken(answer: Answer) -> Answer:
    """The start phrase was understood: the tone says so before any word, where it is wanted."""

    def chimed(s: Stage, meaning: Meaning) -> Reply:
        if s.manners.chime and not s.quiet:
            s.emit(Tone("begin"))
        return answer(s, meaning)

    return chimed


class Idle(Phase):
    """Listening for the start."""

    def enter(self, s: Stage) -> Reply:
        """Say that somebody listens."""
        s.say("idle.ready")
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """Only a start leads on."""
        return {
            Intent.START: _woken(start),
            Intent.TOOL: _woken(tool),
            Intent.YES: self._go_on,
            Intent.CONTINUE: self._go_on,
            Intent.NO: self._let_be,
            Intent.NOT_NOW: self._not_now,
            Intent.FINISH: not_now,
        }

    def offer(self, s: Stage, routine: str, step: int) -> None:
        """The last session broke: would the person go on from there? The questions come first."""
        s.unfinished = (routine, step)
        s.say("ended.unclean")

    def _go_on(self, s: Stage, meaning: Meaning) -> Reply:
        if s.unfinished is None:
            s.say("not_sensible.idle")
            return None
        routine, step = s.unfinished
        rest = s.governor.rest_seconds(s.now)
        known = s.routines.get(routine)
        if known is not None and known.tool is Tool.MASSAGER and rest > 0:
            s.say("rest.wait", minutes=ceil(rest / 60))
            s.wake_at = s.now + rest
            return None
        s.unfinished = None
        s.begin_at_step = 0 if known is None else step - 1
        return choose(s, routine)

    def woken(self, s: Stage) -> Reply:
        """The rest that kept a broken session from going on is over."""
        s.wake_at = None
        s.say("rest.over")
        return None

    def _not_now(self, s: Stage, meaning: Meaning) -> Reply:
        """Go on listening, and leave the person alone."""
        s.unfinished = None
        s.say("not_now")
        return None

    def _let_be(self, s: Stage, meaning: Meaning) -> Reply:
        s.say("idle.ready" if s.unfinished is None else "ended.declined")
        s.unfinished = None
        return None

    def halted_here(self, s: Stage) -> Reply:
        """Nothing runs; say so by saying what would start."""
        s.hush()
        s.say("idle.ready")
        return None


class Choosing(Phase):
    """Which tool. A person with a headache is asked for the signs of danger first."""

    def enter(self, s: Stage) -> Reply:
        """Ask once for the tool."""
        if s.red_flags_first:
            s.ask("idle.red_flags", YES_NO)
        else:
            s.ask("choosing.ask", frozenset({Intent.TOOL, Intent.START}))
        return None

    def answers(self, s: Stage) -> Mapping[Intent, Answer]:
        """A tool or a routine; first the red flags where they were asked."""
        if s.red_flags_first:
            return {
                Intent.YES: self._flagged,
                Intent.UNSURE: self._flagged,
                Intent.NO: self._no_flags,
            }
        return {Intent.TOOL: tool, Intent.START: self._start, Intent.NOT_NOW: not_now}

    def unanswered(self, s: Stage) -> Reply:
        """No choice: end kindly. No answer about red flags: take it as a yes."""
        if s.red_flags_first:
            return self._flagged(s, Meaning(Intent.UNSURE))
        return close(s, "unanswered", "choosing.unanswered")

    def _start(self, s: Stage, meaning: Meaning) -> Reply:
        if meaning.topic in s.routines:
            return choose(s, meaning.topic or "")
        return None if s.ask_again() else self.unanswered(s)

    def _flagged(self, s: Stage, meaning: Meaning) -> Reply:
        s.red_flags_first, s.complaint = False, "headache"
        return Trigger.ALARM

    def _no_flags(self, s: Stage, meaning: Meaning) -> Reply:
        s.red_flags_first = False
        s.answered()
        s.say("idle.red_flags.clear")
        return self.enter(s)
