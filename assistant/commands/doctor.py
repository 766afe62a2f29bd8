"""`unknot doctor`: what this machine lacks; it must never mend anything by itself."""

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--sound", "sound_only", is_flag=True, help="Only microphone and loudspeaker.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a check.")
@click.pass_context
def doctor(ctx: click.Context, sound_only: bool, as_json: bool) -> None:
    """Check whether this machine is fit for a session, and say what would make it so.

    Exit code 3: something is missing. 5: no microphone or no loudspeaker.
    """
    from assistant.doctor import examine, exit_code

    checks = list(examine(sound_only=sound_only))
    for check in checks:
        if as_json:
            fields = asdict(check)
            del fields["exit_code"]
            fields["remedy"] = "" if check.ok else check.remedy
            click.echo(json.dumps(fields))
        elif check.ok:
            click.echo(f"ok   {check.check}: {check.value}")
        else:
            word = "FAIL" if check.exit_code else "note"
            click.echo(f"{word} {check.check}: {check.value} -> {check.remedy}")
    ctx.exit(exit_code(checks))
