"""`unknot doctor`: what this machine lacks; it must never mend anything by itself."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.machine_checks import Check

LEVEL_SECONDS = 10.0
BAR_BLOCKS = 5
"""The bar moves ten times a second."""


@click.command()
@click.option("--sound", "sound_only", is_flag=True, help="Only microphone and loudspeaker.")
@click.option("--level", is_flag=True, help="Only the microphone's level, while you speak.")
@click.option("--seconds", default=LEVEL_SECONDS, show_default=True, help="How long --level looks.")
@click.option("--massager", is_flag=True, help="Also reach every massager; none is switched on.")
@click.option("--spoken", is_flag=True, help="Also say aloud what was found.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a check.")
@click.pass_context
def doctor(
    ctx: click.Context,
    sound_only: bool,
    level: bool,
    seconds: float,
    massager: bool,
    spoken: bool,
    as_json: bool,
) -> None:
    """Check what this machine lacks, and say what helps. It plays a soft sound for four seconds.

    Exit code 3: something is missing. 4: a massager is not safe. 5: no microphone or loudspeaker.
    """
    from assistant.doctor import exit_code

    # What the sound card's log would tell is told by the check.
    logging.getLogger("audio").addHandler(logging.NullHandler())
    found = []
    for check in _level(seconds) if level else _checks(sound_only, massager):
        found.append(check)
        fields = asdict(check)
        del fields["exit_code"]
        fields["remedy"] = "" if check.ok else check.remedy
        click.echo(json.dumps(fields) if as_json else _line(check))
    if spoken:
        _say(found)
    ctx.exit(exit_code(found))


def _checks(sound_only: bool, massager: bool) -> Iterator["Check"]:
    from assistant.doctor import examine, listening, sound
    from assistant.doctor_massager import massagers

    if not sound_only:
        yield from examine()
    works = True
    for check in sound():
        works = works and check.ok
        yield check
    if works and not sound_only:
        yield from listening()
    if massager:
        yield from massagers()


def _level(seconds: float) -> Iterator["Check"]:
    """The level as a bar on a terminal, and what it says of the gain in the end."""
    import numpy as np

    from assistant.doctor_listening import listen
    from assistant.doctor_microphone import bar, heard, microphone
    from assistant.settings import load
    from audio.sound import level_db

    draws, blocks = sys.stderr.isatty(), []
    click.echo(f"Speak as you would in a session, for {seconds:g} seconds.", err=True)
    for block in listen(load().hearing, seconds):
        blocks.append(block)
        if draws and len(blocks) % BAR_BLOCKS == 0:
            level = level_db(np.concatenate(blocks[-BAR_BLOCKS:]))
            click.echo(f"\r{bar(level)}", nl=False, err=True)
    if draws:
        click.echo("", err=True)
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    yield microphone(heard(sound), expects_talk=True)


def _say(found: "Iterable[Check]") -> None:
    from assistant.doctor_spoken import read_script, say, sentences
    from assistant.problem import ConfigError
    from assistant.settings import load

    try:
        settings = load()
    except ConfigError:
        settings = load(personal=False)
    say(sentences(found, read_script(settings.language)), settings)


def _line(check: "Check") -> str:
    if check.ok:
        return f"ok   {check.check}: {check.value}"
    word = "FAIL" if check.exit_code else "note"
    return f"{word} {check.check}: {check.value} -> {check.remedy}"
