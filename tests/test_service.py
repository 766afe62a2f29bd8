"""The service: a unit that systemd takes, that leaves sound working, and a loop that it watches."""

import grp
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistant.service import NAME, Service, this_program
from assistant.watchdog import Watchdog, notify
from audio.errors import UnknotError

UNKNOT = str(this_program())
HIGHEST_EXPOSURE = 2.5


def analyze(*words: str) -> str:
    """What systemd-analyze says; it is a Debian package, and CI has it."""
    if shutil.which("systemd-analyze") is None:
        missing = "systemd-analyze is not installed (Debian package systemd)"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as it would be installed, with a program that systemd finds."""
    program = tmp_path / "unknot"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / NAME
    file.write_text(Service(program).unit())
    return file


# The unit


def test_systemd_takes_the_unit_as_it_is(unit: Path) -> None:
    assert analyze("verify", str(unit)) == ""


def test_the_unit_is_hardened(unit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = analyze("security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert found is not None, told
    with capsys.disabled():
        sys.stdout.write(f"\nexposure of {NAME}: {found[1]} (10 is the worst)\n")
    assert float(found[1]) <= HIGHEST_EXPOSURE


@pytest.mark.parametrize("user", [False, True])
def test_whatever_ends_it_the_massager_is_told_off_and_it_starts_again(user: bool) -> None:
    lines = Service(Path("/opt/unknot/bin/unknot"), user).unit().splitlines()
    for wanted in (
        "Type=notify",
        "NotifyAccess=main",
        "WatchdogSec=5",
        "Restart=always",
        "StartLimitIntervalSec=0",
        "ExecStart=/opt/unknot/bin/unknot run",
        "ExecStartPre=-/opt/unknot/bin/unknot massager off",
        "ExecStopPost=-/opt/unknot/bin/unknot massager off",
        "UMask=0077",
        "StateDirectoryMode=0700",
    ):
        assert wanted in lines


@pytest.mark.parametrize("user", [False, True])
def test_no_hardening_takes_the_sound_away(user: bool) -> None:
    text = Service(Path("/opt/unknot/bin/unknot"), user).unit()
    assert "MemoryDenyWriteExecute=no" in text
    assert "PrivateDevices" not in text
    assert user or {"DeviceAllow=char-alsa rw", "DeviceAllow=char-gpiochip rw"} <= set(
        text.splitlines()
    )


@pytest.mark.parametrize(
    ("there", "asked"), [(["audio", "gpio", "users"], "audio gpio"), (["audio", "users"], "audio")]
)
def test_the_group_of_the_pins_is_asked_for_only_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, there: list[str], asked: str
) -> None:
    """systemd starts no service with a group that does not exist."""
    groups = [grp.struct_group((name, "x", number, [])) for number, name in enumerate(there)]
    monkeypatch.setattr(grp, "getgrall", lambda: groups)
    text = Service(Path("/opt/unknot/bin/unknot")).unit()
    assert f"SupplementaryGroups={asked}" in text.splitlines()


def test_a_users_own_service_asks_for_nothing_that_only_root_may_give() -> None:
    text = Service(Path("/home/anna/unknot"), user=True).unit()
    for word in ("User=", "CapabilityBoundingSet", "ProtectSystem", "DeviceAllow", "IPAddress"):
        assert word not in text
    assert "WantedBy=default.target" in text
    assert not re.search(r"@[A-Z]+@", text)


def test_a_program_in_a_home_can_be_seen_by_its_service() -> None:
    assert "ProtectHome=read-only" in Service(Path("/home/anna/unknot")).unit()
    assert "ProtectHome=yes" in Service(Path("/opt/unknot/bin/unknot")).unit()


# The command


def test_print_shows_the_unit_and_changes_nothing() -> None:
    done = subprocess.run(
        [UNKNOT, "service", "install", "--print"], capture_output=True, text=True, check=True
    )
    assert done.stdout == Service(this_program()).unit()


@pytest.mark.parametrize("what", ["install", "remove"])
def test_without_root_one_line_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UnknotError, match=f"needs root.*sudo .*unknot service {what}"):
        getattr(Service(this_program()), what)()


def test_a_machine_without_systemd_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [UNKNOT, "service", "status"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert re.fullmatch(r"unknot: systemctl: there is none on this machine.*\n", done.stderr)


# The loop that is watched


@contextmanager
def listening(folder: Path) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.bind(str(folder / "notify"))
        service.settimeout(30.0)
        yield service


def test_readiness_is_told_once_and_turns_at_most_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    with listening(tmp_path) as service:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        watchdog = Watchdog(lambda: now)
        for _ in range(25):
            watchdog.turned()
            now += 0.1
        told = [service.recv(100) for _ in range(4)]
        service.setblocking(False)
        with pytest.raises(BlockingIOError):
            service.recv(100)
    assert told == [b"READY=1"] + 3 * [b"WATCHDOG=1"]


def test_without_systemd_nothing_is_told_and_nothing_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("", str(tmp_path / "nobody"), "@nobody-listens-here"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("WATCHDOG=1")


def test_a_frozen_session_is_not_told_to_be_alive(tmp_path: Path) -> None:
    """The real program: ready, alive while its loop turns, silent when it stands still."""
    with listening(tmp_path) as service:
        folders = {name: str(tmp_path) for name in ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY")}
        child = subprocess.Popen(
            [UNKNOT, "run", "--microphone", "keyboard", "--massager", "simulated"],
            env={**os.environ, **folders, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        try:
            assert service.recv(100) == b"READY=1"
            assert {service.recv(100) for _ in range(2)} == {b"WATCHDOG=1"}
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
            service.settimeout(2.5)
            with pytest.raises(TimeoutError):
                _drain(service)
            child.send_signal(signal.SIGCONT)
            assert service.recv(100) == b"WATCHDOG=1"
        finally:
            child.kill()
            child.communicate()


def _drain(service: socket.socket) -> None:
    """Take what was told before it froze, then wait for more than ever comes."""
    for _ in range(3):
        service.recv(100)
