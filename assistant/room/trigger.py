"""When a scripted person does something: `on = "asked:screening"` and what it is compared with.

Only text and comparison; who was asked what, and when, is the business of `stage` and `lockstep`.
"""

from dataclasses import dataclass
from enum import Enum

from assistant.state import State
from intents.intent import Intent

TOP_STATES = tuple(dict.fromkeys(state.top for state in State))
"""The session's states by the names that people script (docs/commands.md)."""


class Moment(Enum):
    """What can happen in the room that a person may answer to."""

    START = "start"
    ASKED = "asked"
    PROMPT = "prompt"
    PROMPT_END = "prompt_end"
    STATE = "state"
    HOLD = "hold"
    AT = "at"
    AFTER = "after"


_BARE = (Moment.START, Moment.HOLD)
FORMS = "start, asked:STATE, prompt:ID, prompt_end:ID, state:NAME, hold, at:SECONDS or after:INTENT"


@dataclass(frozen=True)
class Happening:
    """Something that happened in the room. `name` is a state, a prompt id or an intent."""

    moment: Moment
    name: str = ""


@dataclass(frozen=True)
class Trigger:
    """What a person waits for. `name` may end in `*` for prompts; `seconds` belongs to `at`."""

    moment: Moment
    name: str = ""
    seconds: float = 0.0

    def matches(self, happening: Happening) -> bool:
        """Tell whether this is what the person waits for; `at` is left to the clock."""
        if self.moment is not happening.moment or self.moment is Moment.AT:
            return False
        if self.moment in (Moment.PROMPT, Moment.PROMPT_END):
            return matches_id(self.name, happening.name)
        return self.name == happening.name


def matches_id(pattern: str, name: str) -> bool:
    """Compare a prompt id with a pattern: exact, or by its beginning where it ends in `*`."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def parse_trigger(text: object) -> Trigger:
    """Read one `on` value; raise ValueError that says which forms there are."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a text; use {FORMS}")  # noqa: TRY004 - pydantic gathers these
    word, colon, name = text.partition(":")
    moment = next((m for m in Moment if m.value == word), None)
    if moment is None or (moment in _BARE) == bool(colon) or (colon and not name):
        raise ValueError(f'"{text}" is no trigger; use {FORMS}')
    if moment is Moment.AT:
        return Trigger(moment, seconds=_seconds(text, name))
    _check_name(moment, text, name)
    return Trigger(moment, name)


def _seconds(text: str, number: str) -> float:
    try:
        seconds = float(number)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < float("inf"):
        raise ValueError(f'"{text}": give the session time in seconds, as in "at:60"')
    return seconds


def _check_name(moment: Moment, text: str, name: str) -> None:
    if moment in (Moment.ASKED, Moment.STATE) and (
        name not in TOP_STATES if moment is Moment.ASKED else name.split(".")[0] not in TOP_STATES
    ):
        raise ValueError(f'"{text}": there is no such state; use one of {", ".join(TOP_STATES)}')
    if moment is Moment.AFTER and name not in {intent.value for intent in Intent}:
        known = ", ".join(intent.value for intent in Intent)
        raise ValueError(f'"{text}": there is no such intent; use one of {known}')
