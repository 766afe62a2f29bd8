"""The real program while somebody sets its clock, or fills the disk that it writes to."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from own_disk import Disk, NoRoomForAFile, OwnDisk
from set_clock import DAY, SetClock
from typed_program import Line, Program, said

from assistant.live import Live
from assistant.messages import Tick
from assistant.rehearsal import Rehearsal
from assistant.safety import LEASE_SECONDS, RENEW_SECONDS
from assistant.state import State
from assistant.wall_clock import JUMPED
from audio.messages import Fault

SETTINGS = '[session]\nscreening = false\ntalk = "brief"\n'


def massager_on(line: Line) -> bool:
    return line["kind"] == "massager" and bool(line["on"])


def into_the_massage(program: Program) -> Line:
    program.until(said("idle.ready"))
    program.type("start neck massage")
    return program.until(massager_on)


# What is played: all at the same time, for nearly all of it is waiting


def clock_is_set(folder: Path, day: float) -> list[Line]:
    """A massage, the clock set by `day`, and the person's word to go on."""
    clock = SetClock(folder / "clock")
    with running(folder, clock.environment) as program:
        into_the_massage(program)
        clock.set_by(day)
        program.until(said("fault.clock_jumped"))
        program.until(lambda line: line["kind"] == "say_end")
        program.type("continue")
        program.until(massager_on)
    return program.lines


def rest_is_asked_for(folder: Path) -> list[Line]:
    """A session that broke, and the answer twice after it: a day later, and a day before."""
    clock = SetClock(folder / "clock")
    with running(folder, clock.environment) as broken:
        into_the_massage(broken)
    clock.set_by(DAY)
    with running(folder, clock.environment) as forward:
        forward.until(said("ended.unclean"))
        forward.type("yes")
        forward.until(said("rest.wait"))
    clock.set_by(-DAY)
    with running(folder, clock.environment) as back:
        back.until(said("idle.ready"))
        back.type("start neck massage")
        back.until(said("rest.wait"))
    return [forward.lines[-1], back.lines[-1]]


def disk_is_filled(folder: Path, kind: type[Disk]) -> tuple[list[Line], int, str]:
    """A massage, a disk that takes no more, and the end: lines, exit code, complaints."""
    disk = kind(folder)
    with running(folder, {"STATE_DIRECTORY": str(disk.folder)}, disk.before) as program:
        into_the_massage(program)
        disk.fill(program.child.pid)
        program.until(said("fault.disk_full"))
        program.until(lambda line: line["kind"] == "say_end")
        program.child.terminate()
        program.end()
    return program.lines, program.child.returncode, program.errors()


@contextmanager
def running(
    folder: Path, environment: dict[str, str], before: tuple[str, ...] = ()
) -> Iterator[Program]:
    program = Program(folder, environment, before)
    try:
        yield program
    finally:
        program.kill()


PLAYS: dict[str, Callable[[Path], Any]] = {
    "forward": partial(clock_is_set, day=DAY),
    "back": partial(clock_is_set, day=-DAY),
    "rest": rest_is_asked_for,
    "full disk": partial(disk_is_filled, kind=OwnDisk),
    "no room": partial(disk_is_filled, kind=NoRoomForAFile),
}


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Any]]]:
    with ThreadPoolExecutor(len(PLAYS)) as pool:
        begun = {}
        for name, play in PLAYS.items():
            folder = tmp_path_factory.mktemp("play")
            (folder / "settings.toml").write_text(SETTINGS)
            begun[name] = pool.submit(play, folder)
        yield begun


# What came of it


def off_after_the_last_lease(lines: list[Line], why: str) -> float:
    """The seconds of session time from the first on to the off for this reason."""
    on = next(line for line in lines if massager_on(line))
    off = next(line for line in lines if line["kind"] == "massager" and line["why"] == why)
    leases = [line["at"] for line in lines if massager_on(line) and line["at"] <= off["at"]]
    assert on["at"] <= leases[-1]
    return float(off["at"] - leases[-1])


@pytest.mark.parametrize("play", ["forward", "back"])
def test_a_clock_set_by_a_day_ends_the_lease_is_told_and_only_the_persons_word_goes_on(
    plays: dict[str, Future[Any]], play: str
) -> None:
    lines = plays[play].result()
    assert off_after_the_last_lease(lines, "clock_jumped") < RENEW_SECONDS
    told = [line["kind"] for line in lines if line.get("what") == "clock_jumped"]
    assert told == ["fault"]
    ons = [line["at"] for line in lines if massager_on(line)]
    word_at = [line["at"] for line in lines if line.get("intent") == "continue"][-1]
    off_at = next(line["at"] for line in lines if line.get("why") == "clock_jumped")
    assert not [at for at in ons if off_at < at < word_at]
    assert lines[-1]["level"] == 1


def test_no_setting_of_the_clock_makes_the_rest_after_a_broken_session_shorter_or_longer(
    plays: dict[str, Future[Any]],
) -> None:
    assert [line["text"].split()[-1] for line in plays["rest"].result()] == ["5.", "5."]


@pytest.mark.parametrize("play", ["full disk", "no room"])
def test_a_disk_that_takes_no_more_ends_the_lease_is_told_and_brings_nothing_back(
    plays: dict[str, Future[Any]], play: str
) -> None:
    lines, code, complaints = plays[play].result()
    assert off_after_the_last_lease(lines, "disk_full") < LEASE_SECONDS
    assert [line["kind"] for line in lines if line.get("what") == "disk_full"] == ["fault"]
    off_at = next(line["at"] for line in lines if line.get("why") == "disk_full")
    assert not [line for line in lines if massager_on(line) and line["at"] > off_at]
    assert (code, complaints) == (0, "")


def test_nobody_who_reads_the_events_any_more_ends_no_session(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(SETTINGS)
    with running(tmp_path, {}) as program:
        program.until(said("idle.ready"))
        assert program.child.stdout is not None
        program.child.stdout.close()
        program.type("start neck massage")
        with (tmp_path / "errors").open() as errors:
            while "no more is told" not in errors.read():
                assert program.child.poll() is None
        program.child.terminate()
        assert program.child.wait() == 0
    assert "Traceback" not in program.errors()


class Enough(Exception):
    """One turn of the loop was enough."""


def test_a_clock_that_was_set_switches_off_before_what_came_meanwhile_is_looked_at(
    in_massage: Rehearsal,
) -> None:
    def turned() -> None:
        raise Enough

    began = len(in_massage.lines)
    live = Live(in_massage.conductor, lambda: in_massage.now, turned, lambda: Fault(JUMPED))
    live.tell(Tick())
    with pytest.raises(Enough):
        asyncio.run(live.run())
    assert in_massage.lines[began]["why"] == JUMPED
    assert in_massage.session.state is State.PAUSED_FAULT
