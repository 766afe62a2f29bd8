"""The unit in a real systemd: a service manager of our own, in a namespace of its own.

It runs what `unknot service install --user` writes, and must never be this machine's own systemd.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.service import NAME, this_program

SYSTEMD = Path("/lib/systemd/systemd")
WATCHDOG_SECONDS = 5.0
OFF_SECONDS = 5.0
"""What killing, starting a Python and its off may take on a busy machine."""
BEGIN = """
mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec "$@"
"""
LED = {"trigger": "transient", "duration": "0", "state": "1", "brightness": "0", "activate": "0"}


class Systemd:
    """A user's service manager, and the commands that talk to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        places = {
            "HOME": folder,
            "XDG_RUNTIME_DIR": runtime,
            "XDG_CONFIG_HOME": folder / "config",
            "XDG_STATE_HOME": folder / "state",
            "XDG_CACHE_HOME": folder / "cache",
            "PULSE_SERVER": f"unix:{folder}/no-sound-here",
        }
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.environment = kept | {name: str(place) for name, place in places.items()}
        self.log = folder / "systemd.log"
        with self.log.open("w") as log:
            self.manager = subprocess.Popen(
                [*_APART, "sh", "-c", BEGIN, "sh", str(SYSTEMD), "--user", "--unit=basic.target"],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """A command beside it."""
        inside = ("nsenter", "--mount", f"--target={self.manager.pid}")
        return subprocess.run(
            [*inside, *command], env=self.environment, capture_output=True, text=True
        )

    def tells(self, what: str) -> str:
        """One property of the service."""
        shown = self.run("systemctl", "--user", "show", NAME, f"--property={what}", "--value")
        return shown.stdout.strip()

    @property
    def up(self) -> bool:
        asked = self.run("systemctl", "--user", "is-system-running")
        return asked.stdout.strip() in ("running", "degraded")

    def end(self) -> None:
        """End it and all that it runs."""
        self.run("systemctl", "--user", "exit")
        try:
            self.manager.wait(20.0)
        except subprocess.TimeoutExpired:
            self.manager.kill()
            self.manager.wait()


_APART = ("unshare", "--mount", "--propagation", "private")


def until(condition: Callable[[], bool], seconds: float) -> float:
    """Wait for it; the seconds that it took. Raises AssertionError."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come"
        os.sched_yield()
    return time.monotonic() - began


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    for program in (str(SYSTEMD), "systemctl", "nsenter", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian packages systemd, util-linux)")
    if os.geteuid() != 0:
        pytest.skip("only root may give a service manager a /run of its own")
    manager = Systemd(tmp_path)
    try:
        until(lambda: manager.up or manager.manager.poll() is not None, 30.0)
        if not manager.up:
            pytest.skip(f"no systemd runs here: {manager.log.read_text()[-300:]}")
        yield manager
    finally:
        manager.end()


@pytest.fixture
def led(systemd: Systemd) -> Path:
    """A massager on a pin, which the service's `massager off` has to find."""
    led = systemd.folder / "led"
    led.mkdir()
    for name, text in LED.items():
        (led / name).write_text(text)
    config = systemd.folder / "config" / "unknot"
    config.mkdir(parents=True)
    (config / "massagers.toml").write_text(f'[neck]\nkind = "pin"\nled = "{led}"\n')
    return led


def test_the_unit_runs_is_watched_and_tells_the_massager_off_whatever_ends_it(
    systemd: Systemd, led: Path, record_property: Callable[[str, object], None]
) -> None:
    installed = systemd.run(str(this_program()), "service", "install", "--user")
    assert installed.returncode == 0, installed.stderr
    assert systemd.tells("ActiveState") == "active"  # Type=notify: it said that it is ready
    for number, bound in (
        (signal.SIGSTOP, WATCHDOG_SECONDS + OFF_SECONDS),
        (signal.SIGKILL, OFF_SECONDS),
    ):
        restarts = int(systemd.tells("NRestarts"))
        (led / "activate").write_text("1")
        os.kill(int(systemd.tells("MainPID")), number)
        seconds = until(lambda: (led / "activate").read_text().strip() == "0", bound)
        assert int(systemd.tells("NRestarts")) == restarts  # by what stops it, not the next start
        record_property(f"told_off_by_systemd_after_{number.name}", round(seconds, 2))
        until(lambda n=restarts: int(systemd.tells("NRestarts")) > n, 30.0)  # type: ignore[misc]
        until(lambda: systemd.tells("ActiveState") == "active", 60.0)
    (led / "activate").write_text("1")
    removed = systemd.run(str(this_program()), "service", "remove", "--user")
    assert removed.returncode == 0, removed.stderr
    assert (led / "activate").read_text().strip() == "0"
