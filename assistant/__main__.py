"""The command line: `unknot`. It must never decide anything, only call what does.

Errors that a person can cause become one line on stderr and an exit code, here and nowhere else.
"""

import errno
import os
import sys
from typing import Any

import click

from assistant.commands.doctor import doctor
from assistant.commands.hear import hear
from assistant.commands.journal import journal
from assistant.commands.massager import massager
from assistant.commands.model import model
from assistant.commands.page import page
from assistant.commands.play import demo, simulate
from assistant.commands.routine import prompts, routine
from assistant.commands.run import run
from assistant.commands.service import service
from assistant.commands.voices import voices
from audio.errors import UnknotError

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Errors without a file's name that are nevertheless not ours: stdout leads to a full disk."""


class _OneLineErrors(click.Group):
    """A group of commands whose foreseeable errors end in one line and never in a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UnknotError as error:
            for line in str(error).splitlines():
                click.echo(f"unknot: {line}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise  # click ends quietly when the reader of a pipe has gone
        except OSError as error:
            place = error.filename or (error.errno in _OF_THE_DISK and "the output")
            if not place:
                raise
            if not error.filename:  # or Python would try to write the rest when it ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            click.echo(f"unknot: {place}: {error.strerror}", err=True)
            ctx.exit(1)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unknot", message="%(prog)s %(version)s")
def main() -> None:
    """A voice-guided, hands-free neck massage. You can always stop it with your voice."""


_COMMANDS = (
    run,
    demo,
    simulate,
    hear,
    routine,
    prompts,
    voices,
    model,
    massager,
    doctor,
    journal,
    service,
    page,
)
for _command in _COMMANDS:
    main.add_command(_command)


if __name__ == "__main__":
    sys.exit(main(prog_name="unknot"))
