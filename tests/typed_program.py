"""`unknot run` at a keyboard, as a process of its own; it must never know what is tested."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assistant.service import this_program

Line = dict[str, Any]
LONGEST_SECONDS = 90.0
ANSWERS = {
    "choosing": "massager",
    "hearing_check": "stop",
    "rating_before": "six",
    "preparing": "ready",
}
"""What the person types when the session comes into a state."""


class Program:
    """`unknot run` at a keyboard, as a process of its own."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] = MappingProxyType({}),
        before: Sequence[str] = (),
    ) -> None:
        """Start it; `before` are words before its command."""
        names = ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CACHE_DIRECTORY")
        self.lines: list[Line] = []
        self._errors = folder / "errors"
        self._errors.touch(mode=0o600)
        with self._errors.open("w") as errors:
            self.child = subprocess.Popen(
                [*before, this_program(), "run", "--microphone", "keyboard", "--events", "-"],
                env={**os.environ, **dict.fromkeys(names, str(folder)), **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._watch = threading.Timer(LONGEST_SECONDS, self.child.kill)
        self._watch.start()

    @property
    def seconds(self) -> float:
        """The latest that is known of the session's time."""
        return float(self.lines[-1]["at"])

    def errors(self) -> str:
        """What it said on stderr."""
        return self._errors.read_text()

    def type(self, text: str) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()

    def until(self, wanted: Callable[[Line], bool]) -> Line:
        """Answer what is asked until a line comes that is wanted."""
        assert self.child.stdout is not None
        for text in self.child.stdout:
            line: Line = json.loads(text)
            self.lines.append(line)
            if wanted(line):
                return line
            if line["kind"] == "state" and line["to"] in ANSWERS:
                self.type(ANSWERS[line["to"]])
        raise AssertionError(f"it ended first: {self.lines[-5:]}")

    def end(self) -> None:
        """Let it come to its end by itself."""
        self.until(lambda line: line["kind"] == "end")
        self.child.wait()

    def kill(self) -> None:
        """As when the plug is pulled."""
        self._watch.cancel()
        self.child.kill()
        self.child.communicate()


def said(prompt: str) -> Callable[[Line], bool]:
    return lambda line: line["kind"] == "say" and line["prompt"] == prompt
