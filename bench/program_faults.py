"""Sets the clock of the whole program in its massage, or fills its disk, many times.

    python bench/program_faults.py [--tries 20]

A real `unknot run` at a keyboard with the simulated massager. Prints how long it took from the
fault to the off, and whether the massager came on again. It must never touch the machine's own
clock, or a disk that anybody else uses.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from own_disk import NoRoomForAFile
from set_clock import DAY, SetClock, found
from typed_program import Line, Program, said

from assistant.safety import LEASE_SECONDS

ALIVE_SECONDS = 1.0
SLACK_SECONDS = 0.15
AT_ONCE = 5
SETTINGS = '[session]\nscreening = false\ntalk = "brief"\n'
HEAD = (
    "| fault | device | bound s | worst s | on again, worst s | tries |\n|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Outcome:
    """Seconds from the fault to the off; whether the massager came on again afterwards."""

    off_after: float
    on_again: bool


def clock_set(folder: Path, seconds: float) -> Outcome:
    """Set the program's clock by so many seconds."""
    clock = SetClock(folder / "clock")
    program = Program(folder, clock.environment)
    return _struck(program, partial(clock.set_by, seconds), "clock_jumped")


def disk_full(folder: Path) -> Outcome:
    """Leave no room for any file of the program."""
    disk = NoRoomForAFile(folder)
    program = Program(folder, {"STATE_DIRECTORY": str(disk.folder)})
    return _struck(program, lambda: disk.fill(program.child.pid), "disk_full")


def _struck(program: Program, strike: Callable[[], None], what: str) -> Outcome:
    try:
        program.until(said("idle.ready"))
        program.type("start neck massage")
        program.until(_is_on)
        at = time.monotonic()
        strike()
        program.until(lambda line: line["kind"] == "massager" and line["why"] == what)
        off_after, seen = time.monotonic() - at, len(program.lines)
        program.until(lambda line: line["kind"] == "say_end" and line["prompt"] == f"fault.{what}")
        return Outcome(off_after, any(map(_is_on, program.lines[seen:])))
    finally:
        program.kill()


def _is_on(line: Line) -> bool:
    return line["kind"] == "massager" and bool(line["on"])


FAULTS: tuple[tuple[str, Callable[[Path], Outcome], float], ...] = (
    ("The program's clock is set forward by a day", partial(clock_set, seconds=DAY), ALIVE_SECONDS),
    ("The program's clock is set back by a day", partial(clock_set, seconds=-DAY), ALIVE_SECONDS),
    ("The program's disk is full", disk_full, LEASE_SECONDS),
)


def table(tries: int) -> bool:
    """Print a row a fault; whether every bound held."""
    held = True
    for name, fault, bound in FAULTS:
        if fault is not disk_full and found() is None:
            print(f"| {name} | not tried: there is no libfaketime here | | | | 0 |")
            continue
        with ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = list(pool.map(lambda _, fault=fault: _one(fault), range(tries)))
        worst = max(outcome.off_after for outcome in outcomes)
        again = any(outcome.on_again for outcome in outcomes)
        told = "YES" if again else "never"
        print(f"| {name} | simulated | {bound:g} | {worst:.2f} | {told} | {tries} |")
        sys.stdout.flush()
        held &= worst <= bound + SLACK_SECONDS and not again
    return held


def _one(fault: Callable[[Path], Outcome]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "settings.toml").write_text(SETTINGS)
        return fault(Path(folder))


def main() -> int:
    """Print the table; 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    print(HEAD)
    return 0 if table(parser.parse_args().tries) else 1


if __name__ == "__main__":
    sys.exit(main())
