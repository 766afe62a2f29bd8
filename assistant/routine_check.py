"""Reads a routine's file, or tells every problem in it at once with its line and remedy.

It must never let a routine through that breaks a rule of `routine`, names a source that is not
there, or would have the voice say a safety word into its own microphone.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from assistant.problem import ConfigError, Problem, problem
from assistant.routine import (
    ASKS,
    KINDS,
    LONGEST_AGAIN_MINUTES,
    LONGEST_HOLD_SECONDS,
    LONGEST_STEP_SECONDS,
    SHORTEST_STEP_SECONDS,
    SIDES,
    Cue,
    Flaw,
    Outline,
    Routine,
    RoutineError,
    Step,
    Tool,
    outline,
    whole_flaws,
)
from assistant.script import MINUTES
from assistant.shape import Flag, Number, Sentences, Table, Text, Whole, read_table
from assistant.sources import unknown_sources
from assistant.toml_file import Keys, TomlFile, read_toml

Halts = Callable[[str], bool]
"""Whether a sentence, heard by the ears, would end the massage."""

MOST_TURNS = 200
"""More than fit into the longest step; a slip of the pen must not fill the memory."""

_SPOKEN = ("say", "brief", "avoid", "coming", "intro", "setup", "closing")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def _key(about: str, default: Any = ..., **rules: Any) -> Any:
    """A key with what an editor shows of it; its `rules` are checked by `routine`, not here."""
    return Field(default, description=about, json_schema_extra=rules)


class _CueTable(Table):
    at_seconds: Number = _key("When it is said: seconds after the step's time began.", minimum=0)
    say: Sentences = _key("The sentences.", minItems=1)


class _CycleTable(Table):
    """The same cues again and again: a breath of `seconds`, `times` over."""

    seconds: Number = _key("Length of one turn.", exclusiveMinimum=0)
    times: Whole = _key("How many turns.", minimum=1, maximum=MOST_TURNS)
    begin_seconds: Number = _key("When the first turn begins.", 0.0, minimum=0)
    cues: tuple[_CueTable, ...] = _key("What is said in each turn.", minItems=1)


class _StepTable(Table):
    id: Text = _key("A name for the program, different in each step.", pattern="^[A-Za-z0-9_]+$")
    name: Text = _key("Two or three words for the screen.", minLength=1)
    say: Sentences = _key("The instruction: short sentences, one thing each.", minItems=1)
    seconds: Number = _key(
        "Time for doing it; it begins when the instruction has been spoken.",
        minimum=SHORTEST_STEP_SECONDS,
        maximum=LONGEST_STEP_SECONDS,
    )
    brief: Sentences = _key("The instruction for a person who wants less talk.", ())
    avoid: Sentences = _key("Where not to press; never cut, also when brief.", ())
    coming: Sentences = _key("Said shortly before this step, during the one before it.", ())
    level: Whole | None = _key("Massager only: the level suggested.", None, minimum=1)
    hold_seconds: Number = _key(
        "How long it rests still by itself.", 0.0, minimum=0, maximum=LONGEST_HOLD_SECONDS
    )
    side: Text = _key("Skipped together with all steps of its side.", "", enum=list(SIDES))
    cues: tuple[_CueTable, ...] = _key("What is said while the time runs.", ())
    cycle: _CycleTable | None = _key("Cues that come again and again, as a breath.", None)
    ask: Text = _key("number: the step ends by asking for a count.", "", enum=list(ASKS))
    sources: tuple[Text, ...] = _key("Where its figures come from: ids of sources.toml.", ())


class _RoutineTable(Table):
    title: Text = _key("What it is called on the screen.", minLength=1)
    tool: Literal["massager", "hands", "balls", "none"] = _key("What presses on the neck.")
    intro: Sentences = _key("What will happen, and for how long: {minutes}.", minItems=1)
    steps: tuple[_StepTable, ...] = _key("The parts, in their order.", minItems=1)
    setup: Sentences = _key("What to make ready; then unknot waits for the word ready.", ())
    closing: Sentences = _key("Said after the last step.", ())
    sources: tuple[Text, ...] = _key("Where it comes from: ids of sources.toml.", minItems=1)
    screening: Flag = _key("Ask whether massage is safe today; true for any tool.", True)
    kind: Text = _key("What sort it is.", "massage", enum=list(KINDS))
    again_minutes: Number = _key(
        "Begins again after so many minutes; 0 is once.",
        0.0,
        minimum=0,
        maximum=LONGEST_AGAIN_MINUTES,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of a routine's file, with which an editor completes and marks it."""
    return {**_RoutineTable.model_json_schema(), "title": "A routine of unknot"}


def check_routine_file(
    path: Path, sources: Collection[str], halts: Halts = lambda _: False
) -> list[Problem]:
    """Every problem of the file; none means that `read_routine` gives a routine."""
    try:
        file = read_toml(path)
    except ConfigError as error:
        return list(error.problems)
    return sorted(_Reading(file, sources, halts).problems)


def read_routine(path: Path, sources: Collection[str], halts: Halts = lambda _: False) -> Routine:
    """The routine in the file. Raises `ConfigError` with every problem."""
    reading = _Reading(read_toml(path), sources, halts)
    if reading.problems or reading.routine is None:
        raise ConfigError(reading.problems)
    return reading.routine


class _Reading:
    """One file being read; what could be made of it, and the problems so far."""

    def __init__(self, file: TomlFile, sources: Collection[str], halts: Halts) -> None:
        self._file = file
        self._sources = sources
        self.problems: list[Problem] = []
        self.routine: Routine | None = None
        self._name = file.path.stem
        if not _NAME.fullmatch(self._name):
            self._add((), None, f"call the file like my-routine.toml, not {file.path.name}")
        self._steps = list(self._read_steps())
        self._read_whole()
        self._listen(halts)

    def _add(self, where: Keys, value: object, remedy: str) -> None:
        line = self._file.line(where)
        self.problems.append(problem(self._file.path, line, where, value, remedy))

    def _flaws(self, at: Keys, flaws: Collection[Flaw]) -> None:
        for flaw in flaws:
            where = (*at, *flaw.where)
            line = self._file.line(self._in_cycle(where))
            self.problems.append(problem(self._file.path, line, where, flaw.value, flaw.remedy))

    def _in_cycle(self, where: Keys) -> Keys:
        """A cue that a cycle made stands where the cycle stands."""
        at = where[:2]
        if len(where) > 2 and where[2] == "cues" and (*at, "cues") not in self._file.lines:
            return (*at, "cycle")
        return where

    @property
    def _raw_steps(self) -> list[Any]:
        raw = self._file.data.get("steps")
        return raw if isinstance(raw, list) else []

    def _read_steps(self) -> Iterator[Step | None]:
        for index, data in enumerate(self._raw_steps):
            at: Keys = ("steps", index)
            table, found = read_table(_StepTable, self._file, data, at)
            self.problems += found
            yield None if table is None else self._step(at, table)

    def _step(self, at: Keys, table: _StepTable) -> Step | None:
        if table.sources:
            self.problems += unknown_sources(
                self._file, (*at, "sources"), table.sources, self._sources
            )
        fields = {name: getattr(table, name) for name in _StepTable.model_fields}
        del fields["cycle"]
        fields["cues"] = _cues(table)
        try:
            return Step(**fields)
        except RoutineError as error:
            self._flaws(at, error.flaws)
            return None

    def _read_whole(self) -> None:
        whole = {key: value for key, value in self._file.data.items() if key != "steps"}
        table, found = read_table(_RoutineTable, self._file, {**whole, "steps": ()})
        self.problems += found
        tool = table.tool if table else whole.get("tool")
        if tool not in [tool.value for tool in Tool]:
            return
        flaws = list(whole_flaws(Tool(tool), whole.get("screening", True) is True, self._outlines))
        if table is None or None in self._steps or flaws:
            self._flaws((), flaws)
            return
        self._make(table)

    @property
    def _outlines(self) -> list[Outline]:
        """What the rules about the whole need to know, also of steps that are broken."""
        return [
            _rough(data) if step is None else outline(step)
            for step, data in zip(self._steps, self._raw_steps, strict=True)
        ]

    def _make(self, table: _RoutineTable) -> None:
        self.problems += unknown_sources(self._file, ("sources",), table.sources, self._sources)
        fields: dict[str, Any] = {name: getattr(table, name) for name in _RoutineTable.model_fields}
        steps = tuple(step for step in self._steps if step is not None)
        fields |= {"name": self._name, "tool": Tool(table.tool), "steps": steps}
        try:
            self.routine = Routine(**fields)
        except RoutineError as error:
            self._flaws((), error.flaws)

    def _listen(self, halts: Halts) -> None:
        for where, sentence in _spoken(self._file.data, ()):
            if set("{}") & set(sentence.replace(MINUTES, "")):
                self._add(where, sentence, f"the only blank here is {MINUTES}")
            if halts(sentence):
                remedy = "holds a word that ends the massage: say it in other words"
                self._add(where, sentence, remedy)


def _spoken(data: Any, at: Keys) -> Iterator[tuple[Keys, str]]:
    """Every sentence of a table that will be spoken, and where it stands."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _spoken(value, (*at, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            if not isinstance(value, str):
                yield from _spoken(value, (*at, index))
            elif at[-1] in _SPOKEN:
                yield (*at, index), value


def _cues(table: _StepTable) -> tuple[Cue, ...]:
    cues = [Cue(cue.at_seconds, cue.say) for cue in table.cues]
    cycle = table.cycle
    if cycle is None:
        return tuple(cues)
    for turn in range(min(cycle.times, MOST_TURNS)):
        begins = cycle.begin_seconds + turn * cycle.seconds
        cues += [Cue(begins + cue.at_seconds, cue.say) for cue in cycle.cues]
    return tuple(sorted(cues, key=lambda cue: cue.at_seconds))


def _rough(data: Any) -> Outline:
    """As much of a broken step as can be made out."""
    table: Mapping[str, Any] = data if isinstance(data, dict) else {}
    seconds, level = table.get("seconds"), table.get("level")
    return Outline(
        str(table.get("id", "")),
        float(seconds) if isinstance(seconds, int | float) else 0.0,
        level if isinstance(level, int) else None,
        bool(table.get("avoid")),
    )
