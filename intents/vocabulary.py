"""Lists the words that the recogniser may hear; it must never leave a safety word out.

A list given to Vosk becomes a counted model of word pairs: a phrase listed several times is heard
more readily, and decoys (sound-alikes, common talk) take up the speech that is not meant for us.
"""

from collections.abc import Callable, Collection, Iterable

from intents.intent import SAFETY, Intent
from intents.phrasebook import Phrasebook


def grammar(book: Phrasebook, intents: Collection[Intent] | None = None) -> tuple[str, ...]:
    """Return phrases (repeated by their sensitivity), politeness, decoys and `[unk]`.

    `intents` limits the ordinary phrases; the safety phrases are always there.
    """
    wanted = None if intents is None else SAFETY.union(intents)
    repeated = [
        phrase for phrase in book.phrases(wanted) for _ in range(book.sensitivity.get(phrase, 1))
    ]
    return (*repeated, *book.polite, *book.decoys, *book.unknown)


def missing(words: Iterable[str], known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the words that `known` (a model's lexicon) lacks, in order, each once.

    `words` may also be phrases: each of their words is asked for. Vosk drops what it lacks with
    no more than a line on stderr, and listens for the rest of the phrase (bench/, audio/).
    """
    asked = dict.fromkeys(word for phrase in words for word in phrase.split())
    return tuple(word for word in asked if not known(word))
