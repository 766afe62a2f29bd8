"""`unknot voices`: who can speak, how they sound, and who shall; it must never fetch a voice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.settings import Settings
    from audio.speech_engine import Speaker

SAMPLE = "Lean your head gently to the left. Stay there, and breathe out slowly."


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON line a voice.")
@click.pass_context
def voices(ctx: click.Context, as_json: bool) -> None:
    """List the voices that can speak.

    Those of espeak may be followed by +f1 to +f5 or +m1 to +m8, as in "gmw/en-us+f3".
    """
    if ctx.invoked_subcommand is not None:
        return
    from audio.speech_engine import speaker

    now = _settings().voice
    chosen = speaker(now.engine, now.name)
    for each in _known():
        told = {"name": each.voice, "engine": each.engine, "chosen": each == chosen}
        click.echo(json.dumps(told) if as_json else each.voice)
    click.echo(
        f"{chosen.voice} ({chosen.engine}) speaks now; another: unknot voices pick NAME", err=True
    )


@voices.command()
@click.argument("name")
@click.option("--say", metavar="TEXT", default=SAMPLE, show_default=True, help="What is spoken.")
@click.option(
    "--to", metavar="FILE.wav", type=click.Path(path_type=Path), help="Not aloud, into a file."
)
def play(name: str, say: str, to: Path | None) -> None:
    """Let a voice speak a sentence."""
    from assistant.paths import voice_folder
    from audio import sound
    from audio.play import play_aloud
    from audio.voice import Voice

    settings = _settings()
    clip = Voice(voice_folder()).speak_as(say, name, settings.voice.rate)
    if to is None:
        play_aloud(clip, settings.hearing.loudspeaker)
    else:
        sound.write(to, clip)
        click.echo(f"{to} written.", err=True)


@voices.command()
@click.argument("name")
def pick(name: str) -> None:
    """Let this voice speak from now on: written into your own settings file."""
    from assistant.paths import config_folder
    from assistant.settings_edit import change
    from audio.speech_engine import AUTO, speaker

    engine = _settings().voice.engine
    base = name.partition("+")[0]
    if base not in {each.voice for each in _known()}:
        raise click.UsageError(f"no voice is called {name!r}: see unknot voices")
    own = config_folder() / "settings.toml"
    change(own, "voice", "name", name)
    if engine != AUTO and base not in _names(engine):
        change(own, "voice", "engine", AUTO)
    who = speaker(AUTO, name)
    click.echo(f"{who.voice} ({who.engine}) speaks from the next session on: {own}", err=True)


def _settings() -> "Settings":
    from assistant.settings import load

    return load()


def _known() -> "Iterator[Speaker]":
    """Every voice of every engine that is installed."""
    from audio.speech_engine import ENGINES, Speaker

    for engine, make in ENGINES.items():
        if make().is_there():
            yield from (Speaker(engine, name) for name in _names(engine))


def _names(engine: str) -> tuple[str, ...]:
    from audio.rendering import voices as known

    return known(engine)
