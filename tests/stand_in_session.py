"""A session without ears: the real governor, the real massager, and a loop; for killing.

    python tests/stand_in_session.py massagers.toml STATE_FOLDER LEASE_SECONDS

It wants the massager on at once. Its time runs faster than the clock when the lease is shorter
than the constant, so that the governor's own figures hold. It prints one JSON line for what it
does, and obeys lines: `halt`, `go on` (the person's word), `block SECONDS` (the loop hangs).
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from assistant.massager import Massager
from assistant.massager.device import read_devices
from assistant.massager.opening import open_massager
from assistant.messages import MassagerLease, MassagerOff, MassagerReport
from assistant.safety import LEASE_SECONDS, Governor
from assistant.wall_clock import JUMPED, WallClock

TICK_SECONDS = 0.02


def tell(what: str, **more: object) -> None:
    sys.stdout.write(json.dumps({"at": time.monotonic(), what: True, **more}) + "\n")
    sys.stdout.flush()


class Session:
    """Everything that a session needs to hold a lease, and nothing else."""

    def __init__(self, massager: Massager, lease: float) -> None:
        self.massager = massager
        self.haste = LEASE_SECONDS / lease
        self.governor = Governor(levels=massager.capabilities.levels)
        self.governor.arm()
        self.governor.want(True)
        self.disobeyed = False
        self.clock = WallClock()

    def now(self) -> float:
        return time.monotonic() * self.haste

    def tick(self) -> None:
        now = self.now()
        if self.clock.jumped():
            self.massager.off()
            self.governor.off(JUMPED, now)
            tell("off", why=JUMPED)
        report = self.massager.report(time.monotonic())
        self.governor.hears(0.0, ears_answer=True, practice=False, now=now)
        self.governor.reported(MassagerReport(report.on, report.level, report.at * self.haste))
        match self.governor.decide(now):
            case MassagerOff(why):
                self.massager.off()
                tell("off", why=why)
            case MassagerLease(level, seconds, why):
                self.massager.lease(level, seconds / self.haste)
                tell("lease", why=why)
        if self.governor.disobeys() and not self.disobeyed:
            self.disobeyed = True
            tell("disobeys")

    def obey(self, line: str) -> None:
        match line.split():
            case ["halt"]:
                self.massager.off()
                self.governor.off("halt", self.now())
                tell("off", why="halt")
            case ["go", "on"]:
                self.governor.go_on()
                self.governor.want(True)
            case ["block", seconds]:
                tell("blocked")
                time.sleep(float(seconds))


async def main(file: str, state: str, lease: str) -> None:
    massager = await open_massager(
        "neck",
        read_devices(Path(file)),
        state=Path(state),
        longest_seconds=float(lease),
        proven=False,
    )
    session = Session(massager, float(lease))
    tell("opened")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    reading = asyncio.create_task(obey_lines(session, lines))
    while not reading.done():
        session.tick()
        await asyncio.sleep(TICK_SECONDS)


async def obey_lines(session: Session, lines: asyncio.StreamReader) -> None:
    async for line in lines:
        session.obey(line.decode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
