"""Starts the child that renders and reads its answers; it must never wait for one that hangs."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from threading import Event
from time import monotonic
from typing import Any

from audio.speech_engine import PLAIN, VoiceError

RENDERER = (sys.executable, "-P", "-m", "audio.render")
LISTING_SECONDS = 15.0
LOOK_SECONDS = 0.1
"""How often it is looked whether anybody still waits."""
REMEDY = "try again; if it stays, reinstall the speech engine"


class EngineFailed(VoiceError):
    """The engine did not speak; another one might."""

    def __init__(self, message: str, remedy: str = REMEDY) -> None:
        super().__init__(message, remedy)


class GivenUp(VoiceError):
    """Nobody waits for these sentences any more."""

    def __init__(self) -> None:
        super().__init__("rendering was given up", "start it again")


def render(
    command: Sequence[str],
    asked: Sequence[Mapping[str, object]],
    patience_seconds: float,
    given_up: Event,
) -> EngineFailed | None:
    """Have the sentences `asked` for (audio.render lines) rendered; the child's last complaint.

    Raises GivenUp, with the child gone, soon after `given_up` was set.
    """
    lines = "".join(f"{json.dumps(line)}\n" for line in asked)
    try:
        printed = _run(command, lines, patience_seconds, given_up)
    except subprocess.TimeoutExpired:
        return EngineFailed(f"the speech engine hung for {patience_seconds:.0f} s")
    except OSError as error:
        return EngineFailed(f"the speech engine cannot be started: {error}")
    return _complaint(printed)


def voices(engine_name: str = PLAIN) -> tuple[str, ...]:
    """The voices there are. Raises `VoiceError`."""
    try:
        printed = _run([*RENDERER, engine_name, "--voices"], "", LISTING_SECONDS, Event())
    except subprocess.TimeoutExpired as error:
        raise EngineFailed("the speech engine hung while listing its voices") from error
    complaint = _complaint(printed)
    if complaint:
        raise complaint
    return tuple(str(name) for answer in _answers(printed) for name in answer.get("voices", ()))


def _run(command: Sequence[str], lines: str, patience_seconds: float, given_up: Event) -> str:
    """What the child printed. Raises `TimeoutExpired` when it printed nothing for so long, after
    killing it and all that it started: a busy machine is slow, but goes on."""
    printed = b""
    with tempfile.TemporaryFile() as asked:
        asked.write(lines.encode())
        asked.seek(0)
        with subprocess.Popen(
            command,
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as child:
            try:
                assert child.stdout is not None
                while chunk := _read(child.stdout.fileno(), command, patience_seconds, given_up):
                    printed += chunk
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
    return printed.decode(errors="replace")


def _read(pipe: int, command: Sequence[str], patience_seconds: float, given_up: Event) -> bytes:
    """What has come, empty at its end. Raises `TimeoutExpired` and `GivenUp`."""
    deadline = monotonic() + patience_seconds
    while not select.select([pipe], [], [], LOOK_SECONDS)[0]:
        if given_up.is_set():
            raise GivenUp
        if monotonic() > deadline:
            raise subprocess.TimeoutExpired(command, patience_seconds)
    return os.read(pipe, 65_536)


def _answers(printed: str) -> list[dict[str, Any]]:
    """The child's lines; one that a crash cut short is left out."""
    found = []
    for line in printed.splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [answer for answer in found if isinstance(answer, dict)]


def _complaint(printed: str) -> EngineFailed | None:
    """The last error the child reported."""
    errors = [answer for answer in _answers(printed) if "error" in answer]
    if not errors:
        return None
    return EngineFailed(str(errors[-1]["error"]), str(errors[-1].get("remedy", REMEDY)))
