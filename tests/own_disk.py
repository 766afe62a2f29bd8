"""Disks that can be filled while a program writes to them; never one that anybody else uses."""

import os
import resource
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

DISK_BYTES = 400_000


class Disk:
    """Where the program writes; `before` goes before its command, `fill` leaves no room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "disk"
        self.folder.mkdir()
        self.before: tuple[str, ...] = ()

    def fill(self, pid: int) -> None:
        raise NotImplementedError


class OwnDisk(Disk):
    """A small file system in a mount namespace of the program's own, which goes with it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        root = () if os.geteuid() == 0 else ("--map-root-user",)
        mount = f"mount -t tmpfs -o size={DISK_BYTES} none {self.folder}"
        self.before = ("unshare", "--mount", *root, "sh", "-c", f'{mount} && exec "$@"', "sh")
        tried = subprocess.run([*self.before, "true"], capture_output=True, text=True)
        if tried.returncode:
            pytest.skip(f"no file system can be mounted here: {tried.stderr.strip()}")

    def fill(self, pid: int) -> None:
        with suppress(OSError), Path(f"/proc/{pid}/root{self.folder}/full").open("wb", 0) as file:
            while True:
                file.write(bytes(1024))


class NoRoomForAFile(Disk):
    """No file of the program may grow any more."""

    def fill(self, pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
