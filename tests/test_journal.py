"""The journal keeps what it acknowledged, and nothing that a person said."""

import resource
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from async_tests import in_loop, runner  # noqa: F401, runner is a fixture
from chromium import Browser
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.diary import JournalDiary
from assistant.journal import LONGEST_SILENCE_SECONDS, Journal, JournalError, JournalUnreadableError
from assistant.journal_chart import CHANCE_POINTS, MEANINGFUL_POINTS, draw
from assistant.journal_export import csv_lines, write_private
from assistant.session_record import SessionRecord
from assistant.settings import load
from assistant.wall_clock import Moment
from audio.errors import UnknotError

NOON = 1_800_000_000.0
BEGAN = Moment(NOON, "one start of the machine", 50.0)
MARK = "please never write this down"

WRITER = """
import sys
from pathlib import Path
from assistant.diary import JournalDiary
from assistant.journal import Journal
from assistant.wall_clock import Moment
with Journal(Path(sys.argv[1])) as journal:
    session = journal.begin("hands-on", Moment(1_800_000_000.0))
    print("begun", session, flush=True)
    for n in range(1_000_000):
        journal.record(session, "step", float(n), index=n, name="warm up", of=9)
        print("kept", n, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    with Journal(file) as kept:
        yield kept


def whole_session(journal: Journal, routine: str = "hands-on", why: str = "finished") -> int:
    session = journal.begin(routine, BEGAN)
    journal.record(session, "rating", 20.0, when="before", value=7)
    journal.record(session, "step", 30.0, index=1, name="warm up", of=2)
    journal.record(session, "advice", 200.0, id="sore", tier="sore")
    journal.record(session, "fault", 210.0, what="microphone_lost")
    journal.record(session, "rating", 300.0, when="after", value=4)
    journal.end(session, why, 310.0)
    return session


def fill(journal: Journal, session: int) -> None:
    for n in range(1000):
        journal.record(session, "step", 400.0, index=n, name="x" * 1000, of=9)


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


@contextmanager
def a_full_disk(allowed_bytes: int) -> Iterator[None]:
    """No file may grow beyond `allowed_bytes`, as if the disk ended there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (allowed_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_session_is_told_from_its_events(journal: Journal) -> None:
    session = whole_session(journal)
    assert journal.session(session) == SessionRecord(
        id=session,
        routine="hands-on",
        began=BEGAN,
        seconds=310.0,
        why="finished",
        before=7,
        after=4,
        steps=("warm up",),
        advice=("sore",),
        faults=("microphone_lost",),
    )


def test_the_export_has_the_shape_of_event_lines(journal: Journal) -> None:
    session = whole_session(journal)
    lines = list(journal.export())
    assert [line["kind"] for line in lines] == [
        "begin",
        "rating",
        "step",
        "advice",
        "fault",
        "rating",
        "end",
    ]
    assert lines[2] == {
        "session": session,
        "at": 30.0,
        "kind": "step",
        "index": 1,
        "name": "warm up",
        "of": 2,
    }
    assert list(journal.export(session)) == lines


def test_csv_has_one_line_a_session(journal: Journal) -> None:
    whole_session(journal, 'a "b", c')
    head, line = csv_lines(journal.sessions())
    assert head == "id,started,routine,minutes,before,after,why,steps,advice"
    assert line == '1,2027-01-15T08:00:00+00:00,"a ""b"", c",5.2,7,4,finished,1,sore'


@pytest.mark.parametrize(
    "kind", ["person", "heard", "say", "say_end", "hush", "state", "unheard-of"]
)
def test_no_word_that_was_said_is_written(journal: Journal, file: Path, kind: str) -> None:
    session = journal.begin("hands-on", BEGAN)
    fields = {"text": MARK, "prompt": MARK, "level": "final", "intent": "stop", "ear": "words"}
    journal.record(session, kind, 1.0, **fields, start=0.0, end=1.0)
    journal.end(session, "stopped", 2.0)
    assert MARK.encode() not in all_bytes(file.parent)


@settings(max_examples=25)
@given(fields=st.dictionaries(st.text().map(lambda name: f"x{name}"), st.text(min_size=1)))
def test_a_field_that_nobody_named_is_not_kept(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, str]
) -> None:
    with Journal(tmp_path_factory.mktemp("journal") / "journal.sqlite3") as journal:
        session = journal.begin("hands-on", BEGAN)
        journal.record(session, "fault", 1.0, what="microphone_lost", **fields)
        *_, line = journal.export(session)
    assert line == {"session": session, "at": 1.0, "kind": "fault", "what": "microphone_lost"}


def test_other_peoples_talk_leaves_no_trace(journal: Journal) -> None:
    session = journal.begin("hands-on", BEGAN)
    journal.record(session, "heard", 1.0, level="voice", intent=None, text="", ear="words")
    journal.record(session, "heard", 2.0, level="suspect", intent="stop", text="top", ear="alarm")
    journal.record(session, "heard", 3.0, level="final", intent=None, text="the news", ear="words")
    journal.record(session, "heard", 4.0, level="final", intent="pause", text="pause", ear="words")
    assert [line["at"] for line in journal.export(session)][1:] == [4.0]


def test_a_lease_is_told_once_and_its_renewals_are_not(journal: Journal) -> None:
    session = journal.begin("neck-massager", BEGAN)
    for at, why in ((60.0, "wanted"), (64.0, "renewed"), (68.0, "renewed")):
        journal.record(session, "massager", at, on=True, level=1, lease=10.0, why=why)
    assert [line["at"] for line in journal.export(session)] == [0.0, 60.0]


def test_the_diary_of_a_session_is_what_the_export_tells(journal: Journal) -> None:
    lines = [
        {"at": 1.5, "kind": "state", "from": "choosing", "to": "screening"},
        {"at": 2.0, "kind": "massager", "on": False, "level": 0, "lease": 0.0, "why": "halt"},
        {"at": 9.0, "kind": "end", "why": "stopped"},
    ]
    diary = JournalDiary(journal, clock=lambda: BEGAN)
    diary.record({"at": 0.0, "kind": "state", "from": "idle", "to": "choosing"})
    diary.begin("hands-on")
    for line in lines:
        diary.record(line)
    begin, *told = journal.export()
    assert begin["started"] == "2027-01-15T08:00:00+00:00"
    assert told == [{"session": 1, **line} for line in lines]


def test_files_are_for_their_owner_only(journal: Journal, file: Path) -> None:
    whole_session(journal)
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert {part.stat().st_mode & 0o777 for part in file.parent.iterdir()} == {0o600}


def test_a_rating_outside_the_scale_is_refused(journal: Journal) -> None:
    session = journal.begin("hands-on", BEGAN)
    with pytest.raises(JournalError):
        journal.record(session, "rating", 1.0, when="before", value=11)
    assert journal.session(session).before is None


def test_forgetting_wipes_the_bytes_and_leaves_the_others(journal: Journal, file: Path) -> None:
    kept, gone = whole_session(journal, "roll-out"), whole_session(journal, "secret-routine")
    assert b"secret-routine" in all_bytes(file.parent)
    journal.forget(gone)
    assert [session.id for session in journal.sessions()] == [kept]
    assert b"secret-routine" not in all_bytes(file.parent)


def test_forgetting_everything_leaves_an_empty_journal(journal: Journal, file: Path) -> None:
    whole_session(journal, "secret-routine")
    journal.forget()
    assert journal.sessions() == []
    assert b"secret-routine" not in all_bytes(file.parent)


def test_forgetting_says_when_a_reader_kept_old_pages(journal: Journal, file: Path) -> None:
    whole_session(journal)
    reader = sqlite3.connect(file)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM session").fetchone()
    with pytest.raises(JournalError, match="forget again"):
        journal.forget()
    reader.close()
    journal.forget()


def test_an_unknown_session_is_an_error_with_a_remedy(journal: Journal) -> None:
    with pytest.raises(JournalError, match=r"no session 7 .*unknot journal list"):
        journal.session(7)
    with pytest.raises(JournalError, match="no session 7"):
        journal.forget(7)


def test_an_event_of_a_forgotten_session_is_an_error_and_no_crash(journal: Journal) -> None:
    session = whole_session(journal)
    journal.forget()
    with pytest.raises(JournalError, match="forgotten"):
        journal.record(session, "fault", 400.0, what="microphone_lost")


def test_a_session_without_an_end_is_unfinished(journal: Journal) -> None:
    whole_session(journal)
    cut = journal.begin("roll-out", BEGAN)
    assert [session.id for session in journal.unfinished()] == [cut]


def later(seconds: float, *, clock_set_by: float = 0.0, restarted: bool = False) -> Moment:
    """So many seconds after the session began."""
    boot, uptime = ("another start", 9.0) if restarted else (BEGAN.boot, BEGAN.uptime + seconds)
    return Moment(NOON + seconds + clock_set_by, boot, uptime)


@pytest.mark.parametrize("day", [0.0, 86_400.0, -86_400.0])
@pytest.mark.parametrize(
    ("found_after", "ended_after"),
    [(60.0, 60.0), (LONGEST_SILENCE_SECONDS + 40.0, LONGEST_SILENCE_SECONDS + 30.0)],
)
def test_a_lost_session_ended_as_late_as_it_can_have(
    journal: Journal, found_after: float, ended_after: float, day: float
) -> None:
    """Also where somebody set the clock meanwhile: the neck rests no shorter and no longer."""
    session = journal.begin("neck-massager", BEGAN)
    journal.record(session, "step", 30.0, index=1, name="warm up", of=2)
    now = later(found_after, clock_set_by=day)
    assert [lost.id for lost in journal.close_unfinished(now)] == [session]
    assert journal.session(session).why == "lost"
    assert journal.session(session).seconds == ended_after
    assert journal.since_unclean_end(now) == found_after - ended_after
    assert journal.since_unclean_end(later(1e4, clock_set_by=day)) == 1e4 - ended_after
    assert journal.close_unfinished(later(found_after + 60.0)) == []


@pytest.mark.parametrize("clock_set_by", [0.0, -86_400.0, 2.6e7])
def test_across_a_start_of_the_machine_only_the_time_since_it_counts_as_rest(
    journal: Journal, clock_set_by: float
) -> None:
    """A Pi has no clock while it is off, and may have had a wrong one before."""
    session = journal.begin("neck-massager", BEGAN)
    journal.record(session, "step", 30.0, index=1, name="warm up", of=2)
    now = later(130.0, clock_set_by=clock_set_by, restarted=True)
    journal.close_unfinished(now)
    assert journal.since_unclean_end(now) == now.uptime
    journal.rested()
    assert journal.since_unclean_end(now) is None


def test_forgetting_a_session_that_broke_does_not_end_the_rest_after_it(journal: Journal) -> None:
    journal.begin("neck-massager", BEGAN)
    journal.close_unfinished(later(60.0))
    journal.forget()
    assert journal.sessions() == []
    assert journal.since_unclean_end(later(100.0)) == 40.0


def test_a_session_that_goes_on_cannot_be_forgotten_from_elsewhere(
    journal: Journal, file: Path
) -> None:
    session = journal.begin("neck-massager", BEGAN)
    with Journal(file) as other:
        for number in (None, session):
            with pytest.raises(JournalError, match="goes on and needs its journal"):
                other.forget(number)
    journal.record(session, "massager", 20.0, on=True, why="renewed")
    journal.forget(session)


def test_a_renewal_of_a_forgotten_session_is_an_error(journal: Journal) -> None:
    session = journal.begin("neck-massager", BEGAN)
    journal.forget()
    with pytest.raises(JournalError, match="forgotten"):
        journal.record(session, "massager", 20.0, on=True, why="renewed")


def test_a_clean_end_asks_for_no_rest(journal: Journal) -> None:
    whole_session(journal)
    assert journal.close_unfinished(later(400.0)) == []
    assert journal.since_unclean_end(later(400.0)) is None


def test_a_session_of_a_live_process_is_not_lost(file: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        session = int(writer.stdout.readline().split()[1])
        with Journal(file) as journal:
            assert [one.id for one in journal.unfinished()] == [session]
            assert journal.close_unfinished(later(60.0)) == []
            writer.kill()
            writer.wait()
            assert [one.id for one in journal.close_unfinished(later(60.0))] == [session]


def test_thirty_kills_lose_nothing_that_was_acknowledged(file: Path) -> None:
    for kill in range(30):
        command = [sys.executable, "-c", WRITER, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            session = int(writer.stdout.readline().split()[1])
            for _ in range(kill):
                writer.stdout.readline()
            writer.kill()
            rest = writer.stdout.read()
        acknowledged = kill + sum(line.endswith("\n") for line in rest.splitlines(keepends=True))
        with Journal(file) as journal:
            assert len(journal.session(session).steps) >= acknowledged
            assert journal.damage() is None
            assert len(journal.unfinished()) == kill + 1


def test_a_newer_journal_is_left_as_it_is(file: Path) -> None:
    with Journal(file) as journal:
        whole_session(journal)
    with sqlite3.connect(file) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    before, names = file.read_bytes(), sorted(file.parent.iterdir())
    with pytest.raises(JournalUnreadableError, match=r"newer unknot .*update unknot") as caught:
        Journal(file)
    assert caught.value.exit_code == 3
    assert file.read_bytes() == before
    assert sorted(file.parent.iterdir()) == names


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 40, b"x"])
def test_a_file_that_is_no_journal_is_left_as_it_is(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(JournalUnreadableError, match="move the file away"):
        Journal(file)
    assert file.read_bytes() == content


def test_a_foreign_database_is_left_as_it_is(file: Path) -> None:
    file.parent.mkdir()
    with sqlite3.connect(file) as foreign:
        foreign.execute("CREATE TABLE recipes (name)")
    foreign.close()
    before = file.read_bytes()
    with pytest.raises(JournalUnreadableError, match="not a journal of unknot"):
        Journal(file)
    assert file.read_bytes() == before


def test_a_full_disk_is_one_line_and_loses_nothing(journal: Journal, file: Path) -> None:
    session = whole_session(journal)
    before = journal.session(session)
    with a_full_disk(2**14), pytest.raises(JournalError, match=file.name) as caught:
        fill(journal, session)
    assert "\n" not in str(caught.value)
    assert journal.damage() is None
    steps = journal.session(session).steps
    assert steps[: len(before.steps)] == before.steps
    journal.record(session, "fault", 500.0, what="disk_full")
    assert journal.session(session).faults == ("microphone_lost", "disk_full")


def test_a_disk_that_is_full_from_the_start_is_one_line(file: Path) -> None:
    with a_full_disk(0), pytest.raises(JournalError, match=file.name):
        Journal(file)
    with Journal(file) as journal:
        whole_session(journal)


def test_an_export_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("older")
    with a_full_disk(100), pytest.raises(UnknotError, match=r"out\.jsonl"):
        write_private(target, "x" * 1000)
    assert target.read_text() == "older"
    assert list(tmp_path.iterdir()) == [target]
    write_private(target, "newer")
    assert target.read_text() == "newer"
    assert target.stat().st_mode & 0o777 == 0o600


def elements(picture: str) -> list[ET.Element]:
    return list(ET.fromstring(picture).iter())  # noqa: S314 (our own text)


def shapes(picture: str, kind: str) -> list[ET.Element]:
    return [element for element in elements(picture) if element.get("class") == kind]


def titles(picture: str) -> list[str]:
    """The picture's own title, then one a row."""
    return [element.text or "" for element in elements(picture) if element.tag.endswith("title")]


def record(number: int, before: int | None, after: int | None, **fields: object) -> SessionRecord:
    usual = {"routine": "hands-on", "began": Moment(NOON + number), "why": "finished", "advice": ()}
    known: dict[str, object] = usual | fields
    return SessionRecord(
        id=number,
        seconds=300.0,
        before=before,
        after=after,
        steps=(),
        faults=(),
        **known,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (7, 6, "small"),
        (7, 5, "clear"),
        (3, 5, "clear"),
        (7, 4, "sure"),
        (0, 10, "sure"),
        (4, 4, None),
        (4, None, None),
    ],
)
def test_a_change_is_drawn_as_no_more_than_it_says(
    before: int, after: int | None, kind: str | None
) -> None:
    """Two points matter, and under three can be chance (docs/facts.md S16)."""
    drawn = [
        each
        for each in ("small", "clear", "sure")
        if len(shapes(draw([record(1, before, after)]), each)) > len(shapes(draw([]), each))
    ]
    assert drawn == ([kind] if kind else [])


def test_the_chart_and_the_voice_say_the_same_about_chance() -> None:
    config = load(personal=False)
    words = {1: "one", 2: "two", 3: "three", 4: "four"}
    spoken = " ".join(config.script.line("rating_after.lower", before=7, after=5))
    assert f"under {words[CHANCE_POINTS]} points can be chance" in spoken
    shown = " ".join(element.text or "" for element in elements(draw([])))
    assert f"{CHANCE_POINTS} or more: less can be chance" in shown
    assert f"{MEANINGFUL_POINTS} points: the least that matters" in shown
    assert config.sources["pain_scale"].url.removeprefix("https://") in shown


def test_the_chart_names_routine_early_end_and_advice() -> None:
    picture = draw([record(1, 7, None, routine="<roll&out>", why="halted", advice=("dizzy",))])
    assert titles(picture)[1].endswith("<roll&out> · halted · advice: dizzy")


def test_a_week_has_one_heading_and_its_sessions_below_it() -> None:
    week = 7 * 24 * 3600
    picture = draw([record(n, 7, 3, began=Moment(NOON + n)) for n in (0, 60, week, 3 * week)])
    headings = [element.text for element in shapes(picture, "week")]
    assert headings == ["Week of 2027-02-01", "Week of 2027-01-18", "Week of 2027-01-11"]


def test_an_early_end_and_advice_are_marked_in_the_row() -> None:
    sessions = [record(1, 7, None, why="halted", advice=("dizzy",)), record(2, 7, 5)]
    (mark,) = shapes(draw(sessions), "mark")
    assert mark.text == " ■ halted ▲ dizzy"


@in_loop
async def test_the_chart_is_readable_on_a_phone(tmp_path: Path) -> None:
    """As wide as the screen, no text beyond its edge, as tall as there are sessions."""
    long = {
        "routine": "a-routine-of-their-own-with-a-name",
        "why": "unanswered",
        "advice": ("x" * 9,),
    }
    file = tmp_path / "chart.svg"
    file.write_text(draw([record(n, 7, 3, **(long if n % 2 else {})) for n in range(30)]))
    async with Browser(tmp_path / "profile") as browser:
        page = await browser.open(file.as_uri())
        wide, tall = await page.ask("[innerWidth, innerHeight]")
        box = "document.documentElement.getBoundingClientRect()"
        assert await page.ask(f"{box}.width / innerWidth") > 0.95
        assert await page.ask(f"{box}.height") > 1.5 * tall
        right = "Math.max(...[...document.querySelectorAll('text')].map(t => BOX.right))"
        assert await page.ask(right.replace("BOX", "t.getBoundingClientRect()")) <= wide
        assert page.errors == []


def test_the_newest_session_comes_first_and_every_one_has_a_row() -> None:
    picture = draw([record(n, 7, 3, routine=f"r{n}") for n in range(40)])
    assert [title.split()[-1] for title in titles(picture)[1:]] == [
        f"r{n}" for n in range(39, -1, -1)
    ]
