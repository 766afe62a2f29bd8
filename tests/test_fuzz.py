"""Broken bytes wherever bytes come in: one foreseeable error or none, and never a lease from them.

Each example is a real file or line with a few changes, so that it comes past the first check.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.build import make_rehearsal
from assistant.journal import Journal
from assistant.massager.device import read_devices
from assistant.massager.simulated import SimulatedMassager
from assistant.rehearsal import Rehearsal
from assistant.remembered import remembered
from assistant.room.scenario import read_scenario
from assistant.routine_check import check_routine_file
from assistant.settings import Settings, default_folder, load
from assistant.state import MASSAGE, State
from assistant.wall_clock import Moment
from audio.errors import UnknotError
from audio.messages import Ear, Fault, Health, Heard, Level, Recovered, SayBegan, SayEnded
from audio.wire import Garbage, encode, from_audio
from intents.intent import SAFETY, Intent

HERE = Path(__file__).parent
CONFIG = default_folder()
fuzzed = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SPITE = st.sampled_from(
    [
        b"",
        b"\0",
        b"\xff",
        b'"',
        b"]",
        b"[[x]]\n",
        b"= -1",
        b"true",
        b"1e999",
        b"9" * 40,
        b"{",
        b"\n",
    ]
)


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """The bytes with one to four places cut out, repeated, or replaced by something spiteful."""
    data = whole
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        put = draw(st.one_of(SPITE, st.binary(max_size=3), st.just(data[start:end] * 2)))
        data = data[:start] + put + data[end:]
    return data


# What the audio process says

NUMBER = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.sampled_from(["stop", "stopped", "", "\u2028", "x" * 200])
LINES = st.one_of(
    st.builds(
        Heard,
        st.sampled_from(Level),
        st.sampled_from(Intent) | st.none(),
        TEXT,
        st.sampled_from(Ear),
        NUMBER,
        st.integers() | st.none(),
        TEXT | st.none(),
    ),
    st.builds(SayBegan, TEXT, TEXT, NUMBER),
    st.builds(SayEnded, TEXT, NUMBER, st.booleans()),
    st.builds(Health, NUMBER, NUMBER, NUMBER, st.integers(), st.booleans(), st.booleans()),
    st.builds(Fault, TEXT),
    st.builds(Recovered, TEXT),
).map(lambda value: encode(value).encode())


def massaging(whole: Settings) -> Rehearsal:
    rehearsal = make_rehearsal(whole)
    rehearsal.begin("neck-massager")
    assert rehearsal.run_until(State.DOING)
    return rehearsal


def device(rehearsal: Rehearsal) -> SimulatedMassager:
    assert isinstance(rehearsal.massager, SimulatedMassager)
    return rehearsal.massager


@fuzzed
@given(st.lists(LINES.flatmap(lambda line: st.just(line) | broken(line)), max_size=12))
def test_no_line_of_the_audio_process_ends_the_session_or_keeps_a_lease_outside_a_massage(
    settings: Settings, lines: list[bytes]
) -> None:
    rehearsal = massaging(settings)
    for line in lines:
        told = from_audio(line)
        if not isinstance(told, Garbage):
            rehearsal.tell(told)
        assert not device(rehearsal).on or rehearsal.session.state in MASSAGE
    rehearsal.hears = False
    rehearsal.run_for(20.0)
    assert not device(rehearsal).on


@pytest.mark.parametrize("age", [-1e18, -3600.0])
def test_a_block_that_comes_out_of_the_future_is_no_reason_to_stay_on(
    settings: Settings, age: float
) -> None:
    rehearsal = massaging(settings)
    rehearsal.hears = False
    rehearsal.tell(Health(rehearsal.now, age, -50.0, 0))
    rehearsal.run_for(4.0)
    assert not device(rehearsal).on


@pytest.mark.parametrize("intent", sorted(SAFETY, key=lambda intent: intent.value))
def test_a_safety_word_about_something_unknown_halts_all_the_same(
    settings: Settings, intent: Intent
) -> None:
    rehearsal = massaging(settings)
    told = Heard(Level.CONFIRMED, intent, "", Ear.WORDS, rehearsal.now, None, "nonsense")
    rehearsal.tell(told)
    assert not device(rehearsal).on
    assert rehearsal.session.state not in MASSAGE


@pytest.mark.parametrize("intent", sorted(set(Intent) - SAFETY, key=lambda intent: intent.value))
@pytest.mark.parametrize("value", [None, 10**20, -1])
def test_a_word_about_something_unknown_is_answered_and_ends_nothing(
    settings: Settings, intent: Intent, value: int | None
) -> None:
    rehearsal = massaging(settings)
    heard = Heard(Level.FINAL, intent, "", Ear.WORDS, rehearsal.now, value, "nonsense")
    rehearsal.tell(heard)
    rehearsal.run_for(5.0)
    assert rehearsal.conductor.ended is None


# Files

Reading = Callable[[Path], object]


def sources() -> list[str]:
    return ["article"]


READERS: dict[str, tuple[Path, Reading]] = {
    "scenario": (HERE / "scenarios" / "stop_while_doing.toml", read_scenario),
    "routine": (
        CONFIG / "routines" / "neck-massager.toml",
        lambda path: check_routine_file(path, sources()),
    ),
    "breathing": (
        CONFIG / "routines" / "paced-breathing.toml",
        lambda path: check_routine_file(path, sources()),
    ),
    "remembered": (HERE / "fuzz" / "remembered.toml", remembered),
    "massagers": (HERE / "fuzz" / "massagers.toml", read_devices),
}


@pytest.mark.parametrize("kind", READERS)
@fuzzed
@given(data=st.data())
def test_a_broken_file_is_a_foreseeable_error_or_none(
    tmp_path: Path, data: st.DataObject, kind: str
) -> None:
    whole, reading = READERS[kind]
    path = tmp_path / whole.name
    path.write_bytes(data.draw(broken(whole.read_bytes())))
    survives(reading, path)


@pytest.mark.parametrize(
    "name", ["settings", "prompts", "phrases", "advice", "faq", "sources", "models"]
)
@settings(fuzzed, max_examples=4)
@given(data=st.data())
def test_a_broken_config_file_is_a_foreseeable_error_or_none(
    tmp_path: Path, data: st.DataObject, name: str
) -> None:
    for file in CONFIG.rglob("*.toml"):
        copy = tmp_path / file.relative_to(CONFIG)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    path = tmp_path / f"{name}.toml"
    path.write_bytes(data.draw(broken(path.read_bytes())))
    survives(load, tmp_path)


@pytest.fixture(scope="module")
def journal_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite3"
    with Journal(path) as journal:
        for routine in ("neck-massager", "hands-on"):
            session = journal.begin(routine, Moment(1_790_000_000.0))
            for index in range(40):
                journal.record(session, "step", float(index), index=index, name="a", of=40)
            journal.record(session, "rating", 41.0, when="before", value=6)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


@fuzzed
@given(data=st.data())
def test_a_broken_journal_is_a_foreseeable_error_or_none(
    tmp_path: Path, journal_bytes: bytes, data: st.DataObject
) -> None:
    path = tmp_path / "journal.sqlite3"
    for remains in tmp_path.iterdir():
        remains.unlink()
    path.write_bytes(data.draw(broken(journal_bytes)))
    survives(_live_with, path)


@pytest.mark.parametrize("damage", [b'"index": x', b'["index": 0', b'"indox": 0'])
def test_a_damaged_row_of_the_journal_is_a_foreseeable_error_or_none(
    tmp_path: Path, journal_bytes: bytes, damage: bytes
) -> None:
    path = tmp_path / "journal.sqlite3"
    whole = b'"index": 0'
    assert whole in journal_bytes
    path.write_bytes(journal_bytes.replace(whole, damage[: len(whole)]))
    survives(_live_with, path)


def _live_with(path: Path) -> None:
    """Everything that a start of the program asks of its journal."""
    with Journal(path) as journal:
        journal.damage()
        journal.close_unfinished(Moment(1_790_000_100.0))
        journal.since_unclean_end(Moment(1_790_000_100.0))
        journal.sessions()
        list(journal.export())


def survives(reading: Reading, path: Path) -> None:
    """Read it; an error that a person can do something about is as good as none."""
    with contextlib.suppress(UnknotError):
        reading(path)
