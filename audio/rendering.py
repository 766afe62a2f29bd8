"""Starts the child that renders and reads its answers; it must never wait for one that hangs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from audio.speech_engine import PLAIN, VoiceError

RENDERER = (sys.executable, "-P", "-m", "audio.render")
SECONDS_A_SENTENCE = 1.0
LISTING_SECONDS = 15.0
REMEDY = "try again; if it stays, reinstall the speech engine"


class EngineFailed(VoiceError):
    """The engine did not speak; another one might."""

    def __init__(self, message: str, remedy: str = REMEDY) -> None:
        super().__init__(message, remedy)


def render(
    command: Sequence[str], asked: Sequence[Mapping[str, object]], start_seconds: float
) -> EngineFailed | None:
    """Have the sentences `asked` for (audio.render's lines) rendered; the child's last complaint.

    It may take `start_seconds` before the first one, and a second for each.
    """
    seconds = start_seconds + SECONDS_A_SENTENCE * len(asked)
    lines = "".join(f"{json.dumps(line)}\n" for line in asked)
    try:
        printed = _run(command, lines, seconds)
    except subprocess.TimeoutExpired:
        return EngineFailed(f"the speech engine hung for {seconds:.0f} s")
    except OSError as error:
        return EngineFailed(f"the speech engine cannot be started: {error}")
    return _complaint(printed)


def voices(engine_name: str = PLAIN) -> tuple[str, ...]:
    """The voices there are. Raises `VoiceError`."""
    try:
        printed = _run([*RENDERER, engine_name, "--voices"], "", LISTING_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngineFailed("the speech engine hung while listing its voices") from error
    complaint = _complaint(printed)
    if complaint:
        raise complaint
    return tuple(str(name) for answer in _answers(printed) for name in answer.get("voices", ()))


def _run(command: Sequence[str], lines: str, seconds: float) -> str:
    """What the child printed. Raises `TimeoutExpired` after killing it and all that it started."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            return child.communicate(lines, timeout=seconds)[0]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


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
