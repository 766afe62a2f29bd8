"""`unknot doctor`: what this machine lacks; it must never mend anything by itself."""

import json
import logging
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.machine_checks import Check


@click.command()
@click.option("--sound", "sound_only", is_flag=True, help="Only microphone and loudspeaker.")
@click.option("--massager", is_flag=True, help="Also reach every massager; none is switched on.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a check.")
@click.pass_context
def doctor(ctx: click.Context, sound_only: bool, massager: bool, as_json: bool) -> None:
    """Check what this machine lacks, and say what helps.

    Exit code 3: something is missing. 4: a massager is not safe. 5: no microphone or loudspeaker.
    """
    from assistant.doctor import examine, exit_code, massagers, sound

    # What the sound card's log would tell is told by the check.
    logging.getLogger("audio").addHandler(logging.NullHandler())
    found = []
    for check in chain(() if sound_only else examine(), sound(), massagers() if massager else ()):
        found.append(check)
        fields = asdict(check)
        del fields["exit_code"]
        fields["remedy"] = "" if check.ok else check.remedy
        click.echo(json.dumps(fields) if as_json else _line(check))
    ctx.exit(exit_code(found))


def _line(check: "Check") -> str:
    if check.ok:
        return f"ok   {check.check}: {check.value}"
    word = "FAIL" if check.exit_code else "note"
    return f"{word} {check.check}: {check.value} -> {check.remedy}"
