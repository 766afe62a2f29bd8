"""`unknot page`: shows the way to the helper's page; it must never start a session."""

import json
import sys
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The link as one JSON line.")
def page(as_json: bool) -> None:
    """Show the link to the running session's page: watch and STOP.

    A session serves it when started with "unknot run --page", or as set under [page].
    """
    from assistant.page.link import picture, running_link

    link = running_link()
    click.echo(json.dumps(asdict(link)) if as_json else link.url)
    if not as_json and sys.stdout.isatty():
        click.echo(picture(link))
