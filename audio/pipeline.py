"""From a microphone block and what was played to what was heard: live, on files, in a room.

It must never count time but in samples, and never let a broken ear take the other one with it.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from audio.dying_away import DyingAway
from audio.echo import Canceller, Talk
from audio.judge import Judge
from audio.messages import Ear, Fault, Heard, Level, Ready
from audio.recogniser import Reading, Recogniser
from audio.sound import BLOCK, RATE, Samples, level_db
from intents.intent import Intent
from intents.phrasebook import Phrasebook
from intents.spotter import Clue

_log = logging.getLogger(__name__)

LINGER_BLOCKS = 50
"""Echo of what was played may be in the room for half a second, and ears tell of it later still:
the word ear waits for an utterance's end, the alarm ear looks at a suspicion twice. In the plain
voice's first words in a room one came 0.7 s after the last of them (bench/own_voice.py)."""

LEARNING_BLOCKS = 100
"""What began before the canceller knew the room is suspected up to two seconds later: the word ear
hears an utterance to its end first."""


class SoundEar(Protocol):
    """An ear that knows words by their sound and gives clues, not text."""

    def hear(self, block: Samples) -> list[Clue]:
        """Take one cleaned block."""

    def enrol(self, on: bool) -> None:
        """Keep the sound of the next stop (`on`), or forget every sample."""

    def reset(self) -> None:
        """Forget the sound so far, as after a gap."""


@dataclass(frozen=True)
class Ears:
    """Who listens; an ear that is None is not asked."""

    alarm: SoundEar | None
    words: Recogniser | None
    of_this_language: bool = True
    """The alarm ear's words are those that the person is taught; else it knows "stop" at best."""
    second: SoundEar | None = None
    """A second opinion, which nothing depends on."""


class Pipeline:
    """Canceller, "somebody talks", both ears and the judge, in one line."""

    def __init__(self, ears: Ears, canceller: Canceller, book: Phrasebook) -> None:
        words = ears.words
        self.ready = Ready(words.engine, words.model) if words else Ready("none", "none")
        """Who listens."""
        poor_words = words is None or words.practice
        self.practice = poor_words and not (ears.alarm and ears.of_this_language)
        """No ear is there that may arm a real massager by itself."""
        self.samples = 0
        self.level_db = -100.0
        """Loudness of the last block, the loudspeaker's echo taken out."""
        self.ears_answer = True
        """Every ear that was there at the start still works."""
        self._ears = ears
        self._canceller = canceller
        self._talk = Talk()
        self._judge = Judge(book, poor_words)
        self._played: deque[bool] = deque(maxlen=LINGER_BLOCKS)
        self._dying_away = DyingAway()
        self._settled_blocks = 0
        """Since the start, not since a gap: a massager may run by then, and has to rest."""
        self._faults: list[Fault] = []

    @property
    def at(self) -> float:
        """Seconds of audio consumed."""
        return self.samples / RATE

    @property
    def talking(self) -> bool:
        """Somebody talks."""
        return self._talk.talking

    def expect(self, intents: frozenset[Intent], likely: frozenset[Intent] = frozenset()) -> None:
        """Heed only these ordinary intents; none means all. The word ear listens for `likely`."""
        self._judge.expect(intents)
        if self._ears.words is not None:
            self._ears.words.expect(likely or intents)

    def saying(self, sentences: Sequence[str]) -> None:
        """What the loudspeaker says now, so that it is not taken for a command."""
        self._judge.saying(sentences)

    def enrol(self, on: bool) -> None:
        """Keep the sound of the next stop, or forget every sample."""
        if self._ears.alarm is not None:
            self._ears.alarm.enrol(on)

    def reset(self) -> None:
        """Start anew after a gap in the sound: what was before it belongs to nothing after it."""
        self._canceller.reset()
        self._dying_away.reset()
        self._judge.reset()
        for ear in (self._ears.alarm, self._ears.second, self._ears.words):
            if ear is not None:
                ear.reset()

    def hear(self, mic: Samples, played: Samples) -> list[Heard]:
        """Take one block of 320 samples and what was played meanwhile."""
        cleaned = self._canceller.clean(mic, played)
        self._played.append(bool(played.any()))
        self._dying_away.hear(mic, played)
        self._settled_blocks += self._canceller.settled
        self.samples += BLOCK
        self.level_db = level_db(cleaned.sound)
        by_sound = [*self._alarm(cleaned.sound), *self._second(cleaned.sound)]
        by_ears = [*by_sound, *self._words(cleaned.words)]
        told = [heard for heard in by_ears if not self._may_be_ourselves(heard)]
        return [*self._voice(cleaned.sound), *told]

    def take_faults(self) -> list[Fault]:
        """What broke since the last call. An ear that broke is not asked again."""
        faults, self._faults = self._faults, []
        return faults

    def _may_be_ourselves(self, heard: Heard) -> bool:
        """A mere suspicion while we talk and the canceller first learns the room. The judge keeps
        it for the next one; what is sure is told whoever talks."""
        learning = self._settled_blocks < LEARNING_BLOCKS
        return learning and heard.level is Level.SUSPECT and any(self._played)

    def _voice(self, block: Samples) -> list[Heard]:
        """Somebody began to talk. While the canceller learns the room, that may be ourselves."""
        begins = self._talk.hear(block)
        if not begins or (any(self._played) and not self._canceller.settled):
            return []
        return [Heard(Level.VOICE, None, "", Ear.WORDS, self.at)]

    def _alarm(self, block: Samples) -> list[Heard]:
        if self._ears.alarm is None:
            return []
        try:
            clues = self._ears.alarm.hear(block)
        except Exception as error:  # whatever it is: the session must learn of it and turn off
            self._broke("alarm_ear_failed", error)
            self._ears = replace(self._ears, alarm=None)
            return []
        return self._judge.weigh(clues, self.at)

    def _second(self, block: Samples) -> list[Heard]:
        if self._ears.second is None:
            return []
        try:
            clues = self._ears.second.hear(block)
        except Exception as error:  # whatever it is: the session does well without
            _log.warning("going on without the second ear: %s", error)
            self._ears = replace(self._ears, second=None)
            return []
        return self._judge.weigh(clues, self.at)

    def _words(self, block: Samples) -> list[Heard]:
        if self._ears.words is None:
            return []
        try:
            readings = self._ears.words.hear(block)
        except Exception as error:  # whatever it is: the alarm ear must go on
            self._broke("recogniser_failed", error)
            self._ears = replace(self._ears, words=None)
            return []
        return [heard for reading in readings for heard in self._meant(reading)]

    def _meant(self, reading: Reading) -> list[Heard]:
        """What the judge makes of it, but no command of our own voice that dies away."""
        heard = self._judge.read(reading, self.at, self._canceller.settled)
        safe = [one for one in heard if one.level is not Level.FINAL]
        return safe if self._dying_away.explains(reading.blocks) else heard

    def _broke(self, what: str, error: Exception) -> None:
        self.ears_answer = False
        self._faults.append(Fault(what, str(error)))
