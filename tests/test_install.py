"""The installer, run as root on a copy of this machine that is gone afterwards.

The copy is an overlay in memory: what the installer writes never reaches the machine itself.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "install.sh"
MOST_LINES = 75

# Everything is mounted in a mount namespace of its own, so that nothing is left to be unmounted.
COPY = """
set -eu
mount -t tmpfs tmpfs "{folder}"
mkdir "{folder}/written" "{folder}/work" "{folder}/root"
mount -t overlay overlay \
  -o lowerdir=/,upperdir="{folder}/written",workdir="{folder}/work" "{folder}/root"
mount -t proc proc "{folder}/root/proc"
mount --rbind /dev "{folder}/root/dev"
exec chroot "{folder}/root" sh -eu
"""


@dataclass
class Machine:
    """A copy of this machine; `run` gives a line to its root's shell and returns what was said."""

    shell: "subprocess.Popen[str]"
    said: str = ""

    def run(self, line: str) -> tuple[int, str]:
        """The exit code of a command line, and what it wrote."""
        assert self.shell.stdin
        assert self.shell.stdout
        self.shell.stdin.write(f"code=0; ( {line} ) </dev/null 2>&1 || code=$?; echo :: $code\n")
        self.shell.stdin.flush()
        lines: list[str] = []
        for told in self.shell.stdout:
            if told.startswith(":: "):
                return int(told[3:]), "".join(lines)
            lines.append(told)
        raise AssertionError("".join(lines) or "the copy of the machine ended")


def root_command() -> list[str]:
    """What a command for root begins with; skips where there is no way, fails in CI."""
    if os.getuid() == 0:
        return []
    if subprocess.run(["sudo", "--non-interactive", "true"], capture_output=True).returncode == 0:
        return ["sudo", "--non-interactive"]
    return absent("nobody here may be root")


def absent(reason: str) -> list[str]:
    """Skip, or fail where CI is set."""
    return pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if shutil.which("apt-get") is None:
        absent("the installer is for Debian and its children")
    folder = tmp_path_factory.mktemp("machine")
    command = [*root_command(), "unshare", "--mount", "sh", "-c", COPY.format(folder=folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, **pipes) as shell:
        copy = Machine(shell)
        try:
            assert copy.run("true") == (0, "")
        except (AssertionError, BrokenPipeError) as error:
            shell.kill()
            absent(f"no copy of this machine can be made: {error}")
        yield copy
        shell.stdin.close()


@pytest.fixture(scope="module")
def installed(machine: Machine) -> str:
    """What the first run said."""
    code, said = machine.run(str(SCRIPT))
    assert code == 0, said
    return said


def test_the_installer_can_be_read_and_has_no_known_trap() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= MOST_LINES
    if shutil.which("shellcheck") is None:
        absent("shellcheck is not installed: apt-get install shellcheck")
    done = subprocess.run(["shellcheck", SCRIPT, ROOT / ".ci" / "run"], capture_output=True)
    assert done.stdout.decode() == ""


def test_it_says_what_it_does_and_that_nothing_starts_it_without_systemd(installed: str) -> None:
    steps = [line[3:] for line in installed.splitlines() if line.startswith("== ")]
    assert len(steps) == 6
    assert "ok   config: " in installed
    if not Path("/run/systemd/system").exists():
        assert "systemd does not run here: start it with: unknot run" in installed


def test_the_program_runs_as_its_own_user_and_its_folders_are_closed(
    machine: Machine, installed: str
) -> None:
    code, said = machine.run("unknot --version; unknot doctor --sound | head -1")
    assert (code, said.startswith("unknot")) == (0, True)
    _, owners = machine.run("stat -c '%U %a' /var/lib/unknot /var/cache/unknot /etc/unknot")
    assert owners.split() == ["unknot", "700"] * 2 + ["unknot", "755"]
    _, groups = machine.run("id -nG unknot")
    assert {"unknot", "audio"} <= set(groups.split())


def test_it_installs_what_is_here_and_not_a_link_to_it(machine: Machine, installed: str) -> None:
    code, said = machine.run(
        "cd / && /opt/unknot/bin/python -c 'import assistant; print(assistant.__file__)'"
    )
    assert code == 0
    assert said.startswith("/opt/unknot/lib/")


def test_a_second_run_changes_nothing_and_keeps_the_journal(
    machine: Machine, installed: str
) -> None:
    machine.run("runuser -u unknot -- sh -c 'echo mine > /var/lib/unknot/journal.sqlite3'")
    before = machine.run("getent passwd unknot; /opt/unknot/bin/pip freeze")
    code, said = machine.run(str(SCRIPT))
    assert code == 0, said
    assert machine.run("getent passwd unknot; /opt/unknot/bin/pip freeze") == before
    assert machine.run("cat /var/lib/unknot/journal.sqlite3") == (0, "mine\n")


def test_taken_away_it_leaves_the_journal_and_the_settings(
    machine: Machine, installed: str
) -> None:
    machine.run("echo mine > /var/lib/unknot/journal.sqlite3; echo > /etc/unknot/settings.toml")
    code, said = machine.run(f"{SCRIPT} --uninstall")
    assert code == 0, said
    assert machine.run("ls /opt/unknot /usr/local/bin/unknot 2>/dev/null")[1] == ""
    assert machine.run("cat /var/lib/unknot/journal.sqlite3") == (0, "mine\n")
    assert machine.run("ls /etc/unknot/settings.toml")[0] == 0


def test_nothing_of_it_reached_this_machine(installed: str) -> None:
    assert not Path("/opt/unknot").exists() or sys.prefix.startswith("/opt/unknot")


def test_it_refuses_who_is_not_root(machine: Machine) -> None:
    machine.run(f"cp {SCRIPT} /tmp/install.sh; chmod 755 /tmp/install.sh")
    code, said = machine.run("cd / && setpriv --reuid=65534 --clear-groups /tmp/install.sh")
    assert code == 3, said
    assert "run it with sudo" in said
