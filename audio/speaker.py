"""The mouth: prompts and tones, sample by sample; it must never wait, nor sound after a hush.

The sound card's thread calls `fill` while one other thread gives commands. A command only joins a
queue, which the next `fill` reads: nobody holds a lock, and nobody waits.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from audio.line import Line, Wide
from audio.messages import SayBegan, SayEnded
from audio.sound import RATE, Samples
from audio.tones import tone

FADE = RATE // 100
"""Samples of the fade after a hush: 10 ms, so that silence begins within the next block."""

UNDER_SPEECH = 10 ** (-6.0 / 20)
"""A tone that meets speech is mixed with it, 6 dB lower: a count of three, two, one that waited for
the end of a sentence would be wrong."""

SOFTEST_DB = -40.0

_FADE_OUT = np.linspace(1.0, 0.0, FADE, dtype=np.float32)
_NOTHING: Wide = np.zeros(0, np.float32)


class Player:
    """Speaks one prompt at a time. Every `say` ends in exactly one `SayEnded`."""

    def __init__(self) -> None:
        self._commands: deque[Callable[[], None]] = deque()
        self._told: deque[SayBegan | SayEnded] = deque()
        self._line: Line | None = None
        self._began = self._paused = False
        self._tone, self._tail = _NOTHING, _NOTHING
        self._gain = self._wanted_gain = 1.0
        # Two counts, each written by one thread only.
        self._asked = self._obeyed = 0

    @property
    def speaking(self) -> bool:
        """A prompt waits or has begun, and is not over; also while it is paused."""
        return self._line is not None or self._asked != self._obeyed

    # Commands

    def say(
        self, prompt: str, clips: Sequence[Samples], texts: Sequence[str], gap_seconds: float
    ) -> None:
        """Speak the clips one after another. What was spoken before is cut, and a pause ends."""
        line = Line(prompt, clips, texts, max(0, round(gap_seconds * RATE)))
        self._asked += 1
        self._commands.append(partial(self._begin, line))

    def tone(self, name: str) -> None:
        """Play a soft tone, 6 dB lower while something is spoken. Raises `ValueError`."""
        self._commands.append(partial(self._add_tone, tone(name)))

    def hush(self) -> None:
        """Be silent after the first 10 ms of the next block; forget what was to be said."""
        self._commands.append(self._silence)

    def pause(self) -> None:
        """Stop speaking as fast as `hush` does, but remember where. Tones go on."""
        self._commands.append(self._hold)

    def resume(self) -> None:
        """Go on from the start of the sentence that the pause cut; the third time from there on."""
        self._commands.append(self._go_on)

    def volume(self, level_db: float) -> None:
        """Set the loudness of voice and tones against the rendered level: 0 dB or less."""
        self._wanted_gain = 10 ** (min(0.0, max(SOFTEST_DB, level_db)) / 20)

    # Sound

    def fill(self, count: int) -> Samples:
        """The next `count` samples for the loudspeaker; zeros when there is nothing to say."""
        while self._commands:
            self._commands.popleft()()
        if self._line is None and not len(self._tone) and not len(self._tail):
            self._gain = self._wanted_gain
            return np.zeros(count, np.int16)
        ringing, self._tone = _split(self._tone, count)
        fading, self._tail = _split(self._tail, count)
        out = self._speech(count) + ringing + fading
        wanted = self._wanted_gain
        out *= np.linspace(self._gain, wanted, count, dtype=np.float32)
        self._gain = wanted
        samples: Samples = np.clip(np.rint(out), -32768, 32767).astype(np.int16)
        return samples

    def take_messages(self, at: float) -> list[SayBegan | SayEnded]:
        """What began and ended since the last call, with `at` as its time."""
        return [replace(self._told.popleft(), at=at) for _ in range(len(self._told))]

    def _speech(self, count: int) -> Wide:
        if self._line is None or self._paused:
            return np.zeros(count, np.float32)
        if not self._began:
            self._began = True
            self._told.append(SayBegan(self._line.prompt, self._line.text, 0.0))
        out = self._line.take(count)
        if self._line.over:
            self._end(cut=False)
        return out

    # What the commands do, in the thread of `fill`

    def _begin(self, line: Line) -> None:
        self._cut()
        self._line, self._began, self._paused = line, False, False
        self._obeyed += 1

    def _silence(self) -> None:
        self._cut()
        self._fade_out(_split(self._tone, FADE)[0])
        self._tone = _NOTHING

    def _hold(self) -> None:
        if self._line is not None and not self._paused:
            self._fade_out(self._line.peek(FADE))
            self._line.rewind()
            self._paused = True

    def _go_on(self) -> None:
        self._paused = False

    def _cut(self) -> None:
        if self._line is None:
            return
        if self._began and not self._paused:
            self._fade_out(self._line.peek(FADE))
        self._end(cut=True)

    def _end(self, *, cut: bool) -> None:
        if self._line is not None:
            self._told.append(SayEnded(self._line.prompt, 0.0, cut))
        self._line = None

    def _add_tone(self, samples: Samples) -> None:
        speaks = self._line is not None and not self._paused
        sound = samples.astype(np.float32) * np.float32(UNDER_SPEECH if speaks else 1.0)
        self._tone = np.concatenate([self._tone, sound])

    def _fade_out(self, sound: Wide) -> None:
        """Let the next 10 ms of what is cut die away under whatever comes."""
        self._tail = _split(self._tail, FADE)[0] + sound * _FADE_OUT


def _split(sound: Wide, count: int) -> tuple[Wide, Wide]:
    """The first `count` samples, filled up with zeros, and the rest."""
    return np.pad(sound[:count], (0, max(0, count - len(sound)))), sound[count:]
