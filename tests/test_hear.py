"""`unknot hear` keeps its promise: lines, fields, exit codes, and one line for every mistake."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from assistant.__main__ import main
from assistant.commands.hear import hear
from audio.sound import RATE, read, write

CLIPS = Path(__file__).parent / "clips"
STOP = CLIPS / "person1_stop.flac"
YES = CLIPS / "person1_yes.flac"


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model or settings of whoever runs the tests."""
    monkeypatch.delenv("UNKNOT_MODEL", raising=False)
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["hear", *map(str, arguments)])


def lines(result: Result) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The events and the summary."""
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert told[-1]["summary"] is True
    return told[:-1], told[-1]


def test_a_stop_is_told_with_the_fields_that_were_promised() -> None:
    result = run(STOP, "--json")
    assert result.exit_code == 0
    events, summary = lines(result)
    sure = [event for event in events if event["level"] == "confirmed"]
    assert [(event["intent"], event["ear"]) for event in sure] == [("stop", "alarm")]
    assert all({"file", "at", "level", "intent", "text", "ear"} <= event.keys() for event in events)
    assert {event["file"] for event in events} == {str(STOP)}
    assert {event["level"] for event in events} <= {"voice", "suspect", "confirmed", "final"}
    assert sure[0]["at"] == pytest.approx(1.0, abs=0.3)
    assert set(summary) == {
        "summary",
        "audio_seconds",
        "cpu_seconds",
        "max_rss_mb",
        "load_seconds",
        "engine",
        "model",
    }
    assert summary["engine"] == "embedded"
    assert "practice" in summary["model"]
    assert summary["audio_seconds"] == pytest.approx(len(read(STOP)) / RATE)


def test_a_number_has_its_value() -> None:
    events, _ = lines(run(CLIPS / "person1_six.flac", "--asked", "number", "--json"))
    finals = [event for event in events if event["level"] == "final" and event["intent"]]
    assert [(event["intent"], event["value"]) for event in finals] == [("number", 6)]


def test_every_file_starts_from_a_fresh_state() -> None:
    alone, _ = lines(run(YES, "--expect", "yes,no", "--json"))
    after, _ = lines(run(STOP, YES, "--expect", "yes,no", "--json"))
    assert alone
    assert [event for event in after if event["file"] == str(YES)] == alone


def test_a_word_at_the_very_end_is_decided(tmp_path: Path) -> None:
    sound = read(STOP)
    last = int(np.flatnonzero(np.abs(sound) > 1000)[-1])
    write(tmp_path / "cut.wav", sound[: last + 1])
    events, _ = lines(run(tmp_path / "cut.wav", "--json"))
    assert ("confirmed", "stop") in [(event["level"], event["intent"]) for event in events]


def test_what_the_loudspeaker_played_is_not_heard(tmp_path: Path) -> None:
    """The stop comes out of our own loudspeaker, after a second for the canceller to settle."""
    quiet = np.zeros(RATE // 2, np.int16)
    words = [read(CLIPS / f"person3_{word}.flac") for word in ("yes", "no", "six")]
    played = np.concatenate([*words, *words, read(STOP), quiet])
    noise = np.random.default_rng(0).integers(-20, 20, len(played))
    late = np.concatenate([np.zeros(800, np.int16), played])[: len(played)]
    write(tmp_path / "mic.wav", (late * 0.3 + noise).astype(np.int16))
    write(tmp_path / "played.wav", played)
    without, _ = lines(run(tmp_path / "mic.wav", "--ear", "alarm", "--json"))
    result = run(
        tmp_path / "mic.wav", "--playing", tmp_path / "played.wav", "--ear", "alarm", "--json"
    )
    events, _ = lines(result)
    assert "confirmed" in [event["level"] for event in without]
    assert [event for event in events if event["level"] in ("suspect", "confirmed")] == []


@pytest.mark.parametrize("ear", ["words", "alarm"])
def test_one_ear_alone_is_the_only_one_that_speaks(ear: str) -> None:
    events, summary = lines(run(STOP, "--ear", ear, "--json"))
    assert {event["ear"] for event in events if event["level"] != "voice"} <= {ear}
    assert summary["engine"] == ("none" if ear == "alarm" else "embedded")


def test_the_embedded_ear_is_also_known_by_its_former_name() -> None:
    _, summary = lines(run(STOP, "--ear", "words", "--engine", "sphinx", "--json"))
    assert summary["engine"] == "embedded"


def test_without_json_a_person_can_read_it() -> None:
    result = run(STOP)
    assert result.exit_code == 0
    assert "confirmed" in result.stdout
    assert "somebody talks" in result.stdout
    assert "{" not in result.stdout


def bad_files(folder: Path) -> dict[str, Path]:
    (folder / "letter.wav").write_text("Dear Sir")
    (folder / "empty.wav").write_bytes(b"")
    soundfile.write(folder / "none.wav", np.zeros(0), RATE)
    return {
        "missing": folder / "gone.wav",
        "a text": folder / "letter.wav",
        "empty": folder / "empty.wav",
        "no samples": folder / "none.wav",
        "a folder": folder,
    }


@pytest.mark.parametrize("kind", ["missing", "a text", "empty", "no samples", "a folder"])
def test_a_bad_file_is_one_line_and_the_others_are_still_heard(tmp_path: Path, kind: str) -> None:
    bad = bad_files(tmp_path)[kind]
    result = run(bad, STOP, "--json")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert str(bad) in result.stderr
    events, _ = lines(result)
    assert {event["file"] for event in events} == {str(STOP)}


def test_a_bad_playing_file_is_one_line(tmp_path: Path) -> None:
    result = run(STOP, "--playing", tmp_path / "gone.wav")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [(), (STOP, "--ear", "left"), (STOP, "--engine", "best"), (STOP, "--expect", "yes,dance")],
)
def test_a_wrong_call_is_a_usage_error(arguments: Sequence[object]) -> None:
    assert run(*arguments).exit_code == 2


def test_vosk_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    result = run(STOP, "--engine", "vosk")
    assert result.exit_code == 3
    assert "unknot model install" in result.stderr
    result = run(STOP, "--model", tmp_path / "gone")
    assert result.exit_code == 3
    assert str(tmp_path / "gone") in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_command_is_told_in_its_help() -> None:
    assert hear.help
    assert "recordings" in hear.help


def test_stereo_eight_bit_and_eight_kilohertz_are_heard(tmp_path: Path) -> None:
    sound, rate = soundfile.read(STOP)
    quiet = np.concatenate([sound, np.zeros(rate // 2)])
    soundfile.write(tmp_path / "stereo.wav", np.stack([quiet, quiet], axis=1), rate)
    soundfile.write(tmp_path / "eight_bit.wav", quiet, rate, subtype="PCM_U8")
    soundfile.write(tmp_path / "float.wav", quiet, rate, subtype="FLOAT")
    files = [tmp_path / f"{name}.wav" for name in ("stereo", "eight_bit", "float")]
    events, _ = lines(run(*files, "--ear", "alarm", "--json"))
    sure = {event["file"] for event in events if event["level"] == "confirmed"}
    assert sure == set(map(str, files))
