"""Reads config/ and gives the settings, the script and the routines, or every problem at once.

It must never start with half of it: one broken line and nothing is loaded. It must never write.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assistant.advice_file import AdviceBook, read_advice
from assistant.faq_file import Answer, answer_prompts, read_faq
from assistant.language import ENGLISH, Folders
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
    SettingsTable,
    VoiceTable,
    nested,
)
from assistant.sources import Source, read_sources
from assistant.toml_file import TomlFile, read_toml
from intents.phrasebook import Phrasebook
from intents.phrases import PhraseError

NO_OVERRIDES: Mapping[str, Any] = MappingProxyType({})
OVERRIDES = "the command line"
"""The name under which problems of overrides are told."""
TOOL_ROUTINES = ("neck-massager", "hands-on", "roll-out")
"""Without these, choosing a tool would lead nowhere."""
NEEDED_ADVICE = {*DEFAULT_ADVICE.values(), "stop"}


@dataclass(frozen=True)
class Settings:
    """Everything that config/ says, checked."""

    language: str
    phrases_file: Path
    """Where the phrasebook was read; the audio process reads it again."""
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
    review: Path | None = None,
) -> Settings:
    """Read everything. Raises `ConfigError` with every problem of every file.

    `overrides` are dotted keys, as `{"session.screening": False}`. `personal` adds the person's own
    settings, routines and languages and what was changed by voice; by default only beside the
    program's own config/, so that a folder named by hand means the same for everybody. `review` is
    the file of one more routine, which takes the place of one of its name.
    """
    beside = config_dir is None if personal is None else personal
    loading = _Loading(config_dir or default_folder(), overrides, beside)
    settings = loading.settings(review)
    if loading.problems or settings is None:
        raise ConfigError(loading.problems)
    return settings


def check_routine(
    path: Path, overrides: Mapping[str, Any] = NO_OVERRIDES, *, personal: bool = False
) -> list[Problem]:
    """Every problem of a routine's file, against the sources and the phrases that are set.

    Raises `ConfigError` for a language that there is not.
    """
    loading = _Loading(default_folder(), overrides, personal)
    if loading.problems:
        raise ConfigError(loading.problems)
    book = loading.phrasebook()
    sources = loading.sources()
    return check_routine_file(path, sources, lambda text: _halts(book, text))


class _Loading:
    """One reading of everything, with the problems met so far."""

    def __init__(self, folder: Path, overrides: Mapping[str, Any], personal: bool) -> None:
        self.problems: list[Problem] = []
        self._complaints = set(NEEDED_ADVICE)
        self._overrides = overrides
        self._personal = personal
        self._folders = Folders(folder, config_folder() if personal else None)
        self._folders = self._spoken()

    def settings(self, review: Path | None) -> Settings | None:
        """Everything, or None when something could not be read at all."""
        sources, book = self.sources(), self.phrasebook()
        layers = Layers(tuple(self._layers()))
        table, found = layers.settings() if layers.files else (None, [])
        self.problems += found
        number = table.emergency.number if table else ""
        advice, answers = self._advice(number, sources), self._answers(sources)
        prompts = self._prompts()
        paths = [*self._folders.routines(), *([review] if review else [])]
        routines = self._routines(paths, sources, book, {p.id.split(".")[0] for p in prompts})
        if table is None or book is None:
            return None
        self.problems += self._unfit(table, layers, routines)
        routines = self._fitted(routines, table.session.minutes, layers)
        script = _script(prompts, advice, answers, routines)
        return Settings(
            language=self._folders.language,
            phrases_file=self._folders.file("phrases.toml"),
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

    def _spoken(self) -> Folders:
        """The folders of the language that is set; English, with a problem, where it has none.

        What else is wrong with these layers is told when all of them are read.
        """
        before = list(self.problems)
        layers = Layers(tuple(self._layers()))
        table, _ = layers.settings()
        self.problems = before
        wanted = replace(self._folders, language=table.language)
        if wanted.words:
            return wanted
        known = ", ".join(wanted.known())
        remedy = f"there is no folder {wanted.language}/ with its words: use one of {known}"
        self.problems.append(layers.complain(("language",), wanted.language, remedy))
        return self._folders

    def _unfit(
        self, table: SettingsTable, layers: Layers, routines: Collection[str]
    ) -> Iterator[Problem]:
        """Settings that are sound in themselves, and do not fit what else there is."""
        chosen, language = table.session.default_routine, self._folders.language
        if table.language != language and table.language in self._folders.known():
            remedy = "remove it: the folder says which language it is"
            yield layers.complain(("language",), table.language, remedy)
        if chosen and chosen not in routines:
            remedy = f"use one of {', '.join(sorted(routines))}"
            yield layers.complain(("session", "default_routine"), chosen, remedy)
        if language != ENGLISH and not table.voice.name:
            remedy = f"name a voice that speaks {language}, one of: unknot voices"
            yield layers.complain(("voice", "name"), table.voice.name, remedy)

    def _read(self, path: Path) -> TomlFile | None:
        try:
            return read_toml(path)
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _complain(self, name: str, remedy: str) -> None:
        self.problems.append(problem(self._folders.file(name), 0, (), None, remedy))

    def sources(self) -> dict[str, Source]:
        """Every source by id."""
        sources: dict[str, Source] = {}
        for file in map(self._read, self._folders.sources()):
            read, found = read_sources(file) if file else ({}, [])
            sources |= read
            self.problems += found
        return sources

    def phrasebook(self) -> Phrasebook | None:
        """The phrases; they also tell which sentences would end the massage."""
        file = self._read(self._folders.file("phrases.toml"))
        self._complaints |= set(_complaints(file.data)) if file else set()
        try:
            return Phrasebook(file.data) if file else None
        except PhraseError as error:
            for told in error.problems:
                self._complain("phrases.toml", told)
            return None

    def _layers(self) -> Iterator[TomlFile]:
        for path in self._folders.settings():
            file = self._read(path)
            if file is not None:
                yield file
        if self._personal:
            yield from self._by_voice()
        if self._overrides:
            yield nested(OVERRIDES, self._overrides)

    def _by_voice(self) -> Iterator[TomlFile]:
        path = remembered_file()
        try:
            yield nested(str(path), remembered(path))
        except ConfigError as error:
            self.problems += error.problems

    def _prompts(self) -> list[Prompt]:
        file = self._read(self._folders.file("prompts.toml"))
        prompts, found = read_prompts(file) if file else ([], [])
        if file is not None and not found:
            ours, _ = read_prompts(read_toml(default_folder() / "prompts.toml"))
            found = missing_prompts(file, prompts, ours)
        self.problems += found
        return prompts

    def _advice(self, number: str, sources: Mapping[str, Source]) -> AdviceBook:
        file = self._read(self._folders.file("advice.toml"))
        if file is None:
            return AdviceBook({}, ())
        book, found = read_advice(file, number, sources)
        self.problems += found
        written = file.data.get("advice")
        for name in sorted(self._complaints - set(written if isinstance(written, dict) else ())):
            self._complain("advice.toml", f"add [advice.{name}]: a safety word leads to it")
        return book

    def _answers(self, sources: Collection[str]) -> dict[str, Answer]:
        file = self._read(self._folders.file("faq.toml"))
        answers, found = read_faq(file, sources) if file else ({}, [])
        self.problems += found
        return answers

    def _routines(
        self,
        paths: Iterable[Path],
        sources: Collection[str],
        book: Phrasebook | None,
        taken: Collection[str],
    ) -> dict[str, Routine]:
        """Every routine by name; of two with the same name the later one counts."""
        routines: dict[str, Routine] = {}
        for path in paths:
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


def _complaints(phrases: Mapping[str, Any]) -> Iterator[str]:
    """What the safety phrases are about; each needs advice of its own."""
    for section in ("safety", "safety_alone"):
        for topics in _tables(phrases.get(section)):
            yield from (topic for topic in topics if topic != "any")


def _tables(found: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, dict):
        yield from (body for body in found.values() if isinstance(body, dict))


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
