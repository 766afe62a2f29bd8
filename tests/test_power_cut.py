"""The power goes in the middle of a massage: nothing is lost, nothing comes on by itself."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typed_program import Line, Program, said

from assistant.journal import Journal
from assistant.session_record import LOST

SETTINGS = """
[session]
screening = false
talk = "brief"
"""


def massager_on(line: Line) -> bool:
    return line["kind"] == "massager" and bool(line["on"])


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a session that was in its second step, massager on, when the power went."""
    folder = tmp_path_factory.mktemp("cut")
    (folder / "settings.toml").write_text(SETTINGS)
    program = Program(folder)
    try:
        program.until(said("idle.ready"))
        program.type("start neck massage")
        program.until(massager_on)
        program.type("next")
        program.until(lambda line: line["kind"] == "step" and line["index"] == 2)
        program.until(lambda line: line["kind"] == "say")  # what came before it is on the disk
    finally:
        program.kill()
    return folder


@pytest.fixture
def after(cut: Path, tmp_path: Path) -> Iterator[Callable[[float], Program]]:
    """Starts the program again so many seconds later, with what was left on the disk."""
    started: list[Program] = []

    def start(seconds: float) -> Program:
        for file in cut.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        with sqlite3.connect(tmp_path / "journal.sqlite3") as journal:
            journal.execute(
                "UPDATE session SET started = started - ?1, uptime = uptime - ?1", (seconds,)
            )
        started.append(Program(tmp_path))
        return started[-1]

    yield start
    for program in started:
        program.kill()


def test_the_journal_is_whole_and_knows_what_was_cut_short(cut: Path) -> None:
    with Journal(cut / "journal.sqlite3") as journal:
        assert journal.damage() is None
        (session,) = journal.unfinished()
        assert session.routine == "neck-massager"
        assert session.before == 6
        assert len(session.steps) == 2
        assert [line["on"] for line in journal.export() if line["kind"] == "massager"][-1] is True


def test_without_a_journal_the_massager_rests_after_it_too_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    (tmp_path / "settings.toml").write_text(f"{SETTINGS}[journal]\nkeep = false\n")
    broken = Program(tmp_path)
    try:
        broken.until(said("idle.ready"))
        broken.type("start neck massage")
        broken.until(massager_on)
    finally:
        broken.kill()
    again = Program(tmp_path)
    try:
        again.until(said("idle.ready"))
        again.type("start neck massage")
        again.until(said("rest.wait"))
        again.end()
    finally:
        again.kill()
    with Journal(tmp_path / "under-way.sqlite3") as under_way:
        assert under_way.sessions() == []
    assert not (tmp_path / "journal.sqlite3").exists()


def test_at_once_after_it_the_massager_rests_and_the_person_is_told(
    after: Callable[[float], Program], tmp_path: Path
) -> None:
    program = after(0.0)
    program.until(said("ended.unclean"))
    program.type("yes")
    line = program.until(lambda line: said("rest.wait")(line) or line.get("to") == "hearing_check")
    assert line["kind"] == "say"
    program.type("finish")
    program.end()
    assert not [line for line in program.lines if massager_on(line)]
    with Journal(tmp_path / "journal.sqlite3") as journal:
        assert [session.why for session in journal.sessions()] == [LOST]


def test_after_the_rest_the_person_goes_on_with_the_same_step(
    after: Callable[[float], Program],
) -> None:
    program = after(7200.0)
    program.until(said("ended.unclean"))
    assert not [line for line in program.lines if massager_on(line)]
    program.type("yes")
    step = program.until(lambda line: line["kind"] == "step")
    assert step["index"] == 2
    assert "hearing_check" in [line["to"] for line in program.lines if line["kind"] == "state"]
    assert program.until(massager_on)["level"] == 1


def test_a_person_who_would_rather_not_begins_anew(after: Callable[[float], Program]) -> None:
    program = after(7200.0)
    program.until(said("ended.unclean"))
    program.type("no")
    program.until(said("ended.declined"))
    program.type("start neck massage")
    assert program.until(lambda line: line["kind"] == "step")["index"] == 1
