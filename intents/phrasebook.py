"""Says what an utterance means; it must never miss a safety word, nor take talk for a command.

Safety words count anywhere in an utterance and whatever stands around them: "please stop now",
and "don't stop" too, because a false halt costs one word and a missed one is never acceptable.
All other phrases count only as the whole utterance, politeness aside, so that a fragment of
somebody's talk does nothing.

The templates are hassil's, but every wording is written out once, at construction: looking up is
quick, and the same wordings are the recogniser's list, so that what can be heard and what can be
understood do not part.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from intents.intent import SAFETY, Intent, Meaning
from intents.phrases import GAP, PhraseError, Phrases, Wording, read
from intents.plain import plain, written

__all__ = ["PhraseError", "Phrasebook", "seriousness"]

_Words = tuple[str, ...]

ELSEWHERE = "elsewhere"
"""The topic of a question that no phrase knows and that names nothing of ours."""
UNKNOWN = "unknown"
"""The topic of a question that no phrase knows, about massage, the body or this assistant."""

_GAP_WORDS = 3
_LEAST_QUESTION_WORDS = 3
"""Shorter ones ("why not", "how nice") are no questions to be answered."""
_MOST_WORDS = 24
"""An ordinary utterance longer than this is talk; safety words are sought in any length."""


def seriousness(meaning: Meaning) -> int:
    """Return how serious a safety meaning is; 0 is the most. Every one of them halts.

    The order is that of the tiers of safety: emergency, warning, device, sore, stop. Where an
    utterance holds several, the most serious decides what is said afterwards. A sign of illness
    outranks the device: the massager is off first in both, and only the warning goes on to ask
    whether it is an emergency.
    """
    if meaning == Meaning(Intent.PAIN, topic="sore"):
        return 3
    ranks = {Intent.EMERGENCY: 0, Intent.DEVICE: 2, Intent.STOP: 4}
    return ranks.get(meaning.intent, 1)


class Phrasebook:
    """All wordings of one language. It never changes after construction."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Build from the parsed phrases.toml.

        Raises PhraseError with every problem: unknown sections and intents, templates that cannot
        be read, empty lists, bad numbers, a phrase that stands twice or would be taken for another.
        """
        phrases = read(data)
        self._wordings = tuple(phrases.wordings)
        self._anywhere, self._gapped = _index(self._wordings)
        self._longest = _longest_by_first_word(self._anywhere)
        self._before = {tuple(plain(text)) for text in phrases.polite_before}
        self._after = {tuple(plain(text))[::-1] for text in phrases.polite_after}
        self._begins = {tuple(plain(text)) for text in phrases.question_begins}
        self._about = {word for text in phrases.question_about for word in plain(text)}
        self._digits = {str(number): plain(word) for word, number in phrases.numbers.items()}
        self.numerals: Mapping[str, str] = {w: str(n) for w, n in phrases.numbers.items()}
        """Number words and how they are written in digits."""
        self._whole: dict[_Words, Wording] = {}
        self.polite: tuple[str, ...] = tuple(
            dict.fromkeys(map(written, phrases.polite_before + phrases.polite_after))
        )
        self.sensitivity: Mapping[str, int] = phrases.sensitivity
        self.sounds_like: Mapping[str, tuple[str, ...]] = phrases.sounds_like
        """Phrases and what else sounds the same, as somebody who writes them down may spell it."""
        self.decoys: tuple[str, ...] = phrases.decoys
        self.unknown: Mapping[str, int] = phrases.unknown
        phrases.problems += [problem for w in self._wordings for problem in self._add(w)]
        phrases.problems += self._contradictions(phrases)
        if phrases.problems:
            raise PhraseError(tuple(phrases.problems))

    def match(self, text: str) -> Meaning | None:
        """Return what a whole utterance means, or None when it is just talk."""
        words = self._words(text)
        return self._most_serious(words) or self._understand(words)

    def question(self, text: str) -> Meaning | None:
        """Return QUESTION for an utterance that begins as questions do; else None.

        For what `match` does not know: it can only be told that there is no answer. Its topic says
        whether it names something of ours (UNKNOWN) or may be anybody's talk (ELSEWHERE).
        """
        words = self._words(text)
        if not _LEAST_QUESTION_WORDS <= len(words) <= _MOST_WORDS:
            return None
        for start in _offsets(words, self._before):
            rest = tuple(words[start:])
            if any(rest[: len(begin)] == begin for begin in self._begins):
                topic = ELSEWHERE if self._about.isdisjoint(rest) else UNKNOWN
                return Meaning(Intent.QUESTION, topic=topic)
        return None

    def safety(self, text: str, finished: bool = True) -> Meaning | None:
        """Return the most serious safety meaning in `text`.

        While it is not `finished`, phrases that count only when nothing else is said are left
        out: nobody knows whether "I can't see" goes on with "why not".
        """
        words = self._words(text)
        meaning = self._most_serious(words)
        if meaning or not finished:
            return meaning
        meaning = self._understand(words)
        return meaning if meaning and meaning.intent in SAFETY else None

    def safety_words(self, text: str) -> int:
        """Return how many words long what `safety` finds in finished `text` is; 0 for nothing."""
        words = self._words(text)
        ranked = self._ranked(words)
        if ranked:
            return -ranked[0][1]
        return len(words) if self.safety(text) else 0

    def phrases(
        self, intents: Collection[Intent] | None = None, most: int | None = None
    ) -> tuple[str, ...]:
        """Return the wordings of `intents` (None: of all), in the order of the file.

        `most` keeps only the first so many templates of each meaning: the usual ones.
        """
        return tuple(
            wording.text
            for wording in self._wordings
            if GAP not in wording.words
            and (intents is None or wording.meaning.intent in intents)
            and (most is None or wording.line <= most)
        )

    def pieces(self) -> tuple[str, ...]:
        """Return what stands on either side of gaps, each once: `phrases` leaves these out."""
        gapped = (wording.text for wording in self._wordings if GAP in wording.words)
        return tuple(dict.fromkeys(piece.strip() for text in gapped for piece in text.split(GAP)))

    def words(self) -> tuple[str, ...]:
        """Return every single word of every phrase, piece and politeness, sorted."""
        listed = (*self.phrases(), *self.pieces(), *self.polite)
        return tuple(sorted({word for phrase in listed for word in phrase.split()}))

    def _add(self, wording: Wording) -> Iterator[str]:
        other = self._whole.setdefault(wording.words, wording)
        if other is not wording:
            yield f"{wording.place}: {wording.text!r} stands already in {other.place}; keep one"
        meaning = self._most_serious(wording.words)
        if meaning and meaning != wording.meaning:
            taken = f"{meaning.intent.value} ({meaning.topic or 'no topic'})"
            yield f"{wording.place}: {wording.text!r} would be taken for {taken}; say it otherwise"

    def _contradictions(self, phrases: Phrases) -> Iterator[str]:
        for decoy in phrases.decoys:
            if self.match(decoy):
                yield f"decoys: {decoy!r} means something; leave it out"
        for section in ("sensitivity", "sounds_like"):
            for phrase in getattr(phrases, section):
                if tuple(plain(phrase)) not in self._whole:
                    yield f"{section}.{phrase}: no such phrase; list it or leave it out"
        for phrase, others in phrases.sounds_like.items():
            for other in others:
                if self.match(other):
                    yield f"sounds_like.{phrase}: {other!r} means something; leave it out"

    def _words(self, text: str) -> list[str]:
        words: list[str] = []
        for word in plain(text):
            words += self._spell(word) if word.isdigit() else [word]
        return words

    def _spell(self, digits: str) -> list[str]:
        """Turn typed digits into words: 7 is seven, 911 is nine one one."""
        if digits in self._digits:
            return self._digits[digits]
        return [word for digit in digits for word in self._digits.get(digit, [digit])]

    def _most_serious(self, words: Sequence[str]) -> Meaning | None:
        """Return the most serious meaning found anywhere; of equals the longest, then the first."""
        ranked = self._ranked(words)
        return ranked[1] if ranked else None

    def _ranked(self, words: Sequence[str]) -> tuple[tuple[int, int], Meaning] | None:
        """The same behind its seriousness and its length, the latter negative."""
        found = [
            ((seriousness(meaning), -length), meaning)
            for length, meaning in self._occurrences(words)
        ]
        return min(found, key=lambda ranked: ranked[0]) if found else None

    def _occurrences(self, words: Sequence[str]) -> Iterator[tuple[int, Meaning]]:
        """Yield the length and meaning of every safety phrase, in the order of their beginnings."""
        said = {*words, GAP}
        for start, word in enumerate(words):
            longest = min(self._longest.get(word, 0), len(words) - start)
            for end in range(start + 1, start + longest + 1):
                meaning = self._anywhere.get(tuple(words[start:end]))
                if meaning:
                    yield end - start, meaning
            for pattern, meaning in self._gapped.get(word, ()):
                # Most patterns lack a word: seen at once, without trying where each gap ends.
                last = _end(pattern, words, start) if said.issuperset(pattern) else None
                if last:
                    yield last - start, meaning

    def _understand(self, words: Sequence[str]) -> Meaning | None:
        """Look the utterance up, then again with less and less politeness around it."""
        if len(words) > _MOST_WORDS:
            return None
        ends = [len(words) - cut for cut in _offsets(words[::-1], self._after)]
        for start in _offsets(words, self._before):
            for end in ends:
                core = tuple(words[start:end])
                wording = self._whole.get(core) or self._whole.get(_said_once(core))
                if wording:
                    return wording.meaning
        return None


def _index(
    wordings: Collection[Wording],
) -> tuple[dict[_Words, Meaning], dict[str, list[tuple[_Words, Meaning]]]]:
    """Return the phrases that count anywhere: the plain ones, and those with gaps by first word."""
    plain_ones: dict[_Words, Meaning] = {}
    gapped: dict[str, list[tuple[_Words, Meaning]]] = {}
    for wording in wordings:
        if GAP in wording.words:
            gapped.setdefault(wording.words[0], []).append((wording.words, wording.meaning))
        elif wording.anywhere:
            plain_ones.setdefault(wording.words, wording.meaning)
    return plain_ones, gapped


def _longest_by_first_word(phrases: Collection[_Words]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for words in phrases:
        longest[words[0]] = max(longest.get(words[0], 0), len(words))
    return longest


def _end(pattern: _Words, words: Sequence[str], at: int) -> int | None:
    """Return where `pattern` ends if it stands at `at`; a GAP is the shortest that fits."""
    for index, wanted in enumerate(pattern):
        if wanted == GAP:
            tries = (_end(pattern[index + 1 :], words, at + gap) for gap in range(_GAP_WORDS + 1))
            return next((end for end in tries if end), None)
        if at >= len(words) or words[at] != wanted:
            return None
        at += 1
    return at


def _offsets(words: Sequence[str], fillers: Collection[_Words]) -> list[int]:
    """Return how many words may be dropped from the front: 0, and each sum of fillers there."""
    reached = [0]
    for start in reached:
        for filler in fillers:
            end = start + len(filler)
            if end not in reached and tuple(words[start:end]) == filler:
                reached.append(end)
    return sorted(reached)


def _said_once(words: _Words) -> _Words:
    """Return "pause" for "pause pause": people who are in a hurry say a thing twice."""
    for length in range(1, len(words) // 2 + 1):
        if words == words[:length] * (len(words) // length):
            return words[:length]
    return words
