"""The child that renders: `python -m audio.render`; it must never outlive a sentence that hangs.

Reads one JSON line a sentence, `{"text", "voice", "rate", "file"}`, and answers each with one line,
`{"file"}` when it was written or `{"file", "error", "remedy"}` when not. Every sentence is rendered
in a fork of its own: a crash or a hang costs one sentence, and each sounds the same wherever it
stands in the list. With `--voices` it prints the engine's voices as one JSON line.
"""

import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from audio.speech_engine import SpeechEngine, VoiceError, speech_engine

SECONDS_A_SENTENCE = 10
"""The kernel ends a fork that takes longer."""

ATTEMPTS = 3
"""Forks tried for a sentence: what made espeak hang or crash is mostly gone in the next one."""

AT_ONCE = 3
"""Forks at a time: most of the 0.03 s of each is pyttsx3 asleep."""

Sentence = dict[str, object]
"""One line of the list, as it was read."""


def main(arguments: list[str]) -> int:
    """Render what stdin lists; exit code 1 when the engine itself cannot be had."""
    lines = _keep_stdout_clean()
    try:
        maker = speech_engine(arguments[0] if arguments else "pyttsx3")
        if "--voices" in arguments:
            _print(lines, {"voices": maker.voices()})
        else:
            maker.warm()
            _Forks(maker, lines).render(sys.stdin)
    except VoiceError as error:
        _print(lines, {"error": error.message, "remedy": error.remedy})
        return 1
    return 0


class _Forks:
    """The forks that render now; at most `AT_ONCE` of them."""

    def __init__(self, maker: SpeechEngine, lines: int) -> None:
        self._maker = maker
        self._lines = lines
        self._running: dict[int, tuple[Sentence, int]] = {}

    def render(self, wanted: Iterable[str]) -> None:
        """Render every sentence, and come back when the last one is done."""
        for line in wanted:
            while len(self._running) >= AT_ONCE:
                self._take_one()
            self._start(json.loads(line), 1)
        while self._running:
            self._take_one()

    def _start(self, sentence: Sentence, attempt: int) -> None:
        child = os.fork()
        if child == 0:
            _render_one(self._maker, sentence, self._lines)
        self._running[child] = sentence, attempt

    def _take_one(self) -> None:
        """Wait for a fork to end; the next attempt begins where it failed."""
        child, status = os.wait()
        sentence, attempt = self._running.pop(child)
        if status and attempt < ATTEMPTS:
            self._start(sentence, attempt + 1)
        elif os.WIFSIGNALED(status):
            error = f"the engine was ended by signal {os.WTERMSIG(status)}"
            _print(self._lines, {"file": sentence["file"], "error": error, "remedy": "try again"})


def _render_one(maker: SpeechEngine, sentence: Sentence, lines: int) -> NoReturn:
    """Never returns, so that a fork cannot go on with its parent's list."""
    signal.alarm(SECONDS_A_SENTENCE)
    file = Path(str(sentence["file"]))

    def give_up(problem: object, remedy: str = "check that the disk has room") -> NoReturn:
        file.unlink(missing_ok=True)  # it may hold something, but not what was asked for
        _print(lines, {"file": str(file), "error": str(problem), "remedy": remedy})
        os._exit(1)

    # pyttsx3 writes its file inside a C callback, whose exceptions go nowhere but here.
    sys.unraisablehook = lambda caught: give_up(caught.exc_value)
    try:
        maker.render(str(sentence["text"]), str(sentence["voice"]), _rate(sentence), file)
    except VoiceError as error:
        give_up(error.message, error.remedy)
    except Exception as error:  # a fork has nobody above it who could report
        give_up(error)
    _print(lines, {"file": str(file)})
    os._exit(0)


def _rate(sentence: Sentence) -> int:
    return int(str(sentence["rate"]))


def _keep_stdout_clean() -> int:
    """Give our lines a descriptor of their own: pyttsx3 and espeak print to stdout."""
    lines = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return lines


def _print(lines: int, answer: dict[str, object]) -> None:
    os.write(lines, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
