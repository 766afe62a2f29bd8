"""`unknot hear`: what is heard in a recording; it must never treat it unlike live sound."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from audio.hear import Hearing
    from audio.sound import Samples
    from intents.intent import Intent

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("files", metavar="FILE...", type=_FILE, nargs=-1, required=True)
@click.option("--playing", type=_FILE, help="What the loudspeaker played, sample-aligned.")
@click.option("--ear", type=click.Choice(["all", "words", "alarm"]), default="all")
@click.option(
    "--engine", type=click.Choice(["auto", "vosk", "embedded", "sphinx"]), help="The word ear."
)
@click.option("--model", type=_FILE, help="A Vosk model folder.")
@click.option(
    "--asked",
    "--expect",
    "expect",
    metavar="INTENT,...",
    default="",
    help="As after a question: listen for these answers only, and safety words.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line an event, then a summary.")
@click.pass_context
def hear(
    ctx: click.Context,
    files: tuple[Path, ...],
    playing: Path | None,
    ear: str,
    engine: str | None,
    model: Path | None,
    expect: str,
    as_json: bool,
) -> None:
    """Run recordings through what a live session runs, faster than real time.

    One line an event: what was heard, how surely, by which ear, and how many seconds of audio had
    come in when it was decided.
    """
    from audio.sound import read

    expected = _intents(expect)
    began = time.perf_counter()
    hearing = _hearing(ear, engine, model, expected)
    load_seconds = time.perf_counter() - began
    played = read(playing) if playing else None
    well = [_hear(hearing, file, played, as_json) for file in files]
    if as_json:
        click.echo(json.dumps(hearing.summary(load_seconds)))
    ctx.exit(0 if all(well) else 1)


def _hearing(
    ear: str, engine: str | None, model: Path | None, expected: frozenset["Intent"]
) -> "Hearing":
    from assistant.paths import data_folder
    from assistant.settings import load
    from audio.engine import Engine, Listening, open_ears
    from audio.hear import Hearing
    from audio.models import Places

    settings = load()
    setting = Path(settings.hearing.model) if settings.hearing.model else None
    places = Places(data_folder(), option=model, setting=setting)
    chosen = Engine(engine or settings.hearing.engine)
    book = settings.phrasebook
    return Hearing(open_ears(Listening(ear), chosen, places, book), book, expected)


def _intents(names: str) -> frozenset["Intent"]:
    from intents.intent import Intent

    known = {intent.value: intent for intent in Intent}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise click.BadParameter(
                f"{name!r} is no intent; use {', '.join(known)}", param_hint="--asked"
            )
    return frozenset(known[name] for name in wanted)


def _hear(hearing: "Hearing", file: Path, played: "Samples | None", as_json: bool) -> bool:
    """Tell one file; false, with a line on stderr, when it is no recording."""
    from audio.errors import UnknotError

    try:
        for event in hearing.hear(file, played):
            click.echo(json.dumps(event) if as_json else _line(event))
    except UnknotError as error:
        click.echo(f"unknot: {error}", err=True)
        return False
    return True


def _line(event: Mapping[str, Any]) -> str:
    """One event for a person to read."""
    what = event["intent"] or ("somebody talks" if event["level"] == "voice" else "-")
    detail = "".join(f" {event[name]}" for name in ("value", "topic") if name in event)
    quoted = f'  "{event["text"]}"' if event["text"] else ""
    start = f"{event['file']}: {event['at']:8.2f} s  {event['level']:<9} {event['ear']:<6}"
    return f"{start} {what}{detail}{quoted}"
