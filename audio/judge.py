"""Makes one story of what the ears say: what was heard, by whom, how surely, and each word once.

It must never drop a safety word because of what is expected or what is being said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from audio.messages import Ear, Heard, Level
from audio.recogniser import Reading
from intents.intent import SAFETY, Intent, Meaning
from intents.phrasebook import Phrasebook, seriousness
from intents.plain import written
from intents.spotter import Clue, ClueKind, EarName, Spotter, Verdict

SHORT_WORDS = 2
"""Phrases of so few words are what a poor ear hears in any talk, as "enough" in a long sentence."""

SAME_WORD_SECONDS = 1.5
"""Two ears that are sure of the same word within this time heard it once."""


class Judge:
    """Spotter and phrasebook over both ears. `at` is seconds of audio consumed, everywhere."""

    def __init__(self, book: Phrasebook, practice: bool) -> None:
        """`practice`: the word ear is poor; a short safety phrase from it is only a vote."""
        self._book = book
        self._practice = practice
        self._spotter = Spotter()
        self._expected: frozenset[Intent] = frozenset()
        self._said: tuple[str, ...] = ()
        self._partial: Intent | None = None
        self._read: Meaning | None = None
        """The safety word that the word ear read last."""
        self._sure: dict[Intent, tuple[EarName, float]] = {}
        self._alarm: tuple[Intent, float] | None = None
        """The safety word that the alarm ear last heard, and when."""

    def expect(self, intents: frozenset[Intent]) -> None:
        """Heed only these ordinary intents; none means all of them."""
        self._expected = intents

    def saying(self, sentences: Sequence[str]) -> None:
        """What the loudspeaker says now."""
        self._said = tuple(f" {written(sentence)} " for sentence in sentences)

    def reset(self) -> None:
        """Forget everything heard."""
        self._spotter.reset()
        self._partial = self._read = None
        self._sure.clear()
        self._alarm = None

    def weigh(
        self, clues: Iterable[Clue], at: float, meaning: Meaning | None = None
    ) -> list[Heard]:
        """What the clues of one block add up to; `meaning` is that of the words they come from."""
        verdicts = [v for clue in clues for v in self._spotter.hear(replace(clue, at=at))]
        heard = [_heard(v, meaning) for v in verdicts if not self._is_told(v)]
        for one in heard:
            if one.ear in (Ear.ALARM, Ear.SECOND) and one.intent in SAFETY:
                self._alarm = (one.intent, at)
        return heard

    def read(self, reading: Reading, at: float, settled: bool) -> list[Heard]:
        """What the words mean: a safety word also unfinished, all else only when finished.

        `settled`: the canceller knows the room, so what is read is not our own voice.
        """
        reading = self._as_suspected(reading, at)
        meaning = self._book.safety(reading.text, reading.final) if reading.text else None
        heard = self._suspect(reading, meaning, at) if meaning else []
        self._lose(meaning.intent if meaning and not reading.final else None)
        if reading.final and reading.text and meaning is None:
            heard += self._ordinary(reading.text, at, settled)
        return heard

    def _as_suspected(self, reading: Reading, at: float) -> Reading:
        """What may have been the safety word that the alarm ear has just suspected was that word:
        "stop" must not become "knot". A safety phrase of two words stays what it is."""
        meaning = self._book.safety(reading.perhaps) if reading.perhaps else None
        if meaning is None or self._alarm is None:
            return reading
        if _two_words(reading.text) and self._book.safety(reading.text, reading.final):
            return reading
        intent, when = self._alarm
        same = meaning.intent is intent and at - when <= SAME_WORD_SECONDS
        return replace(reading, text=reading.perhaps) if same else reading

    def _suspect(self, reading: Reading, meaning: Meaning, at: float) -> list[Heard]:
        if self._practice and self._book.safety_words(reading.text) <= SHORT_WORDS:
            return self._vote(reading, meaning, at)
        self._note(meaning)
        kind = ClueKind.FINAL if reading.final else ClueKind.PARTIAL
        return self.weigh([Clue("words", kind, meaning.intent, 1.0, at, reading.text)], at, meaning)

    def _note(self, meaning: Meaning) -> None:
        """What became more serious, as "it hurts, it really hurts", is no longer the same sound."""
        was, self._read = self._read, meaning
        worse = was is not None and seriousness(meaning) < seriousness(was)
        if worse and was is not None and was.intent is meaning.intent:
            self._spotter.lost("words", meaning.intent)

    def _vote(self, reading: Reading, meaning: Meaning, at: float) -> list[Heard]:
        """A short phrase from a poor ear: alone a suspicion, with the alarm ear a certainty.

        It takes talk for such a phrase now and then (bench/hearing_words.py). And where the alarm
        ear has just heard one, it means the same sound and knows it worse: "stop" must not become
        "hot". Two words ("too hot") say more than one sound.
        """
        intent, when = self._alarm or (meaning.intent, at)
        other = intent is not meaning.intent and not _two_words(reading.text)
        if at - when > SAME_WORD_SECONDS or not other:
            clue = Clue("vote", ClueKind.SCORE, meaning.intent, 1.0, at, reading.text)
            return self.weigh([clue], at, meaning)
        return self.weigh([Clue("vote", ClueKind.SCORE, intent, 1.0, at, intent.value)], at)

    def _lose(self, intent: Intent | None) -> None:
        """Tell the spotter when the unfinished text no longer holds the word it held."""
        if self._partial is not None and self._partial is not intent:
            self._spotter.lost("words", self._partial)
        self._partial = intent

    def _ordinary(self, text: str, at: float, settled: bool) -> list[Heard]:
        meaning = self._book.match(text) or self._book.question(text)
        if meaning is None:
            return [Heard(Level.FINAL, None, text, Ear.WORDS, at)]
        unexpected = self._expected and meaning.intent not in self._expected
        if unexpected or (not settled and self._is_own(text)):
            return []
        return [
            Heard(Level.FINAL, meaning.intent, text, Ear.WORDS, at, meaning.value, meaning.topic)
        ]

    def _is_own(self, text: str) -> bool:
        return any(f" {text} " in said for said in self._said)

    def _is_told(self, verdict: Verdict) -> bool:
        """Another ear was sure of this word just now: the person said it once.

        Without this, the "stop" that passes the hearing check would halt half a second later,
        when the slower ear has finished with the same word.
        """
        told = self._sure.get(verdict.intent)
        if told and told[0] != verdict.ear and verdict.at - told[1] <= SAME_WORD_SECONDS:
            return True
        if verdict.level == "confirmed":
            self._sure[verdict.intent] = (verdict.ear, verdict.at)
        return False


def _two_words(text: str) -> bool:
    """They say more than one sound."""
    return len(text.split()) > 1


_EARS: Mapping[EarName, Ear] = {
    "alarm": Ear.ALARM,
    "second": Ear.SECOND,
    "words": Ear.WORDS,
    "vote": Ear.WORDS,
}


def _heard(verdict: Verdict, meaning: Meaning | None) -> Heard:
    topic = meaning.topic if meaning else None
    ear = _EARS[verdict.ear]
    return Heard(Level(verdict.level), verdict.intent, verdict.text, ear, verdict.at, topic=topic)
