"""The scenario file: who says what when, in which room, and what must come of it.

Reads and checks, all problems at once, each with its place and a remedy; it plays nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails

from assistant.problem import ConfigError, Problem, problem
from assistant.room.trigger import TOP_STATES, Trigger, parse_trigger
from assistant.toml_file import Keys, TomlFile, read_toml

LONGEST_SECONDS = 7200.0
"""No session lasts longer; a scenario that asks for more has a slip of the pen."""


class ScenarioError(ConfigError):
    """A scenario file that cannot be played, with every problem in it."""

    exit_code = 2


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _echo(value: object) -> object:
    return None if value == "none" else value


def _existing(value: object, info: ValidationInfo) -> Path:
    """Take a path relative to the scenario file, and see that there is a file."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a path; write a text in quotes")  # noqa: TRY004 - pydantic gathers these
    path = Path((info.context or {}).get("folder", "."), value)
    if not path.is_file():
        raise ValueError(f'there is no file "{value}"; paths are relative to the scenario file')
    return path


Sound = Annotated[Path, PlainValidator(_existing)]
Decibels = Annotated[float, Field(ge=-120.0, le=60.0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0.0, le=LONGEST_SECONDS, allow_inf_nan=False)]


class Fault(_Table):
    """Something breaks `at` seconds and stays broken for `seconds`; 0 means until the end."""

    at: Seconds
    kind: Literal[
        "microphone_lost",
        "microphone_muted",
        "audio_process_dies",
        "device_silent",
        "broker_lost",
        "clock_jump",
    ]
    seconds: Seconds = 0.0


class RoomTable(_Table):
    """The room between the person, the loudspeaker and the microphone."""

    response: Sound | None = None
    echo_db: Annotated[Decibels | None, BeforeValidator(_echo)] = None
    """The loudspeaker at the microphone against the person's speech; None is no echo."""
    noise: Sound | None = None
    snr_db: Decibels = 15.0
    fault: tuple[Fault, ...] = ()


class Act(_Table):
    """One thing the person does: words for a synthetic voice, or a recording."""

    on: Annotated[Trigger, PlainValidator(parse_trigger)]
    repeat: bool = False
    delay: Seconds = 0.0
    say: Annotated[str, Field(min_length=1)] | None = None
    play: Sound | None = None
    text: str | None = None
    """What a recording says, for the events and the picture; else the file's name."""
    gain_db: Decibels = 0.0

    @model_validator(mode="after")
    def _one_sound(self) -> "Act":
        if (self.say is None) == (self.play is None):
            raise ValueError('give either say = "words" or play = "recording.flac"')
        return self

    @property
    def words(self) -> str:
        """What is said, as text."""
        return self.say or self.text or (self.play.stem if self.play else "")


Why = Literal["finished", "stopped", "halted", "faulted", "declined", "unanswered"]


class Expect(_Table):
    """What must come of it; every field that is given must hold.

    `after` and `before` narrow it to what happened after the person's latest utterance of those
    words and before the first one of these (`"dizzy"`), or after and before a session time.
    """

    massager_off_within: Annotated[float, Field(allow_inf_nan=False)] | None = None
    said: str | None = None
    never_said: str | None = None
    state: str | None = None
    never_state: str | None = None
    heard: str | None = None
    fault: str | None = None
    massager_never_on: Literal[True] | None = None
    massager_was_on: Literal[True] | None = None
    ended: Why | None = None
    after: str | float | None = None
    before: str | float | None = None

    @model_validator(mode="after")
    def _something(self) -> "Expect":
        claims = self.model_dump(exclude={"after", "before"}, exclude_none=True)
        if not claims:
            raise ValueError('expects nothing; give for example said = "stopped"')
        for state in (self.state, self.never_state):
            if state is not None and state.split(".")[0] not in TOP_STATES:
                raise ValueError(f'there is no state "{state}"; use one of {", ".join(TOP_STATES)}')
        return self


class Scenario(_Table):
    """A whole scenario; the fields are those of the file (docs/commands.md)."""

    routine: Annotated[str, Field(min_length=1)]
    massager: Literal["simulated", "none"] = "simulated"
    seconds: Annotated[float, Field(gt=0.0, le=LONGEST_SECONDS)] = 900.0
    settings: dict[str, Any] = Field(default_factory=dict)
    room: RoomTable = RoomTable()
    person: tuple[Act, ...] = ()
    expect: tuple[Expect, ...] = ()


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file; raise ScenarioError with every problem in it."""
    try:
        file = read_toml(path)
    except ConfigError as error:
        raise ScenarioError(error.problems) from None
    try:
        return Scenario.model_validate(file.data, context={"folder": path.parent})
    except ValidationError as error:
        problems = [_problem(file, details) for details in error.errors()]
        raise ScenarioError(problems) from None


def _problem(file: TomlFile, details: ErrorDetails) -> Problem:
    """What pydantic found, in our words and with the line it stands on."""
    where = _place(details["loc"], file)
    kind, remedy = details["type"], details["msg"].removeprefix("Value error, ")
    remedy = remedy.replace("Input should be", "it must be")
    value = details["input"]
    if kind == "extra_forbidden":
        remedy = "there is no such field; remove it or mend its name"
    elif kind == "missing":
        value, remedy = None, "is missing; add it"
    elif kind == "value_error":
        value = None
    return problem(file.path, file.line(where), where, value, remedy)


def _place(loc: Sequence[str | int], file: TomlFile) -> Keys:
    """The keys of a problem as they stand in the file, without pydantic's own steps."""
    known = {keys[:length] for keys in file.lines for length in range(len(keys) + 1)}
    keys: Keys = ()
    for number, part in enumerate(loc):
        if (*keys, part) in known or number == len(loc) - 1:
            keys = (*keys, part)
    return keys
