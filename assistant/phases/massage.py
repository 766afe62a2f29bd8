"""The massage itself: speaking a step, doing it, holding on a knot, counting.

Nothing here may raise the massager's level but the person's own word, through the governor.
"""

from collections.abc import Mapping

from assistant.course import Happening, Mark
from assistant.messages import HoldBegan, StepBegan, Tone
from assistant.phases.phase import Answer, Phase, Reply
from assistant.routine import Tool
from assistant.safety import Change
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning

STILL_WITH_ME = frozenset({Intent.YES, Intent.CONTINUE})


def step_prompt(s: Stage) -> str:
    """The instruction of the step, whole or brief."""
    whole = f"{s.way.routine.name}.{s.way.step.id}"
    return f"{whole}.brief" if s.manners.brief and s.script.has(f"{whole}.brief") else whole


def go_to(s: Stage, index: int) -> Reply:
    """Begin step `index`; behind the last one the massage is done."""
    if index >= len(s.way.routine.steps):
        return over(s)
    s.way.go_to(index)
    s.step_is_new = True
    return Trigger.STEP


def over(s: Stage) -> Reply:
    """The last step is behind."""
    if s.way.routine.again_minutes:
        return Trigger.AGAIN
    s.then("massage.done")
    return Trigger.DONE


def step_over(s: Stage) -> Reply:
    """The step's time has run out."""
    s.way.done += 1
    if s.way.step.ask:
        return Trigger.COUNT
    return go_to(s, s.way.index + 1)


def next_step(s: Stage, meaning: Meaning) -> Reply:
    """On to the next step."""
    s.hush()
    s.say("step.next")
    return go_to(s, s.way.index + 1)


def skip_step(s: Stage, meaning: Meaning) -> Reply:
    """Leave this step out."""
    s.hush()
    s.say("step.skipped")
    return go_to(s, s.way.index + 1)


def back(s: Stage, meaning: Meaning) -> Reply:
    """To the step before."""
    if s.way.index == 0:
        s.say("step.first")
        return go_to(s, 0)
    s.say("step.back")
    return go_to(s, s.way.index - 1)


def start_over(s: Stage, meaning: Meaning) -> Reply:
    """The routine from its first step, after a yes: the person's place is lost."""
    s.confirm("start_over.ask", "start_over.kept", _start_over)
    return None


def _start_over(s: Stage) -> Reply:
    s.say("start_over")
    return go_to(s, 0)


def skip_side(s: Stage, meaning: Meaning) -> Reply:
    """Leave out what is left of this side."""
    side, index = s.way.step.side, s.way.index
    if not side:
        s.say("side.none")
        return None
    steps = s.way.routine.steps
    while index < len(steps) and steps[index].side == side:
        index += 1
    s.say("side.skipped")
    return go_to(s, index)


def pause(s: Stage, meaning: Meaning) -> Reply:
    """Everything rests until the person says continue."""
    return Trigger.PAUSE


def finish(s: Stage, meaning: Meaning) -> Reply:
    """The person has had enough for today, and is asked how it feels."""
    s.why = "finished"
    s.hush()
    s.say("ended.early")
    return Trigger.DONE


def repeat(s: Stage, meaning: Meaning) -> Reply:
    """The instruction once more; a step's time goes on as it was."""
    s.say("repeated")
    s.then(step_prompt(s))
    return None


def continue_(s: Stage, meaning: Meaning) -> Reply:
    """Nothing is paused: a word that all goes on."""
    s.say("continued")
    s.then(step_prompt(s))
    return None


def hold(s: Stage, meaning: Meaning) -> Reply:
    """A knot: hold there."""
    s.way.begin_hold()
    return Trigger.HOLD


def no_hold(s: Stage, meaning: Meaning) -> Reply:
    """There is nothing to let go of."""
    s.say("hold.not_now")
    return None


def stronger(s: Stage, meaning: Meaning) -> Reply:
    """One level up, or the word why not."""
    _tell_level(s, s.governor.stronger(s.now), "massager.stronger", "massager.harder_by_hand")
    return None


def softer(s: Stage, meaning: Meaning) -> Reply:
    """One level down, or the word why not."""
    _tell_level(s, s.governor.softer(s.now), "massager.softer", "massager.lighter_by_hand")
    return None


def _tell_level(s: Stage, change: Change, done: str, by_hand: str) -> None:
    if change is Change.DONE:
        s.say(done, level=s.governor.level)
    elif change is Change.NONE:
        s.say(by_hand if s.tool in (Tool.HANDS, Tool.BALLS) else "massager.none")
    else:
        s.say(f"massager.{change.value}")


def longer(s: Stage, meaning: Meaning) -> Reply:
    """More time for the hold or the step."""
    holding = s.way.hold is not None
    if not s.way.longer():
        s.say("time.longest")
    elif holding:
        s.say("hold.longer", seconds=10)
    else:
        s.say("time.longer")
    return None


def shorter(s: Stage, meaning: Meaning) -> Reply:
    """Less time for the step."""
    s.say("time.shorter" if s.way.shorter() else "time.shortest")
    return None


def here(s: Stage, meaning: Meaning) -> Reply:
    """A yes to "still with me?"."""
    s.answered()
    s.say("still_with_me.thanks")
    return None


def not_now(s: Stage, meaning: Meaning) -> Reply:
    """What comes again comes later; everything else ends."""
    if s.way.routine.again_minutes <= 0:
        return finish(s, meaning)
    s.answered()
    s.say("reminder.later")
    return Trigger.AGAIN


ANSWERS: Mapping[Intent, Answer] = {
    Intent.PAUSE: pause,
    Intent.CONTINUE: continue_,
    Intent.REPEAT: repeat,
    Intent.NEXT: next_step,
    Intent.SKIP: skip_step,
    Intent.BACK: back,
    Intent.START_OVER: start_over,
    Intent.SKIP_SIDE: skip_side,
    Intent.HOLD: hold,
    Intent.RELEASE: no_hold,
    Intent.STRONGER: stronger,
    Intent.SOFTER: softer,
    Intent.LONGER: longer,
    Intent.SHORTER: shorter,
    Intent.FINISH: finish,
    Intent.NOT_NOW: not_now,
    Intent.YES: here,
    Intent.READY: here,
}


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
