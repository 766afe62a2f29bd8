"""`unknot journal`: look at, take along and forget past sessions; it must never write events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.journal import Journal
    from assistant.session_record import SessionRecord


@click.group()
def journal() -> None:
    """Past sessions, kept on this device only.

    No sound is kept, and nothing that was said.
    """


@journal.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a session.")
def list_(as_json: bool) -> None:
    """List sessions: when, what, ratings before and after, why it ended."""
    with _opened() as kept:
        sessions = kept.sessions() if kept else []
    if as_json:
        for session in sessions:
            click.echo(json.dumps(asdict(session)))
    elif not sessions:
        click.echo("No sessions yet.", err=True)
    else:
        for session in sessions:
            click.echo(_line(session))


@journal.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON line an event.")
def show(number: int, as_json: bool) -> None:
    """Show the events of one session."""
    for line in _events(number):
        if as_json:
            click.echo(json.dumps(line))
        else:
            at, kind = line.pop("at"), line.pop("kind")
            del line["session"]
            fields = "  ".join(f"{name}={value}" for name, value in line.items())
            click.echo(f"{at:8.1f} s  {kind:<9} {fields}")


@journal.command()
@click.argument(
    "file", metavar="[FILE.jsonl|FILE.csv]", type=click.Path(path_type=Path), required=False
)
@click.option("--csv", "as_csv", is_flag=True, help="One line a session; so is FILE.csv.")
def export(file: Path | None, as_csv: bool) -> None:
    """Write every event as JSON lines, or one line a session as CSV; to stdout without FILE."""
    from assistant.journal_export import csv_lines

    if as_csv or (file and file.suffix.lower() == ".csv"):
        with _opened() as kept:
            lines = list(csv_lines(kept.sessions() if kept else []))
    else:
        lines = [json.dumps(line) for line in _events(None)]
    _put(file, "".join(f"{line}\n" for line in lines))


@journal.command()
@click.option("--out", metavar="FILE.svg", type=click.Path(path_type=Path), help="Else stdout.")
def chart(out: Path | None) -> None:
    """Draw the ratings before and after each session as an SVG picture."""
    from assistant.journal_chart import draw

    with _opened() as kept:
        picture = draw(kept.sessions() if kept else [])
    _put(out, picture)


@journal.command()
@click.argument("number", metavar="ID", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Every session.")
def forget(number: int | None, everything: bool) -> None:
    """Wipe one session, or all."""
    if everything == (number is not None):
        raise click.UsageError("say which session, or --all")
    from assistant.paths import under_way_file

    with _opened() as kept, _opened(under_way_file()) as under_way:
        if kept:
            _forget(kept, number)
        elif number is not None:
            raise click.UsageError(f"there is no session {number}: the journal is empty")
        if under_way and everything:
            _forget(under_way, None)
    click.echo("Forgotten.", err=True)


def _forget(kept: "Journal", number: int | None) -> None:
    """Wipe it; of a session that broke, that the massager has to rest is noted first."""
    from assistant.wall_clock import Moment

    if any(number in (None, session.id) for session in kept.unfinished()):
        kept.close_unfinished(Moment.now())
    kept.forget(number)


@contextmanager
def _opened(file: Path | None = None) -> "Iterator[Journal | None]":
    """The journal, or None where there is none yet: looking must not make one."""
    from assistant.journal import Journal

    file = file or _place()
    if not file.exists():
        yield None
        return
    with Journal(file) as kept:
        yield kept


def _place() -> Path:
    """Where the journal is. Of the settings only this one is read: the others take their time."""
    from assistant.paths import config_folder, journal_file
    from assistant.toml_file import read_toml

    own = config_folder() / "settings.toml"
    table = read_toml(own).data.get("journal", {}) if own.exists() else {}
    named = table.get("path", "") if isinstance(table, dict) else None
    if isinstance(named, str):
        return journal_file(named)

    from assistant.settings import load  # tells what is wrong with it

    return journal_file(load().journal.path)


def _events(number: int | None) -> list[dict[str, object]]:
    with _opened() as kept:
        if kept is None and number is not None:
            raise click.UsageError(f"there is no session {number}: the journal is empty")
        return list(kept.export(number)) if kept else []


def _line(session: "SessionRecord") -> str:
    when = datetime.fromtimestamp(session.started).astimezone().strftime("%Y-%m-%d %H:%M")
    rating = " to ".join("?" if r is None else str(r) for r in (session.before, session.after))
    why = session.why or "no end yet"
    minutes = session.seconds / 60
    return f"{session.id:>4}  {when}  {session.routine:<20} {minutes:5.1f} min  {rating:<8}  {why}"


def _put(file: Path | None, text: str) -> None:
    """Write whole or not at all, for the owner's eyes only; to stdout without a file."""
    from assistant.journal_export import write_private

    if file is None:
        click.echo(text, nl=False)
    else:
        write_private(file, text)
        click.echo(f"{file} written.", err=True)
