"""`unknot doctor`: what this machine lacks; it must never mend anything by itself."""

import json
from dataclasses import asdict

import click


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

    checks = sound() if sound_only else list(examine())
    if massager:
        checks += massagers()
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
