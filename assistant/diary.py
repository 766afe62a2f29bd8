"""Writes one session into the journal as it goes; it must never keep what the journal omits.

Where nothing is to be kept, a session that breaks must still be known to have broken.
"""

from collections.abc import Callable
from typing import Any

from assistant.journal import Journal
from assistant.wall_clock import Moment


class JournalDiary:
    """What the conductor writes into: one session of `journal`; `clock` gives this moment."""

    def __init__(self, journal: Journal, clock: Callable[[], Moment]) -> None:
        self._journal = journal
        self._clock = clock
        self._session: int | None = None

    def begin(self, routine: str) -> None:
        """A session with this routine begins. Raises JournalError."""
        self._session = self._journal.begin(routine, self._clock())

    def record(self, line: dict[str, Any]) -> None:
        """Keep an event line of the session that has begun. Raises JournalError."""
        if self._session is None:
            return
        fields = {name: value for name, value in line.items() if name not in ("at", "kind")}
        self._journal.record(self._session, line["kind"], line["at"], **fields)


class UnkeptDiary(JournalDiary):
    """For a person who keeps no journal: while a session lasts, when the massager ran, and nothing
    of it once it has ended. After one that broke the massager rests all the same."""

    def record(self, line: dict[str, Any]) -> None:
        """Keep a massager's line; at the end forget the session. Raises JournalError."""
        if line["kind"] == "massager":
            super().record(line)
        elif line["kind"] == "end" and self._session is not None:
            self._journal.forget(self._session)
