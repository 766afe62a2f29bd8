"""Lets commands that count audio time run beside the other tests, which wait for much of theirs.

It must never take time from a test that measures it: such a command runs only where no other
process wants to.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

LAST_IN_LINE = "nice", "-n", "19"

Command = tuple[str, ...]
Ended = subprocess.CompletedProcess[str]


def command_of(item: pytest.Item) -> Command | None:
    """What a test marked `beside` looks at: the arguments of unknot."""
    mark = item.get_closest_marker("beside")
    return mark.args if mark else None


@contextmanager
def playing(commands: Sequence[Command], cache: Path) -> Iterator[Mapping[Command, Future[Ended]]]:
    """All of them, as many at once as there are processors; `cache` keeps rendered speech."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    environment.pop("CACHE_DIRECTORY", None)
    begun: list[subprocess.Popen[str]] = []

    def ended(command: Command) -> Ended:
        whole = [*LAST_IN_LINE, sys.executable, "-m", "assistant", *command]
        pipe = subprocess.PIPE
        with subprocess.Popen(whole, stdout=pipe, stderr=pipe, text=True, env=environment) as one:
            begun.append(one)
            told = one.communicate()
        return Ended(whole, one.returncode, *told)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            yield {command: pool.submit(ended, command) for command in commands}
        finally:
            # Nobody waits for what a run that was broken off has not looked at.
            pool.shutdown(wait=False, cancel_futures=True)
            for one in begun:
                one.kill()
