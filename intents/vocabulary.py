"""Lists the words that the recogniser may hear; it must never leave a safety word out.

A list given to Vosk becomes a counted model of word pairs: a phrase listed several times is heard
more readily, and decoys (sound-alikes, common talk) take up the speech that is not meant for us.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise

from intents.intent import SAFETY, Intent
from intents.phrasebook import Phrasebook


def grammar(
    book: Phrasebook,
    intents: Collection[Intent] | None = None,
    known: Callable[[str], bool] = lambda _: True,
) -> tuple[str, ...]:
    """Return phrases (repeated by their sensitivity), pieces, politeness, decoys and `[unk]`.

    `intents` limits the ordinary phrases; the safety phrases are always there. `known` is the
    model's lexicon: what holds an unknown word is left out, because only the rest of it would be
    listened for. So is a phrase that brings no pair of words that the ones before it lack: it
    stays possible, and an intent with many wordings does not outweigh the safety words.
    """
    wanted = None if intents is None else SAFETY.union(intents)
    phrases = dict.fromkeys((*book.phrases(wanted), *book.pieces()))
    heard = (phrase for phrase in phrases if all(map(known, phrase.split())))
    listed = _with_new_pairs(heard, always=book.sensitivity)
    times = {phrase: book.sensitivity.get(phrase, 1) for phrase in listed}
    for other in (*book.polite, *book.decoys, *book.unknown):
        if all(map(known, other.split())):
            times.setdefault(other, book.unknown.get(other, 1))
    return tuple(phrase for phrase, count in times.items() for _ in range(count))


def _with_new_pairs(phrases: Iterable[str], always: Collection[str]) -> Iterator[str]:
    known: set[tuple[str, str]] = set()
    for phrase in phrases:
        pairs = set(pairwise(("", *phrase.split(), "")))
        if phrase in always or not pairs <= known:
            yield phrase
        known |= pairs


def missing(words: Iterable[str], known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the words that `known` (a model's lexicon) lacks, in order, each once.

    `words` may also be phrases: each of their words is asked for. Vosk drops what it lacks with
    no more than a line on stderr, and listens for the rest of the phrase (bench/, audio/).
    """
    asked = dict.fromkeys(word for phrase in words for word in phrase.split())
    return tuple(word for word in asked if not known(word))
