"""What a routine is: its parts, their times and words, checked when they are made.

It must never read a file or a clock, and a routine that breaks a limit must never exist: every
value here either keeps all the rules below or is not constructed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

GENTLE_SECONDS = 60.0
"""The gentlest level for the first minute (docs/facts.md S8); a test holds it to the governor's."""
MASSAGER_SECONDS = 890.0
"""The governor's 15 minutes (docs/facts.md S8) less one lease of 10 s; a test compares the two."""
NECK_SECONDS = 900.0
"""15 minutes of pressing on a neck, with whatever tool (docs/facts.md S8)."""
CALM_SECONDS = 1800.0
"""Half an hour of breathing, resting or listening: nothing presses on anything."""
SHORTEST_STEP_SECONDS = 5.0
LONGEST_STEP_SECONDS = 300.0
LONGEST_HOLD_SECONDS = 30.0
LONGEST_AGAIN_MINUTES = 120.0
LAST_CUE_SECONDS = 3.0
"""A cue later than this before the end would run into the soft tones that count a step out."""


class Tool(Enum):
    """What presses on the neck."""

    MASSAGER = "massager"
    HANDS = "hands"
    BALLS = "balls"
    NONE = "none"


LIMIT_SECONDS = {
    Tool.MASSAGER: MASSAGER_SECONDS,
    Tool.HANDS: NECK_SECONDS,
    Tool.BALLS: NECK_SECONDS,
    Tool.NONE: CALM_SECONDS,
}
KINDS = ("massage", "talk", "breathing", "rest", "movement", "count", "break")
SIDES = ("", "left", "right")
ASKS = ("", "number")


class Flaw(NamedTuple):
    """One broken rule. `where` is a path inside the step or routine, as ("seconds",)."""

    where: tuple[str | int, ...]
    value: object
    remedy: str


class RoutineError(ValueError):
    """A step or routine that breaks rules; `flaws` has every one of them."""

    def __init__(self, name: str, flaws: Sequence[Flaw]) -> None:
        self.name = name
        self.flaws = tuple(flaws)
        told = "; ".join(
            f"{'.'.join(map(str, flaw.where))} is {flaw.value!r}: {flaw.remedy}" for flaw in flaws
        )
        super().__init__(f"{name}: {told}")


@dataclass(frozen=True)
class Cue:
    """Sentences said `at_seconds` after the step's clock began, if the step still runs."""

    at_seconds: float
    say: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One part of a routine. Its clock of `seconds` begins when its sentences have been spoken."""

    id: str
    name: str
    """Two or three words, for the screen and the journal."""
    say: tuple[str, ...]
    """The instruction, sentence by sentence."""
    seconds: float
    brief: tuple[str, ...] = ()
    """The instruction for a person who asked for less talk; empty means `say`."""
    avoid: tuple[str, ...] = ()
    """Where not to press; spoken after `say`, also when brief."""
    coming: tuple[str, ...] = ()
    """Said a few seconds before this step begins, during the one before it."""
    level: int | None = None
    """Massager only: the level suggested, which nothing but the person's word can raise."""
    hold_seconds: float = 0.0
    """Time within `seconds` for which the step holds still by itself; 0 for a step that moves."""
    side: str = ""
    """"left", "right", or "" for both; "skip this side" skips every step of that side."""
    cues: tuple[Cue, ...] = ()
    ask: str = ""
    """"number": the step ends by asking for a count."""
    sources: tuple[str, ...] = ()
    """Where its figures come from: ids of config/sources.toml."""

    def __post_init__(self) -> None:
        flaws = [*_word_flaws(self), *_time_flaws(self), *_cue_flaws(self)]
        if flaws:
            raise RoutineError(f"step {self.id!r}", flaws)


class Outline(NamedTuple):
    """What the rules about a whole routine need to know of one step."""

    id: str
    seconds: float
    level: int | None
    avoids: bool


@dataclass(frozen=True)
class Routine:
    """A whole routine, in the order in which it is spoken."""

    name: str
    title: str
    tool: Tool
    intro: tuple[str, ...]
    steps: tuple[Step, ...]
    setup: tuple[str, ...] = ()
    """What to make ready; unknot then waits for "ready". Empty: nothing to make ready."""
    closing: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """Ids of config/sources.toml."""
    screening: bool = True
    """Ask the questions that decide whether massage is safe today."""
    kind: str = "massage"
    again_minutes: float = 0.0
    """Begin again after so many minutes, until the person says finish; 0 for once."""
    outlines: tuple[Outline, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        outlines = tuple(outline(step) for step in self.steps)
        object.__setattr__(self, "outlines", outlines)
        flaws = [*_title_flaws(self), *whole_flaws(self.tool, self.screening, outlines)]
        if flaws:
            raise RoutineError(f"routine {self.name!r}", flaws)

    @property
    def seconds(self) -> float:
        """Time of all steps together, without the speaking between them."""
        return sum(step.seconds for step in self.steps)

    @property
    def minutes(self) -> int:
        """The same in whole minutes, 1 at least; sentences may hold it as {minutes}."""
        return max(1, round(self.seconds / 60.0))

    @property
    def needs_neck(self) -> bool:
        """Something presses on the neck, so the safety questions apply."""
        return self.tool is not Tool.NONE


def fitted(routine: Routine, minutes: int) -> Routine:
    """The routine made longer or shorter to take `minutes`; only one with a massager can be.

    The first minute stays as it is; every other step and its cues are stretched alike.
    """
    if routine.tool is not Tool.MASSAGER or not minutes:
        return routine
    first, *later = routine.steps
    wanted = min(minutes * 60.0, MASSAGER_SECONDS) - first.seconds
    factor = wanted / sum(step.seconds for step in later) if later else 1.0
    return replace(routine, steps=(first, *(_stretched(step, factor) for step in later)))


def _stretched(step: Step, factor: float) -> Step:
    cues = tuple(replace(cue, at_seconds=cue.at_seconds * factor) for cue in step.cues)
    return replace(step, seconds=step.seconds * factor, cues=cues)


def outline(step: Step) -> Outline:
    """The part of a step that the rules about a whole routine look at."""
    return Outline(step.id, step.seconds, step.level, bool(step.avoid))


def whole_flaws(tool: Tool, screening: bool, outlines: Sequence[Outline]) -> Iterator[Flaw]:
    """Every broken rule that only shows when all steps are seen together."""
    if not outlines:
        yield Flaw(("steps",), 0, "give at least one step")
    total, limit = sum(step.seconds for step in outlines), LIMIT_SECONDS[tool]
    if total > limit:
        yield Flaw(("steps",), f"{total:g} s", f"make it {limit:g} s or less in all ({tool.value})")
    if tool is not Tool.NONE and not screening:
        yield Flaw(("screening",), screening, "a routine that presses on the neck needs true")
    yield from _repeated_ids(outlines)
    yield from _level_flaws(tool, outlines)
    if tool is not Tool.NONE:
        for index, step in enumerate(outlines):
            if not step.avoids:
                yield Flaw(("steps", index, "avoid"), [], "say in one sentence where not to press")


def _repeated_ids(outlines: Sequence[Outline]) -> Iterator[Flaw]:
    seen: set[str] = set()
    for index, step in enumerate(outlines):
        if step.id in seen:
            yield Flaw(("steps", index, "id"), step.id, "give each step an id of its own")
        seen.add(step.id)


def _again_flaws(routine: Routine) -> Iterator[Flaw]:
    low, high, minutes = 0.0, LONGEST_AGAIN_MINUTES, routine.again_minutes
    if not low <= minutes <= high:
        yield Flaw(("again_minutes",), minutes, f"use 0 (once) to {high:g}")
    elif minutes and routine.tool is Tool.MASSAGER:
        yield Flaw(("again_minutes",), minutes, "a massager never begins by itself: use 0")


def _level_flaws(tool: Tool, outlines: Sequence[Outline]) -> Iterator[Flaw]:
    begins, highest = 0.0, 1
    for index, step in enumerate(outlines):
        where = ("steps", index, "level")
        if step.level is not None and tool is not Tool.MASSAGER:
            yield Flaw(where, step.level, "only a massager routine has levels: remove it")
        elif step.level is not None and begins < GENTLE_SECONDS and step.level > 1:
            yield Flaw(where, step.level, f"use level 1 for the first {GENTLE_SECONDS:g} s")
        elif step.level is not None and step.level > highest + 1:
            yield Flaw(where, step.level, f"raise by one at a time: {highest + 1} or less here")
        else:
            highest = max(highest, step.level or 1)
        begins += step.seconds


def _title_flaws(routine: Routine) -> Iterator[Flaw]:
    if not routine.title.strip():
        yield Flaw(("title",), routine.title, "give it a title")
    if not routine.intro:
        yield Flaw(("intro",), [], "say in one or two sentences what will happen")
    if routine.kind not in KINDS:
        yield Flaw(("kind",), routine.kind, f"use one of {', '.join(KINDS)}")
    yield from _again_flaws(routine)


def _word_flaws(step: Step) -> Iterator[Flaw]:
    if not step.id.replace("_", "").isalnum():
        yield Flaw(("id",), step.id, "use letters, digits and underscores")
    if not step.say:
        yield Flaw(("say",), [], "give at least one sentence")
    for name in ("say", "brief", "avoid", "coming"):
        for index, sentence in enumerate(getattr(step, name)):
            if not sentence.strip():
                yield Flaw((name, index), sentence, "write a sentence or remove it")
    if step.side not in SIDES:
        yield Flaw(("side",), step.side, "use left, right or nothing")
    if step.ask not in ASKS:
        yield Flaw(("ask",), step.ask, "use number or nothing")


def _time_flaws(step: Step) -> Iterator[Flaw]:
    low, high = SHORTEST_STEP_SECONDS, LONGEST_STEP_SECONDS
    if not low <= step.seconds <= high:
        yield Flaw(("seconds",), step.seconds, f"use {low:g} to {high:g} s")
    if not 0.0 <= step.hold_seconds <= min(LONGEST_HOLD_SECONDS, max(step.seconds, 0.0)):
        remedy = f"use 0 to {LONGEST_HOLD_SECONDS:g} s, and no more than the step itself"
        yield Flaw(("hold_seconds",), step.hold_seconds, remedy)
    if step.level is not None and step.level < 1:
        yield Flaw(("level",), step.level, "the gentlest level is 1")


def _cue_flaws(step: Step) -> Iterator[Flaw]:
    before = -1.0
    for index, cue in enumerate(step.cues):
        where = ("cues", index, "at_seconds")
        if not 0.0 <= cue.at_seconds <= step.seconds - LAST_CUE_SECONDS:
            remedy = f"use 0 to {step.seconds - LAST_CUE_SECONDS:g} s in this step"
            yield Flaw(where, cue.at_seconds, remedy)
        elif cue.at_seconds <= before:
            yield Flaw(where, cue.at_seconds, "put the cues in the order of their times")
        else:
            before = cue.at_seconds
        if not cue.say:
            yield Flaw(("cues", index, "say"), [], "give at least one sentence")
