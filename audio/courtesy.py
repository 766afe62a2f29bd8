"""When the voice gives way to the person: it pauses at once, and goes on when nothing came of it.

It must never keep silent for good, and never talk over a suspected safety word.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from audio.messages import Heard, Level

RESUME_SECONDS = 1.5
"""Time without a command until the interrupted sentence is said again (docs/facts.md A7.3)."""

LONGEST_PAUSE_SECONDS = 4.0
"""Somebody who talks on does not keep the prompt waiting longer than this."""

MOST_PAUSES = 3
PAUSES_WITHIN_SECONDS = 30.0
"""So many pauses for a mere voice in this time mean a radio or a guest, not an interruption."""

LOWER_DB = -6.0
"""How much softer the voice is then, so that the person is heard over it."""


class Voiced(Protocol):
    """The part of the player that courtesy needs."""

    @property
    def speaking(self) -> bool:
        """A prompt has begun and is not over; also while it is paused."""

    def pause(self) -> None:
        """Be silent now, to be resumed."""

    def resume(self) -> None:
        """Go on from the beginning of the interrupted sentence."""

    def volume(self, level_db: float) -> None:
        """Set the loudness of the voice, 0 dB or less."""


class Courtesy:
    """Pauses and resumes the voice by what was heard; times are seconds of audio."""

    def __init__(self, voice: Voiced) -> None:
        self._voice = voice
        self._volume_db = 0.0
        self._paused_at: float | None = None
        self._pauses: deque[float] = deque(maxlen=MOST_PAUSES)
        self._lowered = False

    @property
    def lowered(self) -> bool:
        """It stopped giving way to mere voices, and speaks more softly instead."""
        return self._lowered

    def volume(self, level_db: float) -> None:
        """The loudness that the person chose."""
        self._volume_db = level_db
        self._voice.volume(level_db + (LOWER_DB if self._lowered else 0.0))

    def forget(self) -> None:
        """The prompt was replaced or hushed: there is nothing to resume."""
        self._paused_at = None

    def mind(self, heard: Sequence[Heard], talking: bool, at: float) -> None:
        """Take what the last block brought, and whether somebody is talking now."""
        levels = {one.level for one in heard}
        if Level.SUSPECT in levels or Level.CONFIRMED in levels:
            self._pause(at)
        elif Level.VOICE in levels:
            self._give_way(at)
        self._go_on(talking, at)
        self._settle(at)

    def _give_way(self, at: float) -> None:
        if not self._voice.speaking or self._lowered:
            return
        if self._paused_at is None:
            self._pauses.append(at)
        if self._is_crowded(at):
            self._lowered = True
            self.volume(self._volume_db)
        self._pause(at)

    def _pause(self, at: float) -> None:
        if self._voice.speaking:
            self._voice.pause()
            self._paused_at = at

    def _go_on(self, talking: bool, at: float) -> None:
        if self._paused_at is None:
            return
        waited = at - self._paused_at
        if waited >= LONGEST_PAUSE_SECONDS or (waited >= RESUME_SECONDS and not talking):
            self._paused_at = None
            self._voice.resume()

    def _is_crowded(self, at: float) -> bool:
        full = len(self._pauses) == MOST_PAUSES
        return full and at - self._pauses[0] <= PAUSES_WITHIN_SECONDS

    def _settle(self, at: float) -> None:
        """Half a minute without such a pause: give way to voices again."""
        if self._lowered and at - self._pauses[-1] > PAUSES_WITHIN_SECONDS:
            self._lowered = False
            self._pauses.clear()
            self.volume(self._volume_db)
