"""`unknot voices`: the voices that can be set; it must never choose one."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON line a voice.")
def voices(as_json: bool) -> None:
    """List the voices that the setting voice.name may have.

    Each may be followed by +f1 to +f5 or +m1 to +m8, as in "gmw/en-us+f3".
    """
    from audio.voice import voices as known

    for name in known():
        click.echo(json.dumps({"name": name}) if as_json else name)
