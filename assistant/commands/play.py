"""`unknot simulate` and `unknot demo`: sessions in a virtual room, never on real sound."""

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)
_RECORD = click.option(
    "--record", metavar="FILE.wav", type=_FILE, help="Left the microphone, right the loudspeaker."
)
_PICTURE = click.option("--picture", metavar="FILE.svg", type=_FILE, help="Draw the session.")


@click.command()
@click.argument("scenario", metavar="SCENARIO.toml", type=_FILE)
@click.option("--events", metavar="FILE|-", help="Write one JSON line an event; - is stdout.")
@_RECORD
@_PICTURE
@click.option("--seed", type=int, default=0, help="Another noise; the same seed, the same events.")
@click.pass_context
def simulate(
    ctx: click.Context,
    scenario: Path,
    events: str | None,
    record: Path | None,
    picture: Path | None,
    seed: int,
) -> None:
    """Play a scenario in a virtual room, and judge it.

    It is the whole program, in virtual time; only the person, the room and the massager are not
    real. Exit code 0 if every [[expect]] of the scenario held, else 1.
    """
    from assistant import simulate as virtual

    ctx.exit(virtual.simulate(scenario, virtual.Wanted(events, record, picture), seed))


@click.command()
@click.option("--fast", is_flag=True, help="Tell it as fast as it can be played.")
@_RECORD
@_PICTURE
@click.pass_context
def demo(ctx: click.Context, fast: bool, record: Path | None, picture: Path | None) -> None:
    """Play the bundled session in the terminal: what is said, heard and done."""
    from assistant import simulate as virtual

    ctx.exit(virtual.demo(virtual.Wanted(record=record, picture=picture), fast=fast))
