"""The closed list of things a person can mean; it must never grow without a phrase and a test."""

from dataclasses import dataclass
from enum import Enum


class Intent(Enum):
    """One thing a person can mean; the values are the names that `unknot hear` prints."""

    STOP = "stop"
    DIZZY = "dizzy"
    TINGLING = "tingling"
    PAIN = "pain"
    EMERGENCY = "emergency"
    DEVICE = "device"

    START = "start"
    PAUSE = "pause"
    CONTINUE = "continue"
    NEXT = "next"
    BACK = "back"
    REPEAT = "repeat"
    SKIP = "skip"
    STRONGER = "stronger"
    SOFTER = "softer"
    SLOWER = "slower"
    FASTER = "faster"
    LOUDER = "louder"
    QUIETER = "quieter"
    HOLD = "hold"
    RELEASE = "release"
    LONGER = "longer"
    SHORTER = "shorter"
    TIME_LEFT = "time_left"
    HELP = "help"
    FINISH = "finish"
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    NUMBER = "number"
    COUNT = "count"
    QUESTION = "question"
    WHAT_CAN_I_SAY = "what_can_i_say"
    TOOL = "tool"
    READY = "ready"
    LESS_TALK = "less_talk"
    MORE_TALK = "more_talk"
    START_OVER = "start_over"
    SKIP_SIDE = "skip_side"
    WHERE_AM_I = "where_am_i"
    GOOD_NIGHT = "good_night"
    NOT_NOW = "not_now"
    MORE = "more"
    FORGET_SETTINGS = "forget_settings"
    LENGTH = "length"
    USUAL_TOOL = "usual_tool"


SAFETY = frozenset(
    {
        Intent.STOP,
        Intent.DIZZY,
        Intent.TINGLING,
        Intent.PAIN,
        Intent.EMERGENCY,
        Intent.DEVICE,
    }
)
"""Intents that are never filtered, in no state."""


@dataclass(frozen=True)
class Meaning:
    """What an utterance means."""

    intent: Intent
    value: int | None = None
    """The number said: 0 to 10 for NUMBER, 11 to 60 for COUNT, minutes for LENGTH and LONGER."""
    topic: str | None = None
    """Which one: a routine's name for START, a tool (hands, balls, massager) for TOOL, a question's
    id for QUESTION, an advice id (dizzy, sick, headache, sharp_pain, sore, ...) for safety
    intents."""
