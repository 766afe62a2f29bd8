"""The doctor finds what is missing, says what to do about it, and touches nothing."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from assistant.__main__ import main
from assistant.doctor import examine, exit_code, massagers, sound
from assistant.machine_checks import Check, power, throttling


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folder, which is not there yet."""
    folder = tmp_path / "state"
    monkeypatch.setenv("STATE_DIRECTORY", str(folder))
    return folder


def examined(*options: str) -> tuple[int, dict[str, dict[str, object]]]:
    result = CliRunner().invoke(main, ["doctor", "--json", *options])
    return result.exit_code, {
        line["check"]: line for line in map(json.loads, result.stdout.splitlines())
    }


def test_every_line_has_the_promised_fields(state: Path) -> None:
    _, checks = examined("--massager")
    assert {"python", "disk", "journal", "clock", "sound", "massagers"} < set(checks)
    for line in checks.values():
        assert list(line) == ["check", "ok", "value", "remedy"]
        assert bool(line["remedy"]) != line["ok"]


def test_looking_leaves_nothing_behind(state: Path) -> None:
    assert list(examine())
    assert not state.exists()


def test_only_sound_is_asked_where_only_sound_matters(state: Path) -> None:
    code, checks = examined("--sound")
    assert set(checks) == {"sound"}
    assert code == (0 if all(line["ok"] for line in checks.values()) else 5)


def test_a_broken_journal_is_found_and_the_other_checks_go_on(state: Path) -> None:
    state.mkdir()
    (state / "journal.sqlite3").write_text("not a database at all")
    checks = {check.check: check for check in examine()}
    assert not checks["journal"].ok
    assert "move the file away" in checks["journal"].remedy
    assert exit_code(checks.values()) == 3
    assert checks["python"].ok
    assert checks["clock"].ok


def test_a_broken_setting_is_found_and_the_machine_is_looked_at(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    (tmp_path / "settings.toml").write_text("[session]\ntries = 9\n")
    checks = {check.check: check for check in examine()}
    assert not checks["config"].ok
    assert "settings.toml:2: session.tries is 9" in checks["config"].value
    assert checks["python"].ok
    assert exit_code(sound()) == 3


def test_a_massager_that_was_never_tested_is_not_safe(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    led = tmp_path / "led"
    led.mkdir()
    (tmp_path / "massagers.toml").write_text(f'[back]\nkind = "pin"\nled = "{led}"\n')
    described, back = massagers()
    assert described.ok
    assert back.remedy == "run: unknot massager test back"
    assert exit_code([described, back]) == 4
    assert list(led.iterdir()) == []


def test_no_massager_is_safe_and_a_broken_list_is_not(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    assert exit_code(massagers()) == 0
    (tmp_path / "massagers.toml").write_text("broken")
    assert exit_code(massagers()) == 4


def test_a_person_reads_what_failed_and_what_to_do(state: Path) -> None:
    state.mkdir()
    (state / "journal.sqlite3").write_text("not a database at all")
    result = CliRunner().invoke(main, ["doctor"])
    failed = next(line for line in result.stdout.splitlines() if "journal:" in line)
    assert failed.startswith("FAIL journal: ")
    assert failed.endswith("-> move the file away")


@pytest.mark.parametrize(
    ("failed", "code"),
    [((), 0), ((0,), 0), ((5,), 5), ((3,), 3), ((5, 3), 3), ((5, 0), 5), ((3, 4), 4)],
)
def test_the_worst_failure_gives_the_exit_code(failed: tuple[int, ...], code: int) -> None:
    good = Check("python", ok=True, value="", exit_code=3)
    bad = [Check("x", ok=False, value="", remedy="y", exit_code=one) for one in failed]
    assert exit_code([good, *bad]) == code


@pytest.mark.parametrize(
    ("answer", "ok", "value"),
    [
        ("throttled=0x0\n", True, "enough power, cool"),
        ("throttled=0x50005\n", False, "too little power, throttled"),
        ("throttled=0x50000\n", False, "too little power since it was switched on, "),
        ("throttled=0x8\n", False, "too hot"),
    ],
)
def test_a_pi_that_lacks_power_or_is_hot_says_so(answer: str, ok: bool, value: str) -> None:
    check = throttling(answer)
    assert check
    assert check.ok is ok
    assert check.value.startswith(value)


@pytest.mark.parametrize("answer", ["", "VCHI initialization failed", "throttled=", "a=b=c"])
def test_an_answer_that_nobody_understands_is_no_check(answer: str) -> None:
    assert throttling(answer) is None


def test_power_is_asked_where_the_pi_can_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert power() is None
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!{shutil.which('sh', path='/bin:/usr/bin')}\necho throttled=0x1\n")
    program.chmod(0o755)
    check = power()
    assert check
    assert not check.ok
