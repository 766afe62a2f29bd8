"""What a person can say in a massage, and what comes of it.

Nothing here may raise the massager's level but the person's own word, through the governor.
"""

from collections.abc import Mapping

from assistant.phases.phase import Answer, Reply
from assistant.routine import Tool
from assistant.safety import Change
from assistant.stage import Stage
from assistant.state import Trigger
from intents.intent import Intent, Meaning


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
