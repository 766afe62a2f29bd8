"""Puts a room together: the scenario's person and sounds around the program as it runs live.

It must never leave out or replace a part of the program, except that the massager is simulated.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from assistant.build import make_session
from assistant.conductor import Diary
from assistant.hearing import load_ears, make_headset, make_voice
from assistant.massager.simulated import SimulatedMassager
from assistant.problem import ConfigError, Problem, problem
from assistant.room.acoustics import Microphone, Noise, echo_path, person_path
from assistant.room.faults import Breakdowns
from assistant.room.lockstep import Cast, Room, SampleClock, World
from assistant.room.person import Cue, Person
from assistant.room.scenario import Act, RoomTable, Scenario, ScenarioError, read_scenario
from assistant.room.sound import Utterance, read_sound, utterance
from assistant.room.trigger import Moment, matches_id
from assistant.settings import OVERRIDES, Settings, load
from assistant.toml_file import Keys, TomlFile, read_toml
from audio.headset import Headset
from audio.voice import Voice
from intents.intent import Intent

PERSON_VOICES = ("gmw/en-us+edward", "gmw/en-us+f5", "gmw/en-us+f2", "gmw/en-us+m6")
"""Whose voice the person has, by seed; never the assistant's own. Of espeak's voices these are the
ones that the embedded ears hear best (bench/simulate.py)."""
PERSON_RATES = (170, 150, 135)
"""Words a minute; whoever has to repeat a word says it more slowly."""
_TOOLS = ("hands", "balls", "massager")


@dataclass(frozen=True)
class Play:
    """A scenario with the settings it is played with."""

    scenario: Scenario
    settings: Settings


def read_play(path: Path) -> Play:
    """Read a scenario and all settings. Raises ScenarioError with every problem of the file, and
    ConfigError where the program's own config/ is broken."""
    problems: list[Problem] = []
    scenario, settings = None, None
    try:
        scenario = read_scenario(path)
    except ScenarioError as error:
        problems += error.problems
    if scenario is not None or _is_toml(path):
        file = read_toml(path)
        settings, found = _settings(file)
        problems += found
        if scenario is not None and settings is not None:
            problems += _unknown_prompts(file, scenario, settings)
    if problems or scenario is None or settings is None:
        raise ScenarioError(problems)
    return Play(scenario, settings)


def _unknown_prompts(file: TomlFile, scenario: Scenario, settings: Settings) -> Iterator[Problem]:
    """Prompts that are waited for or expected, and that nobody ever says."""
    known = [id for id, _ in settings.script.all()]  # noqa: A001
    named: list[tuple[Keys, str | None]] = [
        (("person", n, "on"), act.on.name)
        for n, act in enumerate(scenario.person)
        if act.on.moment in (Moment.PROMPT, Moment.PROMPT_END)
    ]
    for n, expect in enumerate(scenario.expect):
        named += [(("expect", n, "said"), expect.said)]
        named += [(("expect", n, "never_said"), expect.never_said)]
    for where, name in named:
        if name is not None and not any(matches_id(name, one) for one in known):
            yield problem(file.path, file.line(where), where, name, "see: unknot prompts")


def _is_toml(path: Path) -> bool:
    with suppress(ConfigError):
        read_toml(path)
        return True
    return False


def _settings(file: TomlFile) -> tuple[Settings | None, list[Problem]]:
    """The settings as the scenario wants them, and what is wrong with its wishes."""
    name, wishes = file.data.get("routine"), file.data.get("settings", {})
    overrides = dict(_dotted(wishes)) if isinstance(wishes, Mapping) else {}
    try:
        settings = load(overrides=overrides, personal=False)
    except ConfigError as error:
        if any(one.file != OVERRIDES for one in error.problems):
            raise
        return None, [_of_scenario(file, one) for one in error.problems]
    routine = settings.routines.get(name) if isinstance(name, str) else None
    if routine is None and isinstance(name, str):
        remedy = f"use one of {', '.join(sorted(settings.routines))}"
        return None, [problem(file.path, file.line(("routine",)), ("routine",), name, remedy)]
    if routine is not None and "session.default_tool" not in overrides:
        settings = _with_tool(settings, routine.tool.value)
    return settings, []


def _with_tool(settings: Settings, tool: str) -> Settings:
    """Let "start neck massage" mean the scenario's routine, as after a choice once remembered."""
    if tool not in _TOOLS:
        return settings
    session = settings.session.model_copy(update={"default_tool": tool})
    return replace(settings, session=session)


def _of_scenario(file: TomlFile, told: Problem) -> Problem:
    """A problem with a setting, told where the scenario wishes for it."""
    line = file.line(("settings", told.where))
    remedy = f"is {told.value}: {told.remedy}" if told.value else told.remedy
    return problem(file.path, line, ("settings", told.where), None, remedy)


def _dotted(table: Mapping[str, Any], under: str = "") -> list[tuple[str, Any]]:
    """Keys with dots, whether the file writes `"session.screening"` or `[settings.session]`."""
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{under}.{key}" if under else key
        pairs += _dotted(value, name) if isinstance(value, Mapping) else [(name, value)]
    return pairs


@dataclass(frozen=True)
class Outlets:
    """Where a session in the room is told to: event lines, sound, the diary."""

    publish: Callable[[dict[str, Any]], None]
    record: Callable[[Any, Any], None]
    diary: Diary | None = None


def build_room(play: Play, seed: int, outlets: Outlets) -> Room:
    """Put everything in its place.

    Raises UnknotError for recordings that cannot be read, voices that cannot speak and ears that
    cannot be had.
    """
    scenario, settings, clock = play.scenario, play.settings, SampleClock()
    device = SimulatedMassager(clock) if scenario.massager == "simulated" else None
    voice = make_voice(settings, live=False)
    cast = Cast(
        session=make_session(settings, device.capabilities if device else None),
        device=device,
        person=Person([_cue(act, voice, seed) for act in scenario.person]),
        world=_world(scenario.room, seed),
        breakdowns=Breakdowns(scenario.room.fault),
        headset=_headset_maker(settings, voice),
        routine=None if _starts_by_voice(scenario, settings) else scenario.routine,
        gap_seconds=settings.voice.gap_seconds,
        diary=outlets.diary,
    )
    return Room(cast, clock, outlets.publish, outlets.record)


def _headset_maker(settings: Settings, voice: Voice) -> Callable[[], Headset]:
    """Every headset has ears of its own: nothing learned in one session may count in the next."""

    def make() -> Headset:
        return make_headset(settings, load_ears(settings), voice)

    return make


def _starts_by_voice(scenario: Scenario, settings: Settings) -> bool:
    """Whether the person begins by asking for a session; else the routine begins by itself."""
    first = [act for act in scenario.person if act.on.moment is Moment.START]
    meanings = [settings.phrasebook.match(act.words) for act in first]
    return any(m is not None and m.intent in (Intent.START, Intent.TOOL) for m in meanings)


def _cue(act: Act, voice: Voice, seed: int) -> Cue:
    if act.play is not None:
        words: tuple[Utterance, ...] = (utterance(act.words, read_sound(act.play), act.gain_db),)
    else:
        rates = PERSON_RATES if act.repeat else PERSON_RATES[:1]
        words = tuple(_spoken(act, voice, seed, rate) for rate in rates)
    return Cue(act.on, act.repeat, act.delay, words)


def _spoken(act: Act, voice: Voice, seed: int, rate: int) -> Utterance:
    clip = voice.speak_as(act.words, PERSON_VOICES[seed % len(PERSON_VOICES)], rate)
    return utterance(act.words, clip.astype(np.float32) / np.float32(32768.0), act.gain_db)


def _world(room: RoomTable, seed: int) -> World:
    response = read_sound(room.response) if room.response else None
    rng = np.random.default_rng(seed % 2**32)
    return World(
        person_path=person_path(response),
        echo_path=None if room.echo_db is None else echo_path(response, room.echo_db),
        noise=Noise(read_sound(room.noise), room.snr_db, rng) if room.noise else None,
        microphone=Microphone(rng),
    )
