"""`unknot model`: the speech model, where it is and whether it is whole; it must never use one."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from audio.models import Places


@click.group()
def model() -> None:
    """Find, install and verify the speech model."""


@model.command()
def where() -> None:
    """Print the folder of the model that a session would use. Exit code 3 where there is none."""
    from audio.models import find

    click.echo(find(_places(), required=True))


@model.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Compare every file of the model with what was installed. Exit code 3 where one differs."""
    from audio.models import REMEDY, find, problems

    folder = find(_places(), required=True)
    assert folder is not None
    found = problems(folder, thorough=True)
    for problem in found:
        click.echo(f"{folder}: {problem} -> {REMEDY}")
    if found:
        ctx.exit(3)
    click.echo(f"{folder}: whole")


def _places() -> "Places":
    from assistant.hearing import places
    from assistant.settings import load

    return places(load())
