"""Reads config/ and gives the settings, the script and the routines, or every problem at once.

It must never start with half of it: one broken line and nothing is loaded. It must never write.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assistant.advice_file import AdviceBook, read_advice
from assistant.faq_file import Answer, answer_prompts, read_faq
from assistant.paths import config_folder
from assistant.problem import ConfigError, Problem, problem
from assistant.prompt_file import missing_prompts, read_prompts
from assistant.remembered import remembered, remembered_file
from assistant.routine import Routine, RoutineError, fitted
from assistant.routine_check import check_routine_file, read_routine
from assistant.safety import DEFAULT_ADVICE, Advice
from assistant.script import Prompt, Script, routine_prompts
from assistant.settings_file import (
    ButtonTable,
    EmergencyTable,
    HearingTable,
    HomeAssistantTable,
    JournalTable,
    Layers,
    MassagerTable,
    PageTable,
    SessionTable,
    VoiceTable,
    nested,
)
from assistant.sources import Source, read_sources
from assistant.toml_file import TomlFile, read_toml
from intents.phrasebook import Phrasebook
from intents.phrases import PhraseError

NO_OVERRIDES: Mapping[str, Any] = MappingProxyType({})
TOOL_ROUTINES = ("neck-massager", "hands-on", "roll-out")
"""Without these, choosing a tool would lead nowhere."""
NEEDED_ADVICE = {*DEFAULT_ADVICE.values(), "stop"}


@dataclass(frozen=True)
class Settings:
    """Everything that config/ says, checked."""

    session: SessionTable
    voice: VoiceTable
    hearing: HearingTable
    massager: MassagerTable
    emergency: EmergencyTable
    journal: JournalTable
    page: PageTable
    home_assistant: HomeAssistantTable
    button: ButtonTable
    script: Script
    routines: Mapping[str, Routine]
    advice: Mapping[str, Advice]
    answers: Mapping[str, Answer]
    sources: Mapping[str, Source]
    phrasebook: Phrasebook


def default_folder() -> Path:
    """The config/ that comes with the program, in a checkout or installed."""
    return Path(str(files("config")))


def load(
    config_dir: Path | None = None,
    overrides: Mapping[str, Any] = NO_OVERRIDES,
    *,
    personal: bool | None = None,
) -> Settings:
    """Read everything. Raises `ConfigError` with every problem of every file.

    `overrides` are dotted keys, as `{"session.screening": False}`. `personal` adds the person's own
    settings and routines and what was changed by voice; by default only beside the program's own
    config/, so that a folder named by hand means the same for everybody.
    """
    beside = config_dir is None if personal is None else personal
    loading = _Loading(config_dir or default_folder(), overrides, beside)
    settings = loading.settings()
    if loading.problems or settings is None:
        raise ConfigError(loading.problems)
    return settings


def check_routine(path: Path) -> list[Problem]:
    """Every problem of a routine's file, against the sources and phrases of the program."""
    loading = _Loading(default_folder(), NO_OVERRIDES, personal=False)
    book = loading.phrasebook()
    sources = loading.sources()
    return check_routine_file(path, sources, lambda text: _halts(book, text))


class _Loading:
    """One reading of everything, with the problems met so far."""

    def __init__(self, folder: Path, overrides: Mapping[str, Any], personal: bool) -> None:
        self.problems: list[Problem] = []
        self._folder = folder
        self._overrides = overrides
        self._personal = personal

    def settings(self) -> Settings | None:
        """Everything, or None when something could not be read at all."""
        sources, book = self.sources(), self.phrasebook()
        layers = Layers(tuple(self._layers()))
        table, found = layers.settings() if layers.files else (None, [])
        self.problems += found
        number = table.emergency.number if table else ""
        advice, answers = self._advice(number, sources), self._answers(sources)
        prompts = self._prompts()
        routines = self._routines(sources, book, {p.id.split(".")[0] for p in prompts})
        if table is None or book is None:
            return None
        chosen = table.session.default_routine
        if chosen and chosen not in routines:
            remedy = f"use one of {', '.join(sorted(routines))}"
            where = ("session", "default_routine")
            self.problems.append(layers.complain(where, chosen, remedy))
        routines = self._fitted(routines, table.session.minutes, layers)
        script = _script(prompts, advice, answers, routines)
        return Settings(
            session=table.session,
            voice=table.voice,
            hearing=table.hearing,
            massager=table.massager,
            emergency=table.emergency,
            journal=table.journal,
            page=table.page,
            home_assistant=table.home_assistant,
            button=table.button,
            script=script,
            routines=MappingProxyType(routines),
            advice=MappingProxyType(dict(advice.advice)),
            answers=MappingProxyType(answers),
            sources=MappingProxyType(sources),
            phrasebook=book,
        )

    def _read(self, path: Path) -> TomlFile | None:
        try:
            return read_toml(path)
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _complain(self, name: str, remedy: str) -> None:
        self.problems.append(problem(self._folder / name, 0, (), None, remedy))

    def sources(self) -> dict[str, Source]:
        """Every source by id."""
        file = self._read(self._folder / "sources.toml")
        sources, found = read_sources(file) if file else ({}, [])
        self.problems += found
        return sources

    def phrasebook(self) -> Phrasebook | None:
        """The phrases; they also tell which sentences would end the massage."""
        file = self._read(self._folder / "phrases.toml")
        try:
            return Phrasebook(file.data) if file else None
        except PhraseError as error:
            for told in error.problems:
                self._complain("phrases.toml", told)
            return None

    def _layers(self) -> Iterator[TomlFile]:
        for path in (self._folder / "settings.toml", *self._own("settings.toml")):
            file = self._read(path)
            if file is not None:
                yield file
        if self._personal:
            yield from self._by_voice()
        if self._overrides:
            yield nested("--set", self._overrides)

    def _by_voice(self) -> Iterator[TomlFile]:
        path = remembered_file()
        try:
            yield nested(str(path), remembered(path))
        except ConfigError as error:
            self.problems += error.problems

    def _own(self, pattern: str) -> list[Path]:
        """The person's own files of this name, if they count and are there."""
        return sorted(config_folder().glob(pattern)) if self._personal else []

    def _prompts(self) -> list[Prompt]:
        file = self._read(self._folder / "prompts.toml")
        prompts, found = read_prompts(file) if file else ([], [])
        if file is not None and not found:
            ours, _ = read_prompts(read_toml(default_folder() / "prompts.toml"))
            found = missing_prompts(file, prompts, ours)
        self.problems += found
        return prompts

    def _advice(self, number: str, sources: Mapping[str, Source]) -> AdviceBook:
        file = self._read(self._folder / "advice.toml")
        if file is None:
            return AdviceBook({}, ())
        book, found = read_advice(file, number, sources)
        self.problems += found
        written = file.data.get("advice")
        for name in sorted(NEEDED_ADVICE - set(written if isinstance(written, dict) else ())):
            self._complain("advice.toml", f"add [advice.{name}]: a safety word leads to it")
        return book

    def _answers(self, sources: Collection[str]) -> dict[str, Answer]:
        file = self._read(self._folder / "faq.toml")
        answers, found = read_faq(file, sources) if file else ({}, [])
        self.problems += found
        return answers

    def _routines(
        self, sources: Collection[str], book: Phrasebook | None, taken: Collection[str]
    ) -> dict[str, Routine]:
        """Every routine by name; the person's own take the place of ours of the same name."""
        routines: dict[str, Routine] = {}
        ours = sorted((self._folder / "routines").glob("*.toml"))
        for path in (*ours, *self._own("routines/*.toml")):
            try:
                routine = read_routine(path, sources, lambda text: _halts(book, text))
            except ConfigError as error:
                self.problems += error.problems
                continue
            if routine.name in taken:
                self.problems.append(
                    problem(path, 0, (), None, "prompts.toml has this name: call it another")
                )
            routines[routine.name] = routine
        broken = {Path(found.file).stem for found in self.problems}
        for name in TOOL_ROUTINES:
            if name not in routines and name not in broken:
                self._complain("routines", f"there is no {name}.toml; put it back")
        return routines

    def _fitted(
        self, routines: Mapping[str, Routine], minutes: int, layers: Layers
    ) -> dict[str, Routine]:
        """The routines at the length that was asked for."""
        made: dict[str, Routine] = {}
        for name, routine in routines.items():
            try:
                made[name] = fitted(routine, minutes)
            except RoutineError as error:
                remedy = f"{name} cannot be made to last that long: {error}"
                where = ("session", "minutes")
                self.problems.append(layers.complain(where, minutes, remedy))
        return made


def _halts(book: Phrasebook | None, text: str) -> bool:
    return book is not None and book.safety(text) is not None


def _script(
    prompts: list[Prompt],
    advice: AdviceBook,
    answers: Mapping[str, Answer],
    routines: Mapping[str, Routine],
) -> Script:
    everything = [*prompts, *advice.prompts]
    everything += [prompt for answer in answers.values() for prompt in answer_prompts(answer)]
    owners: dict[str, str] = {}
    for routine in routines.values():
        own = list(routine_prompts(routine))
        owners |= {prompt.id: routine.name for prompt in own}
        everything += own
    return Script(everything, owners)
