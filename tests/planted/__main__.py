"""Takes one control after another out of a copy of the program and sees that a named test fails.

    python tests/planted [--only WORD]

Prints one line a plant that was not caught, and `N planted, N caught`. It must never touch the
checkout, and must never count a plant as caught whose test did not fail by itself.
"""

import argparse
import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
import tomllib
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("assistant", "audio", "intents", "config", "tests", "pyproject.toml")
AT_ONCE = 2
LONGEST_SECONDS, ALL_SECONDS = 120, 600
"""A test that hangs is ended, and has not failed by itself: the tests of one plant, or half of all
that are named, while nothing is planted."""
FAILED, SKIPPED, BROKEN = int(pytest.ExitCode.TESTS_FAILED), 77, 78
HEAVY = ("hypothesis", "pydantic", "hassil", "transitions", "numpy", "soundfile", "soxr", "rich")
"""Loaded once, before every plant gets a process of its own; nothing of ours is."""


@dataclass(frozen=True)
class Plant:
    """A control that is taken out, and the tests that must miss it."""

    name: str
    file: str
    text: str
    becomes: str
    caught_by: tuple[str, ...]


class Counted:
    """Notices, from inside pytest, when all that was asked for was skipped."""

    def __init__(self) -> None:
        self.ran = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran = self.ran or (report.when == "call" and not report.skipped)


@dataclass(frozen=True)
class Garden:
    """A copy of the program, in which one thing at a time is planted."""

    folder: Path

    def plant(self, plant: Plant) -> None:
        """Change the file; its time makes compiled remains of the sound one useless."""
        file = self.folder / plant.file
        file.write_text(file.read_text().replace(plant.text, plant.becomes))
        os.utime(file, (1, 1))

    def tidy(self, plant: Plant) -> None:
        """Undo it."""
        shutil.copy2(ROOT / plant.file, self.folder / plant.file)

    def start(self, tests: Sequence[str], longest_seconds: int) -> int:
        """Run these tests in a process of their own; its id."""
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        code = BROKEN
        try:
            code = self._test(tests, longest_seconds)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _test(self, tests: Sequence[str], longest_seconds: int) -> int:
        signal.alarm(longest_seconds)
        os.chdir(self.folder)
        log = os.open("log", os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(self.folder))
        os.environ["PYTHONPATH"] = str(self.folder)  # for the processes that tests start
        counted = Counted()
        options = ["-xq", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--rootdir=."]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is loaded already
        code = int(pytest.main([*options, *tests], plugins=[counted]))
        return code if code or counted.ran else SKIPPED


def read_plants(file: Path) -> list[Plant]:
    """The table; a stale plant, whose text is not once in its file, ends it all."""
    plants = [
        Plant(**{**entry, "caught_by": tuple(entry["caught_by"])})
        for entry in tomllib.loads(file.read_text())["plant"]
    ]
    for plant in plants:
        times = (ROOT / plant.file).read_text().count(plant.text)
        if times != 1:
            sys.exit(f"stale: {plant.name}: its text is {times} times in {plant.file}")
    return plants


@contextlib.contextmanager
def gardens() -> Iterator[list[Garden]]:
    """Fresh copies of the program."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        made = [Garden(Path(folder, str(number))) for number in range(AT_ONCE)]
        for garden in made:
            garden.folder.mkdir()
            for part in PARTS:
                copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
                copy(ROOT / part, garden.folder / part)
        yield made


def sound(gardens: Sequence[Garden], plants: Sequence[Plant]) -> bool:
    """Whether every named test passes while nothing is planted."""
    tests = sorted({test for plant in plants for test in plant.caught_by})
    half = len(tests) // 2
    shares = [share for share in (tests[:half], tests[half:]) if share]
    pairs = zip(gardens, shares, strict=False)
    started = {garden.start(share, ALL_SECONDS): garden for garden, share in pairs}
    good = True
    for child, garden in started.items():
        if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            good = False
            log = (garden.folder / "log").read_text()
            tell(f"without any plant a named test fails ({code}):\n{log[-3000:]}")
    return good


def grow(free: list[Garden], plants: Sequence[Plant]) -> dict[Plant, int]:
    """Plant one after another, two at a time; pytest's exit code for each."""
    waiting, growing = deque(plants), dict[int, tuple[Plant, Garden]]()
    codes: dict[Plant, int] = {}
    while waiting or growing:
        while waiting and free:
            plant, garden = waiting.popleft(), free.pop()
            garden.plant(plant)
            growing[garden.start(plant.caught_by, LONGEST_SECONDS)] = plant, garden
        child, status = os.wait()
        plant, garden = growing.pop(child)
        codes[plant] = os.waitstatus_to_exitcode(status)
        garden.tidy(plant)
        free.append(garden)
    return codes


def tell(line: str) -> None:
    """To the person."""
    sys.stdout.write(line + "\n")


def verdict(code: int) -> str:
    """What an exit code says about a plant that was not caught."""
    if code == SKIPPED:
        return "its test cannot run here"
    return "survived" if code == 0 else f"its test ended with {code} and not by failing"


def main() -> int:
    """Plant everything; 0 when everything was caught."""
    parser = argparse.ArgumentParser(prog="python tests/planted", description=__doc__)
    parser.add_argument("--only", default="", help="only plants with this in their name")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_name("plants.toml"))
    chosen = parser.parse_args()
    plants = [p for p in read_plants(chosen.table) if chosen.only in p.name]
    if not plants:
        parser.error(f"no plant has {chosen.only!r} in its name")
    # As the program itself does: numpy's threads spin while they wait, and on a busy machine a test
    # of a second took two minutes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in HEAVY:
        importlib.import_module(name)
    with gardens() as made:
        if not sound(made, plants):
            return 1
        codes = grow(made, plants)
    lost = {plant: code for plant, code in codes.items() if code != FAILED}
    for plant, code in lost.items():
        tell(f"NOT CAUGHT: {plant.name}: {verdict(code)} ({', '.join(plant.caught_by)})")
    tell(f"{len(plants)} planted, {len(plants) - len(lost)} caught")
    here = not os.environ.get("CI") and set(lost.values()) <= {SKIPPED}
    return 0 if not lost or here else 1


if __name__ == "__main__":
    sys.exit(main())
