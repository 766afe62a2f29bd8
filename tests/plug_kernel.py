"""The kernel's side of a pin: a folder like that of an LED with the transient trigger.

It must never take a second 1 while its timer runs: the kernel does not either.
"""

import argparse
import asyncio
import ctypes
import os
import struct
import time
from pathlib import Path

from plug_base import Output, tell_line


class KernelLed:
    """The folder of a kernel LED with the transient trigger, played by a process.

    A second 1 while the timer runs is ignored, as in the kernel; that a 0 came between is seen
    from the number of times that the file was closed after writing.
    """

    IN_MODIFY, IN_CLOSE_WRITE = 0x2, 0x8
    """Both: of two equal events in a row inotify keeps one."""
    INERTIA_SECONDS = 0.02
    """A gap of microseconds between 0 and 1 is none to a motor."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.led = Path(args.led)
        self.output = Output(args)
        self.output.changed = self._show
        self.woken = asyncio.Event()
        self.names: list[str] = []
        self.led.mkdir(parents=True, exist_ok=True)
        for name, text in (
            ("trigger", "[none] timer transient"),
            ("duration", "0"),
            ("state", "0"),
            ("brightness", "0"),
            ("activate", "0"),
        ):
            (self.led / name).write_text(text)
        libc = ctypes.CDLL(None, use_errno=True)
        self.inotify = libc.inotify_init1(os.O_NONBLOCK)
        libc.inotify_add_watch(
            self.inotify, os.fsencode(self.led), self.IN_MODIFY | self.IN_CLOSE_WRITE
        )

    async def run(self) -> None:
        """Be a kernel until killed."""
        tell_line({"at": time.monotonic(), "joined": True})
        asyncio.get_running_loop().add_reader(self.inotify, self._notice)
        while True:
            await self.woken.wait()
            while self.woken.is_set():
                self.woken.clear()
                await asyncio.sleep(self.INERTIA_SECONDS)
            names, self.names = self.names, []
            self._written(names)

    def _notice(self) -> None:
        self.names += self._events()
        self.woken.set()

    def _written(self, names: list[str]) -> None:
        if "trigger" in names and self._read("trigger") == "transient":
            (self.led / "trigger").write_text("none timer [transient]")
        writes = names.count("activate")
        if not writes:
            return
        if self._read("activate") == "0":
            self.output.switch_off()
        elif self._read("duration") != "0" and (writes > 1 or not self.output.on):
            self.output.switch_on(1, int(self._read("duration")) / 1000)

    def _show(self, why: str) -> None:
        (self.led / "brightness").write_text(str(int(self.output.on)))
        if why == "lease":
            (self.led / "activate").write_text("0")
            self._events()  # our own writing is no command

    def _events(self) -> list[str]:
        names, offset = [], 0
        try:
            data = os.read(self.inotify, 65536)
        except BlockingIOError:
            return []
        while offset < len(data):
            _, mask, _, length = struct.unpack_from("iIII", data, offset)
            if mask & self.IN_CLOSE_WRITE:
                names.append(data[offset + 16 : offset + 16 + length].rstrip(b"\0").decode())
            offset += 16 + length
        return names

    def _read(self, name: str) -> str:
        return (self.led / name).read_text().strip()
