"""`unknot run`: a live session; it must never start a massager by itself."""

import click


@click.command()
@click.argument("routine", required=False)
@click.option("--microphone", metavar="DEVICE|FILE|keyboard", default="", help="What listens.")
@click.option("--loudspeaker", metavar="DEVICE|FILE|none", default="", help="What speaks.")
@click.option("--massager", metavar="NAME", default="", help="A name, simulated, or none.")
@click.option("--events", metavar="FILE|-", default="", help="Event lines as JSON.")
@click.option("--page", is_flag=True, help="Serve a page for a helper: watch and STOP.")
@click.option("--lan", is_flag=True, help="Serve it to the home's network, not only here.")
@click.pass_context
def run(
    ctx: click.Context,
    routine: str | None,
    microphone: str,
    loudspeaker: str,
    massager: str,
    events: str,
    page: bool,
    lan: bool,
) -> None:
    """Listen for "start neck massage", or begin ROUTINE at once.

    Ctrl-C: massager off first, then the end.
    """
    from assistant.app import Options, run_session
    from assistant.settings import load

    options = Options(routine, microphone, loudspeaker, massager, events, page, lan)
    ctx.exit(run_session(load(), options))
