"""The child that renders: `python -m audio.render`; it must never outlive a sentence that hangs.

Reads one JSON line a sentence, `{"text", "voice", "rate", "file"}`, and answers each with one line,
`{"file"}` when it was written or `{"file", "error", "remedy"}` when not. A fork renders one
sentence, or a row of them where the engine likes that: a crash or a hang costs no more, and each
sounds the same wherever it stands in the list. With `--voices` it prints the engine's voices as one
JSON line.
"""

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NoReturn

from audio.speech_engine import SpeechEngine, VoiceError, speech_engine

SECONDS_A_SENTENCE = 10
"""The kernel ends a fork that takes longer."""

ATTEMPTS = 3
"""Forks tried for a row: what made espeak hang or crash is mostly gone in the next one."""

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
    """The forks that render now; at most as many as the engine likes."""

    def __init__(self, maker: SpeechEngine, lines: int) -> None:
        self._maker = maker
        self._lines = lines
        self._running: dict[int, tuple[Sequence[Sentence], int]] = {}

    def render(self, wanted: Iterable[str]) -> None:
        """Render every sentence, and come back when the last one is done."""
        for row in batched(map(json.loads, wanted), self._maker.in_a_row):
            while len(self._running) >= self._maker.at_once:
                self._take_one()
            self._start(row, 1)
        while self._running:
            self._take_one()

    def _start(self, row: Sequence[Sentence], attempt: int) -> None:
        child = os.fork()
        if child == 0:
            _render_row(self._maker, row, self._lines)
        self._running[child] = row, attempt

    def _take_one(self) -> None:
        """Wait for a fork to end; the next attempt begins where it failed."""
        child, status = os.wait()
        row, attempt = self._running.pop(child)
        left = [sentence for sentence in row if not _file(sentence).exists()]
        if status and left and attempt < ATTEMPTS:
            self._start(left, attempt + 1)
        elif os.WIFSIGNALED(status) and left:
            error = f"the engine was ended by signal {os.WTERMSIG(status)}"
            _print(self._lines, {"file": left[0]["file"], "error": error, "remedy": "try again"})


def batched(items: Iterable[Sentence], most: int) -> Iterator[Sequence[Sentence]]:
    """The items in rows of `most`, the last row shorter."""
    left = iter(items)
    while row := tuple(islice(left, most)):
        yield row


def _render_row(maker: SpeechEngine, row: Sequence[Sentence], lines: int) -> NoReturn:
    """Never returns, so that a fork cannot go on with its parent's list."""
    for sentence in row:
        signal.alarm(SECONDS_A_SENTENCE)
        _render_one(maker, sentence, lines)
    os._exit(0)


def _render_one(maker: SpeechEngine, sentence: Sentence, lines: int) -> None:
    file = _file(sentence)
    new = file.with_suffix(".part")

    def give_up(problem: object, remedy: str = "check that the disk has room") -> NoReturn:
        new.unlink(missing_ok=True)  # it may hold something, but not what was asked for
        _print(lines, {"file": str(file), "error": str(problem), "remedy": remedy})
        os._exit(1)

    # pyttsx3 writes its file inside a C callback, whose exceptions go nowhere but here.
    sys.unraisablehook = lambda caught: give_up(caught.exc_value)
    try:
        maker.render(str(sentence["text"]), str(sentence["voice"]), _rate(sentence), new)
        new.replace(file)
    except VoiceError as error:
        give_up(error.message, error.remedy)
    except Exception as error:  # a fork has nobody above it who could report
        give_up(error)
    _print(lines, {"file": str(file)})


def _file(sentence: Sentence) -> Path:
    return Path(str(sentence["file"]))


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
