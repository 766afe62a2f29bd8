"""`unknot model`: the speech model, where it is and whether it is whole; it must never use one."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from audio.models import Places

_PATH = click.Path(path_type=Path)
_AGAIN_SECONDS = 86_400.0


@click.group()
def model() -> None:
    """Find, install and verify the speech model."""


@model.command()
def where() -> None:
    """Print the folder of the model that a session would use. Exit code 3 where there is none."""
    from audio.models import find

    click.echo(find(_places(), required=True))


@model.command()
@click.argument("file", required=False, type=_PATH)
@click.option("--from", "source", metavar="DIR", type=_PATH, help="A model's folder or zip file.")
@click.option(
    "--second-ear", is_flag=True, help="A second opinion on the word stop, instead of the model."
)
@click.option("--quiet", is_flag=True, help="Only where there is none, once a day; never fails.")
def install(file: Path | None, source: Path | None, second_ear: bool, quiet: bool) -> None:
    """Fetch the speech model, or take it from FILE or DIR, and print its folder.

    With --second-ear it is microWakeWord's stop word (Apache-2.0): one more vote, never needed.
    """
    from audio.model_install import install_from

    if file and source:
        raise click.UsageError("name FILE or --from DIR, not both")
    places = _places()
    if second_ear:
        click.echo(_second_ear(places, file or source))
    elif quiet:
        _install_quietly(places)
    elif chosen := file or source:
        click.echo(install_from(chosen, places))
    else:
        click.echo(_pinned(places) or _fetch(places))


@model.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Compare every file of the model with what was installed. Exit code 3 where one differs."""
    from audio.models import REMEDY, find, problems

    places = _places()
    second = _second_ear_trouble(places)
    if second is not None:
        click.echo(f"{places.second_ear}: {second or 'whole'}")
    folder = find(places, required=True)
    assert folder is not None
    found = problems(folder, thorough=True)
    for problem in found:
        click.echo(f"{folder}: {problem} -> {REMEDY}")
    if found or second:
        ctx.exit(3)
    click.echo(f"{folder}: whole")


def _pinned(places: "Places") -> Path | None:
    """The folder of the model that would be fetched, where it is there and whole."""
    from audio.models import catalogue, problems

    folder = places.models / catalogue().archive.name
    return None if problems(folder, thorough=True) else folder


def _second_ear(places: "Places", source: Path | None) -> Path:
    """Install it, and say what it still needs."""
    from audio.model_install import install_second_ear
    from audio.second_ear import PACKAGE_REMEDY, package_is_there

    place = install_second_ear(places, source)
    if not package_is_there():
        click.echo(f"unknot: it is not heard with yet: {PACKAGE_REMEDY}", err=True)
    return place


def _second_ear_trouble(places: "Places") -> str | None:
    """What is wrong with it, nothing ("") or None where there is none."""
    from audio.models import catalogue, difference
    from audio.second_ear import REMEDY

    if not places.second_ear.exists():
        return None
    trouble = difference(places.second_ear, catalogue().second_ear)
    return f"{trouble} -> {REMEDY}" if trouble else ""


def _fetch(places: "Places") -> Path:
    from audio.model_install import install_pinned
    from audio.models import catalogue

    size = catalogue().archive.size
    label = f"Fetching the speech model ({size // 10**6} MB)"
    with click.progressbar(length=size, label=label, file=sys.stderr) as bar:
        return install_pinned(places, lambda done, _all: bar.update(done - bar.pos))


def _install_quietly(places: "Places") -> None:
    """Never in the way: a set-up without a network goes on, and is not asked again today."""
    from assistant.paths import state_folder
    from audio.errors import NotFit
    from audio.models import find

    tried = state_folder() / "model-tried"
    if find(places) or (tried.exists() and time.time() - tried.stat().st_mtime < _AGAIN_SECONDS):
        return
    try:
        _fetch(places)
    except NotFit as error:
        tried.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        tried.touch(0o600)
        click.echo(f"Going on with the practice ear: {error}", err=True)


def _places() -> "Places":
    from assistant.hearing import places
    from assistant.settings import load

    return places(load())
