"""`unknot massager`: the device by itself; `off` must need nothing that it can do without."""

import click


@click.group()
def massager() -> None:
    """Test a massager, or switch it off.

    Neither needs a session. A real massager is never used before it has passed its test.
    """


@massager.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="It lies beside me: do not ask.")
def test(name: str, yes: bool) -> None:
    """Prove that the massager NAME goes off by itself. A real one is never used without this."""
    from assistant.massager_command import run_test
    from assistant.paths import massagers_file, state_folder

    def ask(question: str) -> bool:
        return yes or click.confirm(question, err=True)

    run_test(name, massagers_file(), state_folder(), say=click.echo, ask=ask)


@massager.command()
@click.argument("name", required=False)
def off(name: str | None) -> None:
    """Switch the massager NAME off, or every one. Exit code 4 unless each confirmed it."""
    from assistant.massager_command import switch_off
    from assistant.paths import massagers_file

    switch_off(name, massagers_file(), click.echo)
