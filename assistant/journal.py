"""Sessions on this device, in SQLite; it must never hold sound, or a word that a person said.

What happened is appended, one committed row an event, so that a power cut loses nothing that was
acknowledged (docs/facts.md D4: WAL with synchronous=FULL, 0 of 41,915 rows lost in 30 kill -9).
A session without an `end` row was cut short.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from assistant.session_record import LOST, SessionRecord, record_of
from assistant.wall_clock import Moment
from assistant.writers import Writers
from audio.errors import UnknotError

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE session (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            started REAL NOT NULL,
            routine TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE event (
            session INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
            at REAL NOT NULL,
            kind TEXT NOT NULL,
            fields TEXT NOT NULL,
            CHECK (kind <> 'rating' OR json_extract(fields, '$.value') BETWEEN 0 AND 10)
        ) STRICT""",
        "CREATE INDEX event_of_session ON event (session)",
    ),
    (
        "ALTER TABLE session ADD COLUMN boot TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE session ADD COLUMN uptime REAL NOT NULL DEFAULT 0",
    ),
    ("ALTER TABLE session ADD COLUMN seen REAL NOT NULL DEFAULT 0",),
    ("CREATE TABLE rest (wall REAL NOT NULL, boot TEXT NOT NULL, uptime REAL NOT NULL) STRICT",),
)
"""Statements that lead from one schema version to the next; `user_version` counts those done."""

_KEPT = {
    "state": ("from", "to"),
    "heard": ("level", "intent", "ear"),
    "massager": ("on", "level", "lease", "why"),
    "step": ("index", "name", "of"),
    "hold": ("seconds",),
    "advice": ("id", "tier"),
    "rating": ("when", "value"),
    "fault": ("what",),
    "end": ("why",),
}
"""The fields that are kept of each kind of event. What is not named here is never written."""

RENEWED = ("massager", "renewed")

_HEAD = b"SQLite format 3\0"

LONGEST_SILENCE_SECONDS = 900.0
"""No massage goes on for longer without an event (a session's limit, docs/facts.md S8)."""


class JournalError(UnknotError):
    """The journal could not be written, or has no such session."""


class JournalUnreadableError(JournalError):
    """The file is damaged, foreign, or from a newer version of unknot. Nothing was changed."""

    exit_code = 3


class Journal:
    """The journal in the file `path`, which is made (0600, its folder 0700) where there is none."""

    def __init__(self, path: Path) -> None:
        """Raises JournalUnreadableError for a file that is not a journal this version can keep."""
        self._path = path
        self._begun: set[int] = set()
        with self._one_line():
            _make_private(path)
            self._check_head()
            self._db = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        try:
            with self._one_line():
                self._check_version()
                self._prepare()
                self._writers = Writers(path.with_name(f"{path.name}.lock"))
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. A second call changes nothing."""
        self._db.close()
        self._writers.close()

    def begin(self, routine: str, at: Moment) -> int:
        """Note that a session begins; its id."""
        with self._one_line():
            self._writers.join()
            row = self._db.execute(
                "INSERT INTO session (started, routine, boot, uptime) VALUES (?, ?, ?, ?)",
                (at.wall, routine, at.boot, at.uptime),
            )
        assert row.lastrowid is not None
        self._begun.add(row.lastrowid)
        return row.lastrowid

    def record(self, session: int, kind: str, at_seconds: float, **fields: object) -> None:
        """Note an event at session time `at_seconds`; on the disk when this returns.

        Kinds and fields are those of the event lines. Those that are not kept are passed over, so
        every event of a session can be given to the journal as it is. Of a renewed lease only the
        time is kept, so that no massager runs on for long beside a disk that takes nothing.
        """
        if (kind, fields.get("why")) == RENEWED:
            query = "UPDATE session SET seen = ? WHERE id = ?"
            with self._one_line():
                if self._db.execute(query, (at_seconds, session)).rowcount != 1:
                    raise sqlite3.IntegrityError(f"there is no session {session}")
        if not _is_kept(kind, fields):
            return
        kept = {name: fields[name] for name in _KEPT[kind] if name in fields}
        with self._one_line():
            self._db.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?)",
                (session, at_seconds, kind, json.dumps(kept)),
            )

    def end(self, session: int, why: str, at_seconds: float) -> None:
        """Note that the session is over."""
        self.record(session, "end", at_seconds, why=why)

    def unfinished(self) -> list[SessionRecord]:
        """Sessions without an end: cut short, or running in another process."""
        return self._select("id NOT IN (SELECT session FROM event WHERE kind = 'end')")

    def close_unfinished(self, now: Moment) -> list[SessionRecord]:
        """Mark what was cut short as lost, at the latest moment at which it can have ended.

        From then the massager rests. While another process writes, its session is not lost, and
        nothing is marked.
        """
        lost = self.unfinished() if self._writers.nobody_else() else []
        for session in lost:
            latest = session.seconds + LONGEST_SILENCE_SECONDS
            at = min(max(now.seconds_since(session.began), session.seconds), latest)
            self.end(session.id, LOST, at)
            self._rest_from(now.latest_end(session.began, at))
        return lost

    def since_unclean_end(self, now: Moment) -> float | None:
        """Seconds since the last lost session ended, at least 0; None where there is no rest due.

        It is kept apart from the sessions: who wipes those does not wipe the neck's rest.
        """
        with self._one_line():
            rows = self._db.execute("SELECT wall, boot, uptime FROM rest").fetchall()
        ages = (now.seconds_since(Moment(*row)) for row in rows)
        return min((max(0.0, age) for age in ages), default=None)

    def rested(self) -> None:
        """The rest after a lost session is over: forget when it began."""
        with self._one_line():
            self._db.execute("DELETE FROM rest")

    def _rest_from(self, moment: Moment) -> None:
        with self._one_line():
            values = (moment.wall, moment.boot, moment.uptime)
            self._db.execute("INSERT INTO rest VALUES (?, ?, ?)", values)

    def sessions(self) -> list[SessionRecord]:
        """Every session, the oldest first."""
        return self._select("TRUE")

    def session(self, number: int) -> SessionRecord:
        """The session with this id. Raises JournalError where there is none."""
        found = self._select("id = ?", number)
        if not found:
            raise JournalError(
                f"{self._path}: there is no session {number}", "see: unknot journal list"
            )
        return found[0]

    def export(self, session: int | None = None) -> Iterator[dict[str, Any]]:
        """The events of one session, or of all, as event lines, each with its session's id."""
        chosen = self.sessions() if session is None else [self.session(session)]
        for one in chosen:
            started = datetime.fromtimestamp(one.started, UTC).isoformat(timespec="seconds")
            first = {"at": 0.0, "kind": "begin", "routine": one.routine, "started": started}
            with self._one_line():
                events = self._events(one.id)
            for line in [first, *events]:
                yield {"session": one.id, **line}

    def forget(self, session: int | None = None) -> None:
        """Wipe one session, or all: overwritten in the file, which shrinks.

        Flash memory may keep old pages for a while; no program can prevent that. Raises
        JournalError for a session that goes on in another process: it needs its diary.
        """
        if session is not None:
            self.session(session)
        gone = {one.id for one in self.unfinished() if session in (None, one.id)} - self._begun
        if gone and not self._writers.nobody_else():
            raise JournalError(
                f"{self._path}: session {max(gone)} goes on and needs its journal",
                "end it, then forget again",
            )
        with self._one_line():
            self._db.execute("DELETE FROM session WHERE ?1 IS NULL OR id = ?1", (session,))
            self._db.execute("VACUUM")
            busy, *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise JournalError(
                f"{self._path}: another program reads the journal, so that old pages could not be "
                "wiped",
                "end it, then forget again",
            )

    def damage(self) -> str | None:
        """What SQLite finds wrong with the file, or None."""
        with self._one_line():
            (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        return None if found == "ok" else str(found)

    def _select(self, condition: str, *values: int | str) -> list[SessionRecord]:
        fields = "id, routine, seen, started, boot, uptime"
        query = f"SELECT {fields} FROM session WHERE {condition} ORDER BY id"  # noqa: S608 (own text)
        with self._one_line():
            rows = self._db.execute(query, values).fetchall()
            return [
                record_of(number, routine, Moment(*began), seen, self._events(number))
                for number, routine, seen, *began in rows
            ]

    def _events(self, session: int) -> list[dict[str, Any]]:
        rows = self._db.execute(
            "SELECT at, kind, fields FROM event WHERE session = ? ORDER BY rowid", (session,)
        )
        try:
            return [{"at": at, "kind": kind, **json.loads(fields)} for at, kind, fields in rows]
        except (ValueError, TypeError) as error:
            raise JournalUnreadableError(
                f"{self._path}: session {session} is damaged: {error}", "move the file away"
            ) from error

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        return int(version)

    def _check_head(self) -> None:
        """Refuse what SQLite would take for an empty database and write over."""
        with self._path.open("rb") as file:
            head = file.read(len(_HEAD))
        if head not in (b"", _HEAD):
            raise JournalUnreadableError(
                f"{self._path}: this is not a journal", "move the file away"
            )

    def _check_version(self) -> None:
        """Refuse a file that is not ours before anything in it can change."""
        version = self._version()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version > len(_MIGRATIONS):
            raise JournalUnreadableError(
                f"{self._path}: this journal is from a newer unknot (version {version}, this one "
                f"knows {len(_MIGRATIONS)})",
                "update unknot, or move the file away",
            )
        if version == 0 and tables:
            raise JournalUnreadableError(
                f"{self._path}: this is a database, but not a journal of unknot",
                "move the file away",
            )

    def _prepare(self) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("PRAGMA secure_delete=ON")
        if self._version() == len(_MIGRATIONS):
            return  # without a lock, so that a journal can be looked at while it is written
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for statements in _MIGRATIONS[self._version() :]:
                for statement in statements:
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={len(_MIGRATIONS)}")

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        """Turn what SQLite or the disk says into one line that names the file and the remedy."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise JournalError(
                f"{self._path}: {error}", "is the disk full or read-only?"
            ) from error
        except sqlite3.IntegrityError as error:
            raise JournalError(f"{self._path}: {error}", "was this session forgotten?") from error
        except sqlite3.DatabaseError as error:
            raise JournalUnreadableError(f"{self._path}: {error}", "move the file away") from error
        except OSError as error:
            raise JournalError(
                f"{self._path}: {error.strerror}", "free or mend the disk"
            ) from error


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def _is_kept(kind: str, fields: dict[str, object]) -> bool:
    """Of what was heard only what was acted upon: other people's talk is nobody's business.

    Renewals of a lease, every few seconds, say no more than that the session still goes on.
    """
    if kind == "heard":
        return fields.get("intent") is not None and fields.get("level") in ("confirmed", "final")
    return kind in _KEPT and (kind, fields.get("why")) != RENEWED
