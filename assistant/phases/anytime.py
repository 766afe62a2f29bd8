"""The verbs that are understood in every state: help, time, place, voice, talk, questions.

None of them may change what the massager does or where the session is.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from assistant.messages import Pace, Remember
from assistant.phases.phase import Phase, Reply
from assistant.stage import LOUDEST_DB, QUIETEST_DB, Pending, Stage
from assistant.state import State
from intents.intent import Intent, Meaning

Verb = Callable[[Stage, Meaning, State], None]

VOLUME_STEP_DB = 4.0
PACES = (1.6, 1.3, 1.0, 0.8, 0.65)
"""Factor on pauses between sentences, slow to fast; the voice's rate follows."""


def _by_state(kind: str) -> Verb:
    def verb(s: Stage, meaning: Meaning, state: State) -> None:
        prompt = f"{kind}.{state.top}"
        s.say(prompt if s.script.has(prompt) else f"{kind}.idle")

    return verb


not_sensible = _by_state("not_sensible")
not_understood = _by_state("not_understood")


def time_left(s: Stage, meaning: Meaning, state: State) -> None:
    """How long the massage still goes."""
    if s.course is not None and state in (State.RATING_AFTER, State.CLOSING, State.ENDED):
        s.say("time_left.over")
    elif s.course is not None:
        _say_minutes(s, s.course.seconds_left)
    elif s.routine is not None:
        s.say("time_left.not_started", minutes=max(1, round(s.routine.seconds / 60)))
    else:  # "how long?" is then what a massage should take
        question(s, Meaning(Intent.QUESTION, topic="how_long"), state)


def _say_minutes(s: Stage, seconds: float) -> None:
    if seconds < 50:
        s.say("time_left.less_than_a_minute")
    elif seconds < 90:
        s.say("time_left.one_minute")
    else:
        s.say("time_left.minutes", minutes=round(seconds / 60))


def where_am_i(s: Stage, meaning: Meaning, state: State) -> None:
    """Which part of how many."""
    if state in (State.RATING_AFTER, State.CLOSING, State.ENDED):
        s.say("where_am_i.after")
    elif s.course is not None:
        s.say("where_am_i", step=s.course.index + 1, of=len(s.course.routine.steps))
    else:
        s.say("where_am_i.idle" if s.routine is None else "where_am_i.before")


def _volume(step_db: float, done: str, limit: str) -> Verb:
    def verb(s: Stage, meaning: Meaning, state: State) -> None:
        level_db = min(max(s.manners.volume_db + step_db, QUIETEST_DB), LOUDEST_DB)
        if level_db == s.manners.volume_db:
            s.say(limit)
            return
        s.manners = replace(s.manners, volume_db=level_db)
        s.emit(Remember("voice.volume_db", level_db))
        s.say(done)

    return verb


def _pace(step: int, done: str, limit: str) -> Verb:
    def verb(s: Stage, meaning: Meaning, state: State) -> None:
        index = s.manners.pace + step
        if not 0 <= index < len(PACES):
            s.say(limit)
            return
        s.manners = replace(s.manners, pace=index)
        s.emit(Pace(PACES[index]))
        s.emit(Remember("voice.pace", index))
        s.say(done)

    return verb


def _talk(brief: bool, done: str, limit: str) -> Verb:
    def verb(s: Stage, meaning: Meaning, state: State) -> None:
        if s.manners.brief is brief:
            s.say(limit)
            return
        s.manners = replace(s.manners, brief=brief)
        s.emit(Remember("session.talk", "brief" if brief else "full"))
        s.say(done)

    return verb


def question(s: Stage, meaning: Meaning, state: State) -> None:
    """An answer from the data, or an honest word that there is none."""
    prompt = f"faq.{meaning.topic}"
    if not s.script.has(prompt):
        s.say("answer.unknown")
        return
    s.last_topic = meaning.topic
    s.say(prompt)
    if s.script.has(f"{prompt}.more"):
        s.then("answer.more")


def more(s: Stage, meaning: Meaning, state: State) -> None:
    """More about the last question."""
    prompt = f"faq.{s.last_topic}.more"
    s.say(prompt if s.last_topic and s.script.has(prompt) else "answer.no_more")


def forget(s: Stage, meaning: Meaning, state: State) -> None:
    """Ask whether to forget the settings that were changed by voice: it cannot be undone."""
    s.confirm("forget.ask", "forget.kept", _forget)


def _forget(s: Stage) -> Reply:
    s.emit(Remember(None, None))
    s.say("forget.done")
    return None


def length(s: Stage, meaning: Meaning, state: State) -> None:
    """How long a massage shall take, from the next one on."""
    if meaning.value is None:
        not_sensible(s, meaning, state)
        return
    s.emit(Remember("session.minutes", meaning.value))
    s.say("length.next", minutes=meaning.value)


def usual_tool(s: Stage, meaning: Meaning, state: State) -> None:
    """Which tool is taken without asking; "ask" is none."""
    topic = meaning.topic or "ask"
    if not s.script.has(f"usual_tool.{topic}"):
        not_sensible(s, meaning, state)
        return
    default = "" if topic == "ask" else topic
    s.manners = replace(s.manners, default_tool=default)
    s.emit(Remember("session.default_tool", default))
    s.say(f"usual_tool.{topic}")


def repeat(s: Stage, meaning: Meaning, state: State) -> None:
    """Whatever needs to be said again is said again by the phase itself."""
    s.say("repeated")


def good_night(s: Stage, meaning: Meaning, state: State) -> None:
    """A kind word."""
    s.say("good_night")


VERBS: Mapping[Intent, Verb] = {
    Intent.HELP: _by_state("help"),
    Intent.WHAT_CAN_I_SAY: _by_state("what_can_i_say"),
    Intent.TIME_LEFT: time_left,
    Intent.WHERE_AM_I: where_am_i,
    Intent.REPEAT: repeat,
    Intent.LOUDER: _volume(VOLUME_STEP_DB, "voice.louder", "voice.loudest"),
    Intent.QUIETER: _volume(-VOLUME_STEP_DB, "voice.quieter", "voice.quietest"),
    Intent.SLOWER: _pace(-1, "voice.slower", "voice.slowest"),
    Intent.FASTER: _pace(1, "voice.faster", "voice.fastest"),
    Intent.LESS_TALK: _talk(True, "talk.less", "talk.least"),
    Intent.MORE_TALK: _talk(False, "talk.more", "talk.most"),
    Intent.QUESTION: question,
    Intent.MORE: more,
    Intent.FORGET_SETTINGS: forget,
    Intent.GOOD_NIGHT: good_night,
    Intent.LENGTH: length,
    Intent.USUAL_TOOL: usual_tool,
}


def settle(pending: Pending, phase: Phase, s: Stage, meaning: Meaning) -> Reply:
    """Take the yes or no to what waits for one, then say again what the phase needs."""
    if meaning.intent is Intent.YES:
        reply = pending.act(s)
    else:
        reply = None
        s.say(pending.kept)
    if reply is None:
        phase.again(s)
    return reply


def answer(phase: Phase, s: Stage, meaning: Meaning, state: State) -> None:
    """Answer a verb, then say again what the person needs to go on."""
    VERBS.get(meaning.intent, not_sensible)(s, meaning, state)
    if s.pending is None:
        phase.again(s)
