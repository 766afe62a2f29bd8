"""Takes the journal along: CSV, and files that only their owner reads; it must never change it."""

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from assistant.session_record import SessionRecord
from audio.errors import UnknotError

_COLUMNS = ("id", "started", "routine", "minutes", "before", "after", "why", "steps", "advice")


def csv_lines(sessions: Iterable[SessionRecord]) -> Iterator[str]:
    """A head line, then one line a session; times in UTC, empty where nothing is known."""
    yield _csv(_COLUMNS)
    for session in sessions:
        started = datetime.fromtimestamp(session.started, UTC).isoformat(timespec="seconds")
        minutes = f"{session.seconds / 60:.1f}"
        ratings = (session.before, session.after)
        advice = " ".join(session.advice)
        given = (session.id, started, session.routine, minutes, *ratings, session.why)
        yield _csv((*given, len(session.steps), advice))


def write_private(file: Path, text: str) -> None:
    """Write `text` whole or not at all, readable by its owner only. Raises UnknotError."""
    try:
        _replace(file, text)
    except OSError as error:
        raise UnknotError(f"{file}: {error.strerror}", "choose another place") from error


def _replace(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as partial:
            partial.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _csv(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
