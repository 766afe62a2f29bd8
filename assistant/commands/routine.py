"""`unknot routine` and `unknot prompts`: everything that can be said; it must never say it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.routine import Routine
    from assistant.settings import Settings

_LANGUAGE = click.option(
    "--language", metavar="NAME", default="", help="In this language instead of the one set."
)


@click.group()
def routine() -> None:
    """List, show, check and rehearse routines."""


@routine.command("list")
@_LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="One JSON line a routine.")
def list_(language: str, as_json: bool) -> None:
    """List the routines: name, tool, minutes, title."""
    from assistant.settings import load

    for one in load(overrides=_overrides(language)).routines.values():
        minutes = one.seconds / 60
        if as_json:
            facts = {"name": one.name, "title": one.title, "tool": one.tool.value}
            click.echo(json.dumps({**facts, "minutes": minutes, "steps": len(one.steps)}))
        else:
            click.echo(f"{one.name:<20} {one.tool.value:<9} {minutes:4.1f} min  {one.title}")


@routine.command()
@click.argument("name", metavar="NAME|FILE")
@_LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="One JSON line a prompt: its id and text.")
def show(name: str, language: str, as_json: bool) -> None:
    """Show what a routine says, part by part."""
    from assistant.script import routine_prompts

    _, chosen = _open(name, language)
    if as_json:
        for prompt in routine_prompts(chosen):
            click.echo(json.dumps({"id": prompt.id, "text": " ".join(prompt.sentences)}))
        return
    click.echo(f"{chosen.title} ({chosen.seconds / 60:.1f} min, {chosen.tool.value})")
    said = {prompt.id.removeprefix(f"{chosen.name}."): prompt for prompt in routine_prompts(chosen)}

    def tell(*parts: str) -> None:
        for part in parts:
            for sentence in said[part].sentences if part in said else ():
                click.echo(f"      {sentence}")

    tell("intro", "setup")
    for number, step in enumerate(chosen.steps, start=1):
        level = f", level {step.level}" if step.level else ""
        click.echo(f"{number:>4}  {step.name} ({step.seconds:g} s{level})")
        cues = (f"{step.id}.cue.{cue}" for cue, _ in enumerate(step.cues, start=1))
        tell(f"{step.id}.coming", step.id, *cues)
    if chosen.closing:
        click.echo("      After it:")
        tell("closing")
    click.echo(f"Sources: {', '.join(chosen.sources)}")


@routine.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@_LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="One JSON line a problem.")
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...], language: str, as_json: bool) -> None:
    """Say every problem of a routine's file at once, with its line and what to do.

    Exit code 1 where there is any.
    """
    from dataclasses import asdict

    from assistant.settings import check_routine

    wanted = _overrides(language)
    problems = [p for file in files for p in check_routine(file, wanted, personal=True)]
    for problem in problems:
        click.echo(json.dumps(asdict(problem)) if as_json else str(problem))
    if problems:
        ctx.exit(1)
    if not as_json:
        click.echo(f"{len(files)} sound", err=True)


@routine.command()
@click.argument("name", metavar="NAME|FILE")
@_LANGUAGE
@click.option("--json", "as_json", is_flag=True, help="The event lines instead.")
def rehearse(name: str, language: str, as_json: bool) -> None:
    """Tell a whole session as text, in no time, with somebody who answers every question.

    With a FILE as my-routine.toml, before it is installed anywhere.
    """
    from assistant.build import make_rehearsal
    from assistant.rehearsal import spoken

    settings, chosen = _open(name, language)
    rehearsal = make_rehearsal(settings)
    rehearsal.begin(chosen.name)
    ended = rehearsal.run_to_the_end()
    for line in map(json.dumps, rehearsal.lines) if as_json else spoken(rehearsal.lines):
        click.echo(line)
    if not ended:
        click.echo("... and so on, until the person says finish.", err=True)


@routine.command()
def schema() -> None:
    """Print the JSON Schema of a routine's file, for editors."""
    from assistant.routine_check import schema as of_a_routine

    click.echo(json.dumps(of_a_routine(), indent=2))


@click.command()
@_LANGUAGE
@click.option("--check", "checking", is_flag=True, help="Check instead how easy they are to hear.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a prompt: its id and text.")
@click.pass_context
def prompts(ctx: click.Context, language: str, checking: bool, as_json: bool) -> None:
    """List everything that unknot can say, by id.

    With --check: school grade (of English) and longest sentence allowed, and exit code 1 where a
    prompt is too hard, or holds a word that would end the massage.
    """
    from assistant.settings import load

    settings = load(overrides=_overrides(language))
    if checking:
        ctx.exit(0 if _easy(settings, as_json) else 1)
    for name, text in settings.script.all():
        click.echo(json.dumps({"id": name, "text": text}) if as_json else f"{name:<40} {text}")


def _easy(settings: "Settings", as_json: bool) -> bool:
    """Tell how easy each group of prompts is, and each that is not; whether all are."""
    from dataclasses import asdict

    from assistant.language import ENGLISH
    from assistant.reading import HIGHEST_GRADE, MOST_WORDS, check

    graded = settings.language == ENGLISH
    report = check(settings.script, settings.phrasebook, tuple(settings.routines), graded=graded)
    for finding in report.findings:
        click.echo(json.dumps(asdict(finding)) if as_json else str(finding))
    for name, ease in (*report.groups, ("all", report.whole)):
        told = {"group": name, "sentences": ease.sentences}
        line = f"{name:<20} {ease.sentences:>4} sentences"
        if graded:
            told |= {"grade": round(ease.grade, 1)}
            line += f", grade {ease.grade:4.1f}"
        click.echo(json.dumps(told) if as_json else line)
    if not as_json:
        grade = f"grade {HIGHEST_GRADE:g}, " if graded else ""
        click.echo(f"Allowed: {grade}{MOST_WORDS} words a sentence.")
    return not report.findings


def _overrides(language: str) -> dict[str, str]:
    return {"language": language} if language else {}


def _open(name: str, language: str) -> tuple["Settings", "Routine"]:
    """All settings, and the routine of this name or in this file. Raises `ConfigError`."""
    from assistant.settings import load

    file = Path(name) if name.endswith(".toml") else None
    settings = load(overrides=_overrides(language), review=file)
    called = file.stem if file else name
    if called not in settings.routines:
        known = ", ".join(settings.routines)
        raise click.UsageError(f"no routine is called {name!r}; there is: {known}")
    return settings, settings.routines[called]
