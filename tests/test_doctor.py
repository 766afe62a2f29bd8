"""The doctor finds what is missing, says what to do about it, and touches nothing."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from massager_rig import PASSWORD, USER, Broker, in_loop, make_certificates, runner, write_devices

from assistant.__main__ import main
from assistant.doctor import examine, exit_code, sound
from assistant.doctor_broker import Answer, broker, distinct, judged
from assistant.doctor_massager import brokers, guarantees, massagers
from assistant.doctor_service import judged as judged_service
from assistant.doctor_service import service
from assistant.machine_checks import (
    MEMORY_NEEDED_MB,
    Check,
    answers,
    clock,
    memory,
    power,
    room,
    throttling,
    time_of_day,
)
from assistant.massager.device import Broker as Described
from assistant.massager.device import read_devices
from assistant.massager.proof import remember
from assistant.settings import Settings, load

__all__ = ["runner"]


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
        ("throttled=0x50000\n", False, "too little power since it was switched on, throttled"),
        ("throttled=0x8\n", False, "too hot"),
        ("throttled=0x20004\n", False, "throttled, slowed down since it was switched on"),
        ("throttled=0xf000f\n", False, "too little power, slowed down, throttled, too hot"),
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


@pytest.mark.parametrize("bit", [3, 19])
def test_heat_is_cooled_and_lack_of_power_is_fed(bit: int) -> None:
    hot, weak = throttling(f"throttled={1 << bit:#x}"), throttling(f"throttled={1 << bit - 3:#x}")
    assert hot
    assert weak
    assert hot.remedy.startswith("cool it")
    assert "power supply" in weak.remedy


def program(folder: Path, name: str, prints: str, code: int = 0) -> None:
    """A stand-in for a program that this machine may not have."""
    file = folder / name
    shell = shutil.which("sh", path="/bin:/usr/bin")
    file.write_text(f"#!{shell}\necho '{prints}'\nexit {code}\n")
    file.chmod(0o755)


def test_power_is_asked_where_the_pi_can_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert power() is None
    program(tmp_path, "vcgencmd", "throttled=0x1")
    check = power()
    assert check
    assert not check.ok


def test_a_part_that_is_not_installed_whole_is_told_and_the_next_is_looked_at() -> None:
    def broken() -> Check:
        raise ImportError("libportaudio.so.2: cannot open shared object file")

    found = list(answers([("ears", broken), ("clock", clock)]))
    assert [(check.check, check.ok) for check in found] == [("ears", False), ("clock", True)]
    assert found[0].remedy == "install unknot again"


# Clock and memory

NOON = 1_795_000_000.0


@pytest.mark.parametrize(
    ("now", "answer", "ok", "words"),
    [
        (NOON, "NTPSynchronized=yes\n", True, ", set by a time server"),
        (NOON, "", True, "+00:00"),
        (NOON, "NTPSynchronized=no\n", False, "not set by a time server"),
        (0.0, "NTPSynchronized=yes\n", False, "1970-01-01T00:00:00+00:00 is in the past"),
    ],
)
def test_a_clock_that_nobody_sets_is_told(now: float, answer: str, ok: bool, words: str) -> None:
    check = time_of_day(now, answer)
    assert check.ok is ok
    assert check.value.endswith(words)


def test_systemd_is_asked_for_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clock().ok
    program(tmp_path, "timedatectl", "NTPSynchronized=no")
    assert not clock().ok


@pytest.mark.parametrize(("free", "ok"), [(MEMORY_NEEDED_MB, True), (MEMORY_NEEDED_MB - 1, False)])
def test_memory_is_enough_or_not(free: int, ok: bool) -> None:
    lines = f"MemTotal:   948280 kB\nMemFree:   1 kB\nMemAvailable: {free * 1024} kB\n"
    check = room(lines)
    assert check
    assert check.ok is ok
    assert check.value == f"{free} of 926 MB free"
    assert room("MemTotal: 948280 kB\n") is None
    assert memory()


# The service

RUNS = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "NRestarts": "0",
    "WatchdogUSec": "5s",
}


def test_a_service_that_runs_and_is_watched_is_well() -> None:
    assert judged_service(RUNS).value == "active, watched every 5s"


@pytest.mark.parametrize(
    ("told", "words", "remedy"),
    [
        ({"LoadState": "bad-setting"}, "its unit is bad-setting", "unknot service install"),
        ({"ActiveState": "failed"}, "it is failed", "journalctl --user -u unknot.service"),
        ({"WatchdogUSec": "0"}, "nobody watches", "unknot service install"),
        ({"WatchdogUSec": "infinity"}, "nobody watches", "unknot service install"),
        ({"UnitFileState": "disabled"}, "not start with", "systemctl --user enable"),
        ({"NRestarts": "3"}, "started again 3 times", "journalctl --user"),
    ],
)
def test_each_trouble_with_the_service_has_its_remedy(
    told: dict[str, str], words: str, remedy: str
) -> None:
    check = judged_service(RUNS | told, "--user")
    assert not check.ok
    assert words in check.value
    assert remedy in check.remedy


def test_systemd_is_asked_for_the_service_and_its_absence_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no systemd here" in service().value
    program(tmp_path, "systemctl", "System has not been booted with systemd", 1)
    assert "not installed" in service().value
    program(tmp_path, "systemctl", "LoadState=not-found")
    assert "not installed" in service().value
    program(tmp_path, "systemctl", "\n".join(f"{name}={value}" for name, value in RUNS.items()))
    assert service().value == "active, watched every 5s"


# Massagers and brokers


@pytest.fixture
def own(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own settings, with one massager."""
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    write_devices(tmp_path, "pin", 0, led="/sys/class/leds/massager")
    return tmp_path


def test_a_proof_counts_for_the_massager_that_is_described_now(own: Path, state: Path) -> None:
    settings = load()
    (before,) = guarantees(settings)
    assert before.remedy == "run: unknot massager test neck"
    remember(read_devices(own / "massagers.toml")["neck"], state)
    (proved,) = guarantees(settings)
    assert proved.ok
    write_devices(own, "pin", 0, led="/sys/class/leds/another")
    (changed,) = guarantees(settings)
    assert exit_code([changed]) == 4


def test_a_massager_that_nobody_has_described_is_not_safe(own: Path, settings: Settings) -> None:
    wanted = replace(settings, massager=settings.massager.model_copy(update={"name": "shoulders"}))
    unknown, _ = guarantees(wanted)
    assert "massager.name is 'shoulders'" in unknown.value
    assert exit_code([unknown]) == 4


def test_a_list_of_massagers_that_is_broken_stands_in_no_other_checks_way(
    own: Path, settings: Settings
) -> None:
    (own / "massagers.toml").write_text("broken")
    assert list(guarantees(settings)) == []
    assert list(brokers(settings)) == []


HOUSE = Described("10.0.0.1", 1883, "unknot")


@pytest.mark.parametrize(
    ("answer", "strangers", "words"),
    [
        (Answer.REFUSED, Answer.REFUSED, "refuses user 'unknot'"),
        (Answer.BAD_CERTIFICATE, Answer.BAD_CERTIFICATE, "certificate does not match"),
        (Answer.UNREACHABLE, Answer.UNREACHABLE, "cannot be reached"),
        (Answer.WELCOME, Answer.WELCOME, "lets in anybody"),
    ],
)
def test_each_trouble_with_a_broker_has_its_remedy(
    answer: Answer, strangers: Answer, words: str
) -> None:
    check = judged(HOUSE, answer, strangers)
    assert not check.ok
    assert words in check.value
    assert check.remedy


def test_a_broker_is_asked_once_however_many_devices_it_serves() -> None:
    assert distinct([HOUSE, None, HOUSE, replace(HOUSE, port=8883)]) == [
        HOUSE,
        replace(HOUSE, port=8883),
    ]


@in_loop
async def test_a_real_broker_is_reached_with_the_right_password_only(tmp_path: Path) -> None:
    real = await Broker(tmp_path / "broker").start()
    file = write_devices(tmp_path / "own", "tasmota", real.port)
    where = read_devices(file)["neck"].broker
    assert where
    good = await asyncio.to_thread(broker, where)
    assert good.ok
    assert "no strangers; without TLS" in good.value
    (tmp_path / "own" / "password").write_text("another")
    refused = await asyncio.to_thread(broker, where)
    assert refused.value == f"refuses user {USER!r}"
    assert PASSWORD not in f"{good}{refused}"
    await real.kill()
    assert (await asyncio.to_thread(broker, where)).value == "cannot be reached"


# The library leaves the socket of a refused certificate to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@in_loop
async def test_a_real_broker_shows_the_right_certificate_or_is_not_used(tmp_path: Path) -> None:
    certificates = await make_certificates(tmp_path / "certificates")
    real = await Broker(tmp_path / "broker", tls=True).start()
    for authority, words in (("ca", "over TLS"), ("stranger", "certificate does not match")):
        ca_file = str(certificates / f"{authority}.pem")
        file = write_devices(tmp_path / "own", "tasmota", real.port, ca_file=ca_file)
        where = read_devices(file)["neck"].broker
        assert where
        assert words in (await asyncio.to_thread(broker, where)).value
    await real.kill()


@in_loop
async def test_the_brokers_of_massagers_and_of_home_assistant_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path / "own"))
    real = await Broker(tmp_path / "broker").start()
    write_devices(tmp_path / "own", "tasmota", real.port)
    lines = ["[home_assistant]", "enabled = true", 'broker = "127.0.0.1"', f"port = {real.port}"]
    (tmp_path / "own" / "settings.toml").write_text("\n".join(lines))
    ours, house = await asyncio.to_thread(lambda: list(brokers(load())))
    assert ours.ok
    assert house.value == "refuses user None"
    await real.kill()
