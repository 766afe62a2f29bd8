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


def main(arguments: list[str]) -> int:
    """Render what stdin lists; exit code 1 when the engine itself cannot be had."""
    lines = _keep_stdout_clean()
    try:
        maker = speech_engine(arguments[0] if arguments else "pyttsx3")
        if "--voices" in arguments:
            _print(lines, {"voices": maker.voices()})
        else:
            maker.warm()
            _render_all(maker, sys.stdin, lines)
    except VoiceError as error:
        _print(lines, {"error": error.message, "remedy": error.remedy})
        return 1
    return 0


def _render_all(maker: SpeechEngine, wanted: Iterable[str], lines: int) -> None:
    for line in wanted:
        sentence = json.loads(line)
        child = os.fork()
        if child == 0:
            _render_one(maker, sentence, lines)
        _, status = os.waitpid(child, 0)
        if status:
            error = f"the engine ended with {os.waitstatus_to_exitcode(status)}"
            _print(lines, {"file": sentence["file"], "error": error, "remedy": "try again"})


def _render_one(maker: SpeechEngine, sentence: dict[str, object], lines: int) -> NoReturn:
    """Never returns, so that a fork cannot go on with its parent's list."""
    signal.alarm(SECONDS_A_SENTENCE)
    answer: dict[str, object] = {"file": sentence["file"]}

    def give_up(problem: object) -> NoReturn:
        remedy = "check that the disk has room"
        _print(lines, {**answer, "error": str(problem), "remedy": remedy})
        os._exit(0)

    # pyttsx3 writes its file inside a C callback, whose exceptions go nowhere but here.
    sys.unraisablehook = lambda caught: give_up(caught.exc_value)
    try:
        file = Path(str(sentence["file"]))
        maker.render(str(sentence["text"]), str(sentence["voice"]), _rate(sentence), file)
    except VoiceError as error:
        Path(str(sentence["file"])).unlink(missing_ok=True)  # spoken, but not as it was asked for
        answer |= {"error": error.message, "remedy": error.remedy}
    except Exception as error:  # a fork has nobody above it who could report
        give_up(error)
    _print(lines, answer)
    os._exit(0)


def _rate(sentence: dict[str, object]) -> int:
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
