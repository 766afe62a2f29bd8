"""Turns the parsed phrases.toml into wordings with a meaning; it must never let a bad line pass.

What each section holds is told at the top of config/phrases.toml. All problems of a file are found
at once, because a person who edits words should not have to start ten times.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hassil.errors import HassilError
from hassil.expression import Sentence
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError
from hassil.sample import sample_sentence

from intents.intent import SAFETY, Intent, Meaning
from intents.plain import plain, written

GAP = "..."
"""Up to three words of any kind, inside a phrase that counts anywhere."""

_PHRASES = ("safety", "safety_alone", "ordinary")
_BESIDE = (
    "polite",
    "questions",
    "rules",
    "numbers",
    "slots",
    "sensitivity",
    "sounds_like",
    "decoys",
    "unk",
)
_SECTIONS = {*_PHRASES, *_BESIDE}
_NO_TOPIC = "any"
_MOST_WORDINGS = 400
"""One template that makes more is a slip of the pen: the whole book should stay small."""
_SLOT = re.compile(r"\{(\w+)\}")
_BAD_TEMPLATE = (ParseError, HassilError, AssertionError, RecursionError, ValueError)
"""What hassil raises for a template that it cannot read (seen with version 3.12)."""


class PhraseError(ValueError):
    """The phrases cannot be used. `problems` names each place, what is wrong and the remedy."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Wording:
    """One way to say something, without alternatives."""

    text: str
    """As a recogniser lists it: small letters, apostrophes kept."""
    words: tuple[str, ...]
    """The words that are compared; GAP may be one of them."""
    meaning: Meaning
    place: str
    """Where it is written, for example `safety.dizzy.sick, line 2`."""
    line: int
    """Which template of its list it came from, from 1; the first lines are the most usual."""
    anywhere: bool
    """It counts also in the midst of other words; else only as the whole utterance."""


@dataclass
class Phrases:
    """Everything that phrases.toml says, and every problem found in it."""

    wordings: list[Wording] = field(default_factory=list)
    polite_before: tuple[str, ...] = ()
    polite_after: tuple[str, ...] = ()
    question_begins: tuple[str, ...] = ()
    question_about: tuple[str, ...] = ()
    rules: dict[str, Sentence] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    slots: dict[str, tuple[int, int]] = field(default_factory=dict)
    sensitivity: dict[str, int] = field(default_factory=dict)
    sounds_like: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decoys: tuple[str, ...] = ()
    unknown: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read(data: Mapping[str, Any]) -> Phrases:
    """Read the parsed file. Nothing is raised: the caller decides what to do with `problems`."""
    found = Phrases()
    found.problems += [
        f"{name}: no such section; use one of {', '.join(sorted(_SECTIONS))}"
        for name in data
        if name not in _SECTIONS
    ]
    found.rules = dict(_rules(data, found.problems))
    found.numbers = {written(w): n for w, n in _counts(data, "numbers", 0, found.problems)}
    found.slots = dict(_slots(data, found.problems))
    times = dict(_counts(data, "sensitivity", 1, found.problems))
    found.sensitivity = {written(phrase): count for phrase, count in times.items()}
    sounds = _lists(data, "sounds_like", (), found.problems)
    found.sounds_like = {written(phrase): tuple(map(written, s)) for phrase, s in sounds.items()}
    found.unknown = dict(_counts(data, "unk", 1, found.problems))
    polite = _lists(data, "polite", ("before", "after"), found.problems)
    found.polite_before, found.polite_after = polite["before"], polite["after"]
    questions = _lists(data, "questions", ("begin", "about"), found.problems)
    found.question_begins, found.question_about = questions["begin"], questions["about"]
    decoys = _lists(data, "decoys", (), found.problems)
    found.decoys = tuple(word for words in decoys.values() for word in words)
    for section in _PHRASES:
        found.wordings += _wordings(data, section, found)
    found.problems += _missing_safety(found.wordings)
    return found


def _table(data: Mapping[str, Any], name: str, problems: list[str]) -> Mapping[str, Any]:
    table = data.get(name, {})
    if isinstance(table, Mapping):
        return table
    problems.append(f"{name}: must be a section, is {table!r}; write [{name}]")
    return {}


def _rules(data: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, Sentence]]:
    for name, template in _table(data, "rules", problems).items():
        try:
            yield name, parse_sentence(str(template))
        except _BAD_TEMPLATE as error:
            problems.append(f"rules.{name}: {template!r} cannot be read ({error})")


def _counts(
    data: Mapping[str, Any], name: str, least: int, problems: list[str]
) -> Iterator[tuple[str, int]]:
    for word, count in _table(data, name, problems).items():
        if isinstance(count, int) and not isinstance(count, bool) and count >= least:
            yield word, count
        else:
            problems.append(f"{name}.{word}: must be a whole number from {least}, is {count!r}")


def _slots(data: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    for name, limits in _table(data, "slots", problems).items():
        match limits:
            case [int(low), int(high)] if low <= high:
                yield name, (low, high)
            case _:
                problems.append(f"slots.{name}: must be [lowest, highest], is {limits!r}")


def _lists(
    data: Mapping[str, Any], name: str, keys: tuple[str, ...], problems: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return the lists of a section that takes only `keys` (none given: any)."""
    lists: dict[str, tuple[str, ...]] = dict.fromkeys(keys, ())
    for key, items in _table(data, name, problems).items():
        if keys and key not in keys:
            problems.append(f"{name}.{key}: no such list; use one of {', '.join(keys)}")
        lists[key] = tuple(text for _, text in _texts(items, f"{name}.{key}", problems))
    return lists


def _texts(items: object, place: str, problems: list[str]) -> Iterator[tuple[int, str]]:
    """Yield each text of a list with its line from 1."""
    if not isinstance(items, list) or not items:
        problems.append(f'{place}: must be a list of phrases like ["one", "two"], is {items!r}')
        return
    for line, text in enumerate(items, start=1):
        if isinstance(text, str) and text.strip():
            yield line, text
        else:
            problems.append(f"{place}, line {line}: must be a phrase, is {text!r}")


def _wordings(data: Mapping[str, Any], section: str, found: Phrases) -> Iterator[Wording]:
    for name, body in _table(data, section, found.problems).items():
        intent = _intent(section, name, found.problems)
        if intent is None:
            continue
        for key, items in (body if isinstance(body, Mapping) else {_NO_TOPIC: body}).items():
            topic = None if key == _NO_TOPIC else key
            place = f"{section}.{name}" + (f".{topic}" if topic else "")
            for line, template in _texts(items, place, found.problems):
                where = f"{place}, line {line}"
                for text, value in _expand(template, where, found):
                    meaning = Meaning(intent, value, topic)
                    anywhere = section == "safety"
                    yield Wording(text, _compared(text), meaning, where, line, anywhere)


def _intent(section: str, name: str, problems: list[str]) -> Intent | None:
    try:
        intent = Intent(name)
    except ValueError:
        known = ", ".join(i.value for i in Intent)
        problems.append(f"{section}.{name}: no such intent; use one of {known}")
        return None
    if (intent in SAFETY) is not section.startswith("safety"):
        right = "[safety] or [safety_alone]" if intent in SAFETY else "[ordinary]"
        problems.append(f"{section}.{name}: belongs into {right}")
        return None
    return intent


def _expand(template: str, where: str, found: Phrases) -> list[tuple[str, int | None]]:
    """Return every wording of a template, each once, with the number that it says."""
    try:
        samples = sample_sentence(parse_sentence(template), None, found.rules, expand_lists=False)
        made = list(islice(samples, _MOST_WORDINGS + 1))
    except _BAD_TEMPLATE as error:
        found.problems.append(f"{where}: {template!r} cannot be read ({error})")
        return []
    said = dict.fromkeys(said for sample in made for said in _numbered(sample, where, found))
    if len(made) > _MOST_WORDINGS:
        found.problems.append(
            f"{where}: {template!r} makes over {_MOST_WORDINGS} wordings; part it"
        )
    elif not all(text.replace(GAP, "").strip() for text, _ in said):
        found.problems.append(f"{where}: {template!r} may be left out as a whole; make a word firm")
    elif any(GAP in _edges(text) for text, _ in said) or (
        GAP in template and "safety." not in where
    ):
        found.problems.append(f"{where}: {GAP} stands between words, and in [safety] only")
    else:
        return list(said)
    return []


def _numbered(sample: str, where: str, found: Phrases) -> list[tuple[str, int | None]]:
    slots = _SLOT.findall(sample)
    if not slots:
        return [(f" {GAP} ".join(written(part) for part in sample.split(GAP)), None)]
    if len(slots) > 1 or slots[0] not in found.slots:
        known = " or ".join(f"{{{name}}}" for name in found.slots)
        found.problems.append(f"{where}: {sample!r} may hold {known or 'no slot'}, once")
        return []
    low, high = found.slots[slots[0]]
    return [
        (written(sample.replace(f"{{{slots[0]}}}", word)), number)
        for word, number in found.numbers.items()
        if low <= number <= high
    ]


def _edges(text: str) -> tuple[str, ...]:
    words = text.split()
    return (words[0], words[-1])


def _compared(text: str) -> tuple[str, ...]:
    if GAP not in text:
        return tuple(plain(text))
    first, *rest = (plain(part) for part in text.split(GAP))
    return tuple(first + [word for part in rest for word in (GAP, *part)])


def _missing_safety(wordings: list[Wording]) -> list[str]:
    there = {wording.meaning.intent for wording in wordings if wording.anywhere}
    return [
        f"safety.{intent.value}: no phrases; a person must be able to say it"
        for intent in Intent
        if intent in SAFETY - there
    ]
