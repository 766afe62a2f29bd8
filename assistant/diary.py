"""Writes one session into the journal as it goes; it must never keep what the journal omits."""

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
