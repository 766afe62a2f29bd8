"""Reads config/advice.toml: what is said about each complaint, with the number to call filled in.

It must never let advice through that lacks a part its tier needs, or that has no source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assistant.problem import Problem, problem
from assistant.safety import Advice, Tier
from assistant.script import Prompt
from assistant.shape import Sentences, Table, Text, read_table
from assistant.sources import Source, oldest, unknown_sources
from assistant.toml_file import Keys, TomlFile

NO_NUMBER = "no_number"
"""The key of the words that stand for the number to call where none is set."""
NEEDED = {
    Tier.EMERGENCY: ("say", "repeat", "answered"),
    Tier.WARNING: ("say", "ask", "if_no", "if_yes_or_silent", "repeat", "answered"),
    Tier.DEVICE: ("say",),
    Tier.SORE: ("say", "ask"),
    Tier.STOP: ("say",),
}
"""The parts that advice of a tier cannot do without."""


class Parts(Table):
    """The parts of a piece of advice, in the order of their speaking; None takes the tier's."""

    heard: Sentences | None = None
    """Says back what was understood, without the word itself."""
    say: Sentences | None = None
    ask: Sentences | None = None
    if_no: Sentences | None = None
    if_yes_or_silent: Sentences | None = None
    repeat: Sentences | None = None
    """Said again and again until somebody answers."""
    answered: Sentences | None = None


class _AdviceTable(Parts):
    tier: Literal["emergency", "warning", "device", "sore", "stop"]
    sources: tuple[Text, ...]


@dataclass(frozen=True)
class AdviceBook:
    """Every piece of advice by id, and its prompts `advice.<id>.<part>`."""

    advice: Mapping[str, Advice]
    prompts: tuple[Prompt, ...]


def spoken_number(number: str, unset: str) -> str:
    """The number to call as it is spoken: digit by digit, "112" as "1 1 2"; else `unset`."""
    digits = " ".join(character for character in number if character.isdigit())
    return digits or unset


def read_advice(
    file: TomlFile, number: str, sources: Mapping[str, Source]
) -> tuple[AdviceBook, list[Problem]]:
    """All advice with `number` as the one to call, and every problem."""
    tiers, problems = _tiers(file)
    spoken = spoken_number(number, _unset_number(file, problems))
    advice: dict[str, Advice] = {}
    prompts: list[Prompt] = []
    for name, data in _section(file, "advice", problems).items():
        at: Keys = ("advice", name)
        table, found = read_table(_AdviceTable, file, data, at)
        problems += found
        if table is None:
            continue
        problems += unknown_sources(file, (*at, "sources"), table.sources, sources)
        tier = Tier(table.tier)
        parts = _merged(table, tiers.get(tier, Parts()))
        problems += _missing(file, at, tier, parts) + _braces(file, at, table)
        advice[name] = Advice(name, tier, table.sources, oldest(table.sources, sources))
        prompts += _prompts(name, parts, spoken)
    return AdviceBook(advice, tuple(prompts)), problems


def _unset_number(file: TomlFile, problems: list[Problem]) -> str:
    found = file.data.get(NO_NUMBER)
    if isinstance(found, str) and found.strip() and not set("{}") & set(found):
        return found
    remedy = 'say what stands for the number, as "your emergency number"'
    problems.append(problem(file.path, file.line((NO_NUMBER,)), (NO_NUMBER,), found, remedy))
    return ""


def _section(file: TomlFile, name: str, problems: list[Problem]) -> Mapping[str, object]:
    found = file.data.get(name)
    if isinstance(found, dict):
        return found
    problems.append(problem(file.path, file.line((name,)), (name,), found, "add this table"))
    return {}


def _tiers(file: TomlFile) -> tuple[dict[Tier, Parts], list[Problem]]:
    tiers: dict[Tier, Parts] = {}
    problems: list[Problem] = []
    for name, data in _section(file, "tiers", problems).items():
        if name not in {tier.value for tier in Tier}:
            known = ", ".join(tier.value for tier in Tier)
            where: Keys = ("tiers", name)
            problems.append(problem(file.path, file.line(where), where, None, f"use {known}"))
            continue
        table, found = read_table(Parts, file, data, ("tiers", name))
        tiers[Tier(name)] = table or Parts()
        problems += found + _braces(file, ("tiers", name), tiers[Tier(name)])
    return tiers, problems


def _merged(own: Parts, tier: Parts) -> dict[str, tuple[str, ...]]:
    parts = {name: getattr(own, name) or getattr(tier, name) for name in Parts.model_fields}
    return {name: sentences for name, sentences in parts.items() if sentences}


def _missing(
    file: TomlFile, at: Keys, tier: Tier, parts: Mapping[str, tuple[str, ...]]
) -> list[Problem]:
    return [
        problem(file.path, file.line(at), at, None, f"advice of tier {tier.value} needs {part}")
        for part in NEEDED[tier]
        if part not in parts
    ]


def _prompts(name: str, parts: Mapping[str, tuple[str, ...]], spoken: str) -> list[Prompt]:
    return [
        Prompt(f"advice.{name}.{part}", tuple(s.replace("{number}", spoken) for s in sentences))
        for part, sentences in parts.items()
    ]


def _braces(file: TomlFile, at: Keys, table: Parts) -> list[Problem]:
    """Only {number} is a blank here; any other brace would be spoken, or break the sentence."""
    problems: list[Problem] = []
    for part in Parts.model_fields:
        for index, sentence in enumerate(getattr(table, part) or ()):
            if set("{}") & set(sentence.replace("{number}", "")):
                where: Keys = (*at, part, index)
                remedy = "the only blank here is {number}"
                problems.append(problem(file.path, file.line(where), where, sentence, remedy))
    return problems
