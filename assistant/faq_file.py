"""Reads config/faq.toml: answers to questions, each with its sources.

It must never answer a question that the file does not answer.
"""

from collections.abc import Collection
from dataclasses import dataclass

from assistant.problem import Problem, problem
from assistant.script import Prompt
from assistant.shape import Sentences, Table, Text, read_table
from assistant.sources import unknown_sources
from assistant.toml_file import TomlFile

ANSWER_SENTENCES = 2
"""A listener with eyes shut keeps two sentences in mind; the rest is for "more"."""


@dataclass(frozen=True)
class Answer:
    """The answer to one question. Prompts are `faq.<topic>` and `faq.<topic>.more`."""

    topic: str
    title: str
    say: tuple[str, ...]
    more: tuple[str, ...]
    sources: tuple[str, ...]
    """Ids of config/sources.toml."""


class _AnswerTable(Table):
    title: Text
    say: Sentences
    more: Sentences
    sources: tuple[Text, ...]


def read_faq(file: TomlFile, sources: Collection[str]) -> tuple[dict[str, Answer], list[Problem]]:
    """Every answer by its topic, and every problem."""
    answers: dict[str, Answer] = {}
    problems: list[Problem] = []
    for topic, data in file.data.items():
        table, found = read_table(_AnswerTable, file, data, (topic,))
        problems += found
        if table is None:
            continue
        where = (topic, "say")
        if len(table.say) != ANSWER_SENTENCES:
            remedy = f"give {ANSWER_SENTENCES} sentences; move the rest to more"
            problems.append(problem(file.path, file.line(where), where, None, remedy))
        problems += unknown_sources(file, (topic, "sources"), table.sources, sources)
        answers[topic] = Answer(topic, table.title, table.say, table.more, table.sources)
    return answers, problems


def answer_prompts(answer: Answer) -> tuple[Prompt, Prompt]:
    """`faq.<topic>` and `faq.<topic>.more`."""
    name = f"faq.{answer.topic}"
    return Prompt(name, answer.say), Prompt(f"{name}.more", answer.more)
