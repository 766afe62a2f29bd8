"""Makes unknot a service of systemd, which starts it again and tells the massager off after it.

It must never start anything that was not asked for, and never delete what a person has recorded.
"""

import grp
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from audio.errors import UnknotError

NAME = "unknot.service"
USER = "unknot"
AUDIO_GROUP = "audio"
PIN_GROUPS = frozenset({"gpio"})
SYSTEM_FOLDER = Path("/etc/systemd/system")
_SHOWN = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts")


@dataclass(frozen=True)
class Service:
    """The service of the whole machine, or of one user (`user`), that runs `program`."""

    program: Path
    user: bool = False

    @property
    def file(self) -> Path:
        """Where systemd looks for the unit."""
        if not self.user:
            return SYSTEM_FOLDER / NAME
        config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(config) / "systemd" / "user" / NAME

    def unit(self) -> str:
        """The unit's text, from the template in config/."""
        text = (files("config") / NAME).read_text(encoding="utf-8")
        if self.user:
            before, _, rest = text.partition("# for the system\n")
            text = before + rest.partition("# end\n")[2]
        words = {
            "@PROGRAM@": str(self.program),
            "@USER@": USER,
            "@HOME@": "read-only" if self.program.is_relative_to("/home") else "yes",
            "@GROUPS@": " ".join(_groups()),
            "@TARGET@": "default.target" if self.user else "multi-user.target",
        }
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    def install(self) -> None:
        """Write the unit, have it started now and at every start. Raises UnknotError."""
        self._need_root("install")
        if not self.user:
            self._refuse_what_others_cannot_reach()
            _make_user()
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(self.unit(), encoding="utf-8")
        except OSError as error:
            raise UnknotError(f"{self.file}: {error.strerror}", "see the folder's owner") from None
        self._systemctl("daemon-reload")
        self._systemctl("enable", "--now", NAME)

    def remove(self) -> None:
        """Stop it and take the unit away; the journal stays. Raises UnknotError."""
        self._need_root("remove")
        if not self.file.exists():
            raise UnknotError(f"{self.file}: there is no such service", "nothing is left to remove")
        self._systemctl("disable", "--now", NAME)
        self.file.unlink()
        self._systemctl("daemon-reload")

    @property
    def as_its_user(self) -> str:
        """What to put before an `unknot` command that shall see what the service sees."""
        if self.user:
            return str(self.program)
        folders = f"STATE_DIRECTORY=/var/lib/{USER} CONFIGURATION_DIRECTORY=/etc/{USER}"
        return f"sudo -u {USER} env {folders} {self.program}"

    def status(self) -> dict[str, str]:
        """What systemd knows of it. Raises UnknotError."""
        told = self._systemctl("show", NAME, *(f"--property={name}" for name in _SHOWN))
        return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)

    def _need_root(self, what: str) -> None:
        if not self.user and os.geteuid() != 0:
            command = f"sudo {self.program} service {what}"
            raise UnknotError(f"a service of the machine needs root to {what}", f"run: {command}")

    def _refuse_what_others_cannot_reach(self) -> None:
        needed = (self.program, Path(sys.executable).resolve())
        for folder in {parent for path in needed for parent in path.parents}:
            if not folder.stat().st_mode & 0o001:
                raise UnknotError(
                    f"{folder}: the user {USER} could not enter it to start {self.program}",
                    "install unknot under /opt, or use: unknot service install --user",
                )

    def _systemctl(self, *words: str) -> str:
        who = ("--user",) if self.user else ()
        return _run("systemctl", *who, *words)


def this_program() -> Path:
    """The `unknot` beside the interpreter that runs this, absolute."""
    return Path(sys.executable).absolute().with_name("unknot")


def _groups() -> list[str]:
    """Who may use sound, and pins where this machine has them: systemd starts nothing whose group
    does not exist."""
    there = {group.gr_name for group in grp.getgrall()}
    return [AUDIO_GROUP, *sorted(PIN_GROUPS & there)]


def _make_user() -> None:
    """Add the service's own user where there is none."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        options = ("--system", "--user-group", "--home-dir", "/nonexistent")
        _run("useradd", *options, "--shell", "/usr/sbin/nologin", USER)


def _run(program: str, *words: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        raise UnknotError(f"{program}: there is none on this machine", "a service needs systemd")
    done = subprocess.run([found, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
        raise UnknotError(f"{program} {' '.join(words)}: {why}", "is systemd running here?")
    return done.stdout
