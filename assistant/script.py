"""Every sentence that unknot can speak, by id, with its blanks filled in.

It must never invent a sentence, decide when one is spoken, or read a file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import product
from string import Formatter
from types import MappingProxyType

from assistant.routine import Routine

Value = int | str
MINUTES = "{minutes}"
URGENT = ("idle", "stopped", "advice", "halted", "paused", "fault")
"""Groups of prompts that may be wanted before everything else is rendered."""


class UnknownPrompt(KeyError):
    """No prompt has this id, or a blank in it was not given."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Prompt:
    """Sentences spoken together. `values` lists what each blank in them can be."""

    id: str
    sentences: tuple[str, ...]
    values: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    teaches: bool = False
    """It holds a safety word because it teaches it; no other prompt may."""

    def every_sentence(self) -> Iterator[str]:
        """Each sentence, once for every combination of the blanks that stand in it."""
        for sentence in self.sentences:
            names = blanks(sentence)
            for chosen in product(*(self.values[name] for name in names)):
                yield sentence.format(**dict(zip(names, chosen, strict=True)))


def blanks(sentence: str) -> tuple[str, ...]:
    """The names in braces, each once, in order: "{a} of {b}" gives ("a", "b")."""
    names = (name for _, name, _, _ in Formatter().parse(sentence) if name is not None)
    return tuple(dict.fromkeys(names))


class Script:
    """All prompts by id. Immutable."""

    def __init__(self, prompts: Iterable[Prompt], owners: Mapping[str, str] | None = None) -> None:
        """`owners` gives the routine's name of each prompt that belongs to one routine only."""
        self._prompts = MappingProxyType({prompt.id: prompt for prompt in prompts})
        self._owners = dict(owners or {})

    def line(self, id: str, **values: Value) -> tuple[str, ...]:  # noqa: A002 - the word it has
        """The sentences of a prompt with its blanks filled.

        Raises `UnknownPrompt` when there is no such prompt or a blank is not given.
        """
        prompt = self.prompt(id)
        try:
            return tuple(sentence.format(**values) for sentence in prompt.sentences)
        except KeyError as missing:
            raise UnknownPrompt(f"prompt {id!r} needs a value for {missing}") from None

    def prompt(self, id: str) -> Prompt:  # noqa: A002
        """The prompt itself. Raises `UnknownPrompt`."""
        if id not in self._prompts:
            near = get_close_matches(id, self._prompts, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnknownPrompt(f"no prompt {id!r} in config/prompts.toml{hint}")
        return self._prompts[id]

    def has(self, id: str) -> bool:  # noqa: A002
        """Whether there is such a prompt: `help.massage` may exist where `help.ended` does not."""
        return id in self._prompts

    def ids(self) -> tuple[str, ...]:
        """Every id, in the order of the files."""
        return tuple(self._prompts)

    def prompts(self, routine: str | None = None) -> Iterator[Prompt]:
        """Every prompt; with `routine`, without those that belong to another routine."""
        for prompt in self._prompts.values():
            owner = self._owners.get(prompt.id)
            if routine is None or owner is None or owner == routine:
                yield prompt

    def every_sentence(self, routine: str | None = None) -> Iterator[str]:
        """Each sentence that can be spoken (in a session with `routine`), once, blanks filled.

        The first one of a session and what may be needed at any moment come first.
        """
        urgent_first = sorted(self.prompts(routine), key=_patience)
        sentences = (text for prompt in urgent_first for text in prompt.every_sentence())
        yield from dict.fromkeys(sentences)

    def all(self) -> Iterator[tuple[str, str]]:
        """(id, text) of every prompt, as `unknot prompts --json` prints them."""
        for prompt in self._prompts.values():
            yield prompt.id, " ".join(prompt.sentences)


def _patience(prompt: Prompt) -> int:
    """How long a prompt can wait to be rendered; 0 is the least."""
    group = prompt.id.partition(".")[0]
    return URGENT.index(group) if group in URGENT else len(URGENT)


def routine_prompts(routine: Routine) -> Iterator[Prompt]:
    """The prompts of a routine: `<routine>.intro`, `<routine>.<step>`, `<routine>.<step>.cue.1`...

    `avoid` is part of both the full and the brief instruction: where not to press is never cut.
    {minutes} in a sentence is the length of the routine.
    """
    for id, sentences in _routine_lines(routine):  # noqa: A001
        filled = (sentence.replace(MINUTES, str(routine.minutes)) for sentence in sentences)
        yield Prompt(id, tuple(filled))


def _routine_lines(routine: Routine) -> Iterator[tuple[str, tuple[str, ...]]]:
    name = routine.name
    yield f"{name}.intro", routine.intro
    if routine.setup:
        yield f"{name}.setup", routine.setup
    for step in routine.steps:
        whole = f"{name}.{step.id}"
        yield whole, step.say + step.avoid
        yield f"{whole}.brief", (step.brief or step.say) + step.avoid
        if step.coming:
            yield f"{whole}.coming", step.coming
        for number, cue in enumerate(step.cues, start=1):
            yield f"{whole}.cue.{number}", cue.say
    if routine.closing:
        yield f"{name}.closing", routine.closing
