"""`unknot service`: start with the machine and be started again; it must never do so unasked."""

import json

import click

_USER = click.option("--user", is_flag=True, help="For this user's own service manager.")


@click.group()
def service() -> None:
    """Have systemd start unknot, watch its loop, and tell the massager off after it."""


@service.command()
@_USER
@click.option("--print", "only_print", is_flag=True, help="Only print the unit.")
def install(user: bool, only_print: bool) -> None:
    """Start unknot now and at every start of the machine."""
    from assistant.service import Service, this_program

    chosen = Service(this_program(), user)
    if only_print:
        click.echo(chosen.unit(), nl=False)
        return
    chosen.install()
    click.echo(f"{chosen.file} is installed and started")
    click.echo(f"test its massager with: {chosen.as_its_user} massager test NAME")


@service.command()
@_USER
def remove(user: bool) -> None:
    """Stop it and take it away; journal and settings stay."""
    from assistant.service import Service, this_program

    chosen = Service(this_program(), user)
    chosen.remove()
    click.echo(f"{chosen.file} is removed; journal and settings are kept")


@service.command()
@_USER
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(user: bool, as_json: bool) -> None:
    """Say what systemd knows of it."""
    from assistant.service import Service, this_program

    told = Service(this_program(), user).status()
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, value in told.items():
        click.echo(f"{name}: {value}")
