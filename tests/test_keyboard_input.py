"""`unknot run` where lines should come from a keyboard, and nothing is there, or a file."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from assistant.service import this_program


@pytest.mark.parametrize(("text", "heard"), [("", [""]), ("time left\n\n", ["", ""])])
def test_an_input_that_ends_ends_the_session_cleanly(
    tmp_path: Path, text: str, heard: list[str]
) -> None:
    names = ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CACHE_DIRECTORY")
    typed = tmp_path / "typed"
    typed.write_text(text)
    with (typed if text else Path(os.devnull)).open() as stdin:
        done = subprocess.run(
            [this_program(), "run", "--microphone", "keyboard", "--events", "-"],
            env={**os.environ, **dict.fromkeys(names, str(tmp_path))},
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines if line.get("intent") == "stop"] == heard
    assert lines[-1]["kind"] == "end"


@pytest.mark.parametrize(("service", "begins"), [({}, True), ({"NOTIFY_SOCKET": "none"}, False)])
def test_a_default_routine_begins_at_once_but_not_in_a_service_that_starts_itself(
    tmp_path: Path, service: dict[str, str], begins: bool
) -> None:
    names = ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CACHE_DIRECTORY")
    (tmp_path / "settings.toml").write_text('[session]\ndefault_routine = "square-breathing"\n')
    done = subprocess.run(
        [this_program(), "run", "--microphone", "keyboard", "--events", "-"],
        env={**os.environ, **dict.fromkeys(names, str(tmp_path)), **service},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    first = next(line["prompt"] for line in lines if line["kind"] == "say")
    assert (first != "idle.ready") is begins, lines
    assert done.returncode == 0


def test_a_recording_that_is_not_there_is_no_microphone_that_is_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [this_program(), "run", "--microphone", "nofile.wav", "--loudspeaker", "none"],
        env={**os.environ, "STATE_DIRECTORY": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == "unknot: nofile.wav: no such file (check the path)\n"
