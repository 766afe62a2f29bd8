"""The loop and the hand that carries out: off before anything else, and off on every way out."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from walking import walk

from assistant.build import make_rehearsal, make_session
from assistant.conductor import Conductor, Line
from assistant.live import Live
from assistant.massager.simulated import SimulatedMassager
from assistant.messages import Begin, Event, Tick
from assistant.rehearsal import Rehearsal
from assistant.settings import Settings
from assistant.state import State
from audio.errors import UnknotError
from audio.messages import Ear, Fault, Heard, Level, ToAudio
from intents.intent import Intent


class Broken(Exception):
    """Something that nobody foresaw."""


def live(rehearsal: Rehearsal, turned: Callable[[], None] = lambda: None) -> Live:
    """The loop around a rehearsed session, on the rehearsal's time."""
    return Live(rehearsal.conductor, lambda: rehearsal.now, turned)


def device_on(rehearsal: Rehearsal) -> bool:
    massager = rehearsal.massager
    assert isinstance(massager, SimulatedMassager)
    return massager.on


def stop(rehearsal: Rehearsal) -> Heard:
    return Heard(Level.CONFIRMED, Intent.STOP, "stop", Ear.ALARM, rehearsal.now)


# The loop


def test_ctrl_c_switches_off_before_it_does_anything_else(in_massage: Rehearsal) -> None:
    assert device_on(in_massage)
    before = len(in_massage.lines)
    live(in_massage).quit()
    assert not device_on(in_massage)
    told = [line for line in in_massage.lines[before:] if line["kind"] in ("massager", "end")]
    assert [(line["kind"], line["why"]) for line in told] == [
        ("massager", "stop"),
        ("end", "stopped"),
    ]


def test_a_second_ctrl_c_changes_nothing(in_massage: Rehearsal) -> None:
    loop = live(in_massage)
    loop.quit()
    before = list(in_massage.lines)
    loop.quit()
    assert in_massage.lines == before


def test_a_button_halts_before_all_that_waits_in_the_queue(in_massage: Rehearsal) -> None:
    loop = live(in_massage)
    loop.tell(Heard(Level.FINAL, Intent.STRONGER, "stronger", Ear.WORDS, in_massage.now))
    loop.interrupt()
    assert not device_on(in_massage)
    assert in_massage.session.state is State.HALTED


def test_an_error_that_nobody_foresaw_leaves_the_massager_off(in_massage: Rehearsal) -> None:
    def fails() -> None:
        raise Broken

    with pytest.raises(Broken):
        asyncio.run(live(in_massage, fails).run())
    assert not device_on(in_massage)
    assert in_massage.conductor.ended == "faulted"


@pytest.mark.parametrize("wish", [Live.interrupt, Live.quit])
def test_an_error_in_a_pressed_stop_ends_the_session(
    in_massage: Rehearsal, wish: Callable[[Live], None]
) -> None:
    def publish(line: Line) -> None:
        if line["kind"] == "heard":
            raise Broken

    conductor = Conductor(in_massage.session, in_massage.massager, lambda _: None, publish)
    with pytest.raises(Broken):
        wish(Live(conductor, lambda: in_massage.now))
    assert not device_on(in_massage)
    assert conductor.ended == "faulted"


def test_a_loop_that_is_cancelled_leaves_the_massager_off(in_massage: Rehearsal) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(live(in_massage).run())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not device_on(in_massage)


def test_the_loop_turns_and_says_so_also_while_nothing_happens(in_massage: Rehearsal) -> None:
    turns: list[bool] = []

    def turned() -> None:
        in_massage.now += 0.1
        turns.append(device_on(in_massage))
        if len(turns) == 3:
            loop.quit()

    loop = live(in_massage, turned)
    with contextlib.suppress(TimeoutError):
        asyncio.run(asyncio.wait_for(loop.run(), 5.0))
    assert turns[:3] == [True] * 3


def test_what_the_ears_tell_is_heeded_in_its_order(in_massage: Rehearsal) -> None:
    loop = live(in_massage, lambda: loop.quit())
    loop.tell(stop(in_massage))
    asyncio.run(loop.run())
    states = [line["to"] for line in in_massage.lines if line["kind"] == "state"]
    assert states[-1] == "halted"


# What is carried out


class Witness:
    """Takes what is sent, told and written down, and notes whether the device was still on."""

    def __init__(self, settings: Settings) -> None:
        self.massager = SimulatedMassager(lambda: 0.0)
        self.saw_it_on: list[bool] = []
        session = make_session(settings, self.massager.capabilities)
        self.conductor = Conductor(session, self.massager, self.send, self.tell, diary=self)
        self.conductor.handle(Begin("neck-massager"), 0.0)
        self.massager.lease(1, 10.0)
        self.saw_it_on.clear()

    def look(self) -> None:
        self.saw_it_on.append(self.massager.on)

    def send(self, command: ToAudio) -> None:
        self.look()

    def tell(self, line: Line) -> None:
        self.look()

    def begin(self, routine: str) -> None:
        self.look()

    def record(self, line: Line) -> None:
        self.look()


@pytest.mark.parametrize(
    "event",
    [
        Heard(Level.CONFIRMED, Intent.STOP, "stop", Ear.ALARM, 0.0),
        Heard(Level.FINAL, Intent.DIZZY, "dizzy", Ear.WORDS, 0.0),
        Fault("microphone_lost"),
    ],
)
def test_the_device_is_off_before_a_word_is_said_or_written_about_it(
    settings: Settings, event: Event
) -> None:
    witness = Witness(settings)
    witness.conductor.handle(event, 0.0)
    assert witness.saw_it_on
    assert not any(witness.saw_it_on)


class FullDisk:
    """A diary that nothing can be written into any more."""

    def __init__(self, *, full: bool = True, begins: bool = True) -> None:
        self.full, self.begins = full, begins

    def begin(self, routine: str) -> None:
        if not self.begins:
            raise UnknotError("the journal is locked", "wait")

    def record(self, line: Line) -> None:
        if self.full:
            raise UnknotError("no space left", "free some")


@pytest.mark.parametrize("diary", [FullDisk(), FullDisk(full=False, begins=False)])
def test_a_diary_that_fails_is_a_fault_told_once(settings: Settings, diary: FullDisk) -> None:
    lines: list[Line] = []
    massager = SimulatedMassager(lambda: 0.0)
    session = make_session(settings, massager.capabilities)
    conductor = Conductor(session, massager, lambda _: None, lines.append, diary=diary)
    conductor.handle(Begin("neck-massager"), 0.0)
    for _ in range(3):
        conductor.handle(Heard(Level.FINAL, Intent.NO, "no", Ear.WORDS, 0.0), 0.0)
    assert [line["what"] for line in lines if line["kind"] == "fault"] == ["disk_full"]


def test_whoever_ends_it_the_massager_is_off_and_the_end_is_told_once(
    in_massage: Rehearsal,
) -> None:
    assert device_on(in_massage)
    in_massage.conductor.end("faulted", in_massage.now)
    in_massage.conductor.end("stopped", in_massage.now)
    assert not device_on(in_massage)
    assert [line["why"] for line in in_massage.lines if line["kind"] == "end"] == ["faulted"]


def test_a_diary_that_fails_at_continue_brings_no_massager_on(settings: Settings) -> None:
    lines: list[Line] = []
    diary = FullDisk(full=False)
    rehearsal = make_rehearsal(settings)
    conductor = Conductor(
        rehearsal.session, rehearsal.massager, lambda _: None, lines.append, diary=diary
    )
    rehearsal.begin()
    walk(rehearsal, State.PAUSED)
    conductor.handle(Tick(), rehearsal.now)
    diary.full = True
    conductor.handle(Heard(Level.FINAL, Intent.CONTINUE, "", Ear.WORDS, 0.0), rehearsal.now)
    assert rehearsal.session.state is State.PAUSED_FAULT
    assert not device_on(rehearsal)
    assert not [line for line in lines if line["kind"] == "massager" and line["on"]]
