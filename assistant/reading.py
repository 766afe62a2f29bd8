"""How easy the spoken sentences are: words a sentence, school grade, and words that would halt.

It must never change a sentence. Grade is Flesch-Kincaid (0.39 words a sentence + 11.8 syllables a
word - 15.59); syllables are counted by a rule of thumb, which is what that formula was made with.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.script import Prompt, Script
from intents.intent import Intent
from intents.phrasebook import Phrasebook

HIGHEST_GRADE = 6.0
MOST_WORDS = 14
"""A tired listener with eyes shut; longer sentences are lost before their end."""

_WORD = re.compile(r"(?:[^\W_]|')+")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^laeiouy]es|[^td]ed|[^laeiouy]e)$")


@dataclass(frozen=True)
class Ease:
    """How hard some text is to take in by ear."""

    sentences: int
    words: int
    syllables: int

    @property
    def grade(self) -> float:
        """Years of school that it asks for."""
        per_sentence = self.words / max(1, self.sentences)
        per_word = self.syllables / max(1, self.words)
        return 0.39 * per_sentence + 11.8 * per_word - 15.59


@dataclass(frozen=True)
class Finding:
    """A sentence that breaks a rule, and the rule."""

    prompt: str
    sentence: str
    rule: str

    def __str__(self) -> str:
        return f"{self.prompt}: {self.sentence!r}: {self.rule}"


@dataclass(frozen=True)
class Report:
    """What `unknot prompts --check` prints: ease of each group of prompts, and every finding."""

    groups: tuple[tuple[str, Ease], ...]
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> Ease:
        """All groups together."""
        eases = [ease for _, ease in self.groups]
        return Ease(
            sum(ease.sentences for ease in eases),
            sum(ease.words for ease in eases),
            sum(ease.syllables for ease in eases),
        )


def words(sentence: str) -> list[str]:
    """The words of a sentence, as a listener counts them."""
    return _WORD.findall(sentence)


def syllables(word: str) -> int:
    """Syllables of an English word, by its groups of vowels; at least one."""
    plain = word.lower().replace("'", "")
    count = len(_VOWELS.findall(plain))
    if count > 1 and _SILENT.search(plain):
        count -= 1
    return max(1, count)


def ease(sentences: Iterable[str]) -> Ease:
    """How hard these sentences are."""
    counted = [words(sentence) for sentence in sentences]
    every = [word for found in counted for word in found]
    return Ease(len(counted), len(every), sum(map(syllables, every)))


def check(
    script: Script, book: Phrasebook, routines: Sequence[str], *, graded: bool = True
) -> Report:
    """Every prompt against every rule; `book` tells which of them would end the massage.

    `graded` holds each group to the school grade, whose formula is made for English alone.
    """
    groups: dict[str, list[str]] = {}
    findings: list[Finding] = []
    for prompt in script.prompts():
        groups.setdefault(_group(prompt.id, routines), []).extend(prompt.sentences)
        findings += _findings(prompt, book)
    eases = tuple((name, ease(sentences)) for name, sentences in groups.items())
    for name, found in eases:
        if graded and found.grade > HIGHEST_GRADE:
            rule = f"grade {found.grade:.1f}: use shorter sentences and easier words"
            findings.append(Finding(name, "", rule))
    return Report(eases, tuple(findings))


def _group(prompt: str, routines: Sequence[str]) -> str:
    first = prompt.split(".")[0]
    return first if first in ("advice", "faq", *routines) else "prompts"


def _findings(prompt: Prompt, book: Phrasebook) -> list[Finding]:
    found = [
        Finding(prompt.id, sentence, f"{len(words(sentence))} words: use {MOST_WORDS} or fewer")
        for sentence in prompt.sentences
        if len(words(sentence)) > MOST_WORDS
    ]
    halting = [text for text in prompt.every_sentence() if halts(prompt, text, book)]
    whole = " ".join(prompt.sentences)
    if not halting and halts(prompt, whole, book):
        halting = [whole]
    rule = "holds a word that ends the massage: say it in other words"
    return found + [Finding(prompt.id, text, rule) for text in halting]


def halts(prompt: Prompt, text: str, book: Phrasebook) -> bool:
    """Whether `text`, heard from our own loudspeaker, would end the massage.

    Advice that says "emergency" is spoken in a halt that is locked already: heard again, the word
    changes nothing, and there is no other word for it.
    """
    meaning = book.safety(text)
    if meaning is None or prompt.teaches:
        return False
    return not (meaning.intent is Intent.EMERGENCY and prompt.id.startswith("advice."))
