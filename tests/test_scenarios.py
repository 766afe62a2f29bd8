"""Whole sessions through sound come out as written, and the commands that play them do as told.

The scenarios are played beside all other tests (played_beside.py) and looked at last; it must never
measure real time here.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from played_beside import Ended

from assistant.__main__ import main
from assistant.room.scenario import Fault, read_scenario

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
SHORT = """
routine = "hands-on"
massager = "none"
seconds = 8
[settings]
"session.screening" = false
[room]
echo_db = -20.0
[[person]]
on = "at:1"
say = "stop"
"""


@pytest.fixture(scope="module", autouse=True)
def _voices_are_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Rendered speech is kept from run to run, outside the person's own folders."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("CACHE_DIRECTORY", raising=False)
        environment.setenv("XDG_CACHE_HOME", str(request.config.cache.mkdir("unknot")))
        yield


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=pytest.mark.beside("simulate", str(path)))
        for path in SCENARIOS
    ],
)
def test_the_scenario_comes_out_as_written(path: Path, ended: Ended) -> None:
    assert "held  " in ended.stderr
    assert ended.returncode == 0, f"{path}: {ended.stderr}"


def test_every_fault_has_a_scenario() -> None:
    played = {fault.kind for path in SCENARIOS for fault in read_scenario(path).room.fault}
    assert played == set(Fault.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]


def test_the_same_seed_gives_the_same_events(tmp_path: Path) -> None:
    scenario = written(tmp_path, SHORT)
    for name in ("one.jsonl", "two.jsonl"):
        result = run("simulate", scenario, "--events", str(tmp_path / name), "--seed", "3")
        assert result.exit_code == 0
    first, second = ((tmp_path / name).read_text() for name in ("one.jsonl", "two.jsonl"))
    assert first
    assert first == second


def test_any_whole_number_is_a_seed(tmp_path: Path) -> None:
    scenario = written(tmp_path, SHORT.replace("seconds = 8", "seconds = 0.1"))
    for seed in ("-1", "0", "99999999999"):
        assert run("simulate", scenario, "--seed", seed).exit_code == 0


def test_events_go_to_stdout_as_lines_in_order_of_time(tmp_path: Path) -> None:
    result = run("simulate", written(tmp_path, SHORT), "--events", "-")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    said = next(event for event in events if event["kind"] == "person")
    assert said["text"] == "stop"
    assert 1.0 <= said["start"] < said["end"]


def test_a_recording_has_the_microphone_left_and_the_loudspeaker_right(tmp_path: Path) -> None:
    recording = tmp_path / "session.wav"
    run("simulate", written(tmp_path, SHORT), "--record", str(recording))
    sound, rate = soundfile.read(recording, dtype="float32")
    assert rate == 16_000
    assert sound.shape[1] == 2
    assert 7.9 < len(sound) / rate <= 8.0
    loudness = np.sqrt(np.mean(sound[: 3 * rate] ** 2, axis=0))
    assert loudness[1] > 3.0 * loudness[0] > 0.0


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "session.svg"
    run("simulate", written(tmp_path, SHORT), "--picture", str(picture))
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_an_expectation_that_fails_is_named_and_gives_exit_code_1(tmp_path: Path) -> None:
    text = SHORT + '[[expect]]\nsaid = "closing.signs"\nnever_said = "stopped.again"\n'
    result = run("simulate", written(tmp_path, text))
    assert result.exit_code == 1
    assert "FAILED said = 'closing.signs': never said" in result.stderr
    assert "held   never_said = 'stopped.again'" in result.stderr


def test_a_bad_scenario_gives_exit_code_2_and_every_problem_at_once(tmp_path: Path) -> None:
    text = """routine = "neck-masager"
[settings]
"session.screning" = true
[[person]]
on = "later"
say = "no"
"""
    result = run("simulate", written(tmp_path, text))
    assert result.exit_code == 2
    assert not result.stdout
    for problem in (":3: settings.session.screning", ":5: person.0.on"):
        assert problem in result.stderr
    unknown = run("simulate", written(tmp_path, 'routine = "neck-masager"\n'))
    assert unknown.exit_code == 2
    assert "use one of" in unknown.stderr
    assert "neck-massager" in unknown.stderr


def test_recordings_that_hold_no_sound_are_refused_by_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    (tmp_path / "text.wav").write_text("not sound")
    for name in ("silence.wav", "text.wav"):
        text = f'{SHORT}\n[[person]]\non = "at:2"\nplay = "{name}"\n'
        result = run("simulate", written(tmp_path, text))
        assert result.exit_code == 1
        assert name in result.stderr
        assert "Traceback" not in result.output


def test_what_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    scenario = written(tmp_path, SHORT)
    for option in ("--events", "--record", "--picture"):
        result = run("simulate", scenario, option, str(tmp_path / "missing" / "file"))
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert "give a path that can be written" in result.stderr


@pytest.mark.beside("demo", "--fast")
def test_the_demo_tells_how_long_after_the_word_the_massager_was_off(ended: Ended) -> None:
    assert ended.returncode == 0, ended.stderr
    assert "“stop”: the massager was off" in ended.stdout
    assert "person    “start neck massage”" in ended.stdout
