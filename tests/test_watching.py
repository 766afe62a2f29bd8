"""What a watcher sees and may do: the board from event lines, and a stop that only ever stops."""

import asyncio
import time
from typing import Any

import pytest
from watched_rehearsal import WatchedRehearsal

from assistant.board import Board, Microphone, halt_in
from assistant.page.words import STATES, told
from assistant.settings import Settings
from assistant.state import State
from assistant.watching import Watching
from audio.messages import Health
from intents.intent import Intent


def line(kind: str, at: float = 1.0, **fields: Any) -> dict[str, Any]:
    return {"at": at, "kind": kind, **fields}


def board(*lines: dict[str, Any]) -> Board:
    told_so_far = Board()
    for each in lines:
        told_so_far = told_so_far.after(each)
    return told_so_far


ON = line("massager", 10.0, on=True, level=2, lease=10.0, why="wanted")
OFF = line("massager", 12.0, on=False, level=0, lease=0.0, why="stop")


@pytest.fixture
def watched(settings: Settings) -> WatchedRehearsal:
    return WatchedRehearsal(settings)


# The board


def test_a_lease_that_nobody_renewed_is_an_off() -> None:
    running = board(ON)
    assert running.on
    assert not running.timed(20.1, 0.0, 0.0).on


def test_an_off_does_not_hide_how_long_a_deaf_device_may_run() -> None:
    stopped = board(ON, OFF)
    assert not stopped.on
    assert stopped.lease_left == 8.0
    assert told(stopped)["massager"] == "told to be off; off at the latest in 8 s"
    assert told(stopped.timed(20.0, 0.0, 0.0))["massager"] == "off"


def test_what_is_being_said_is_over_when_its_own_prompt_is() -> None:
    speaking = board(line("say", prompt="b", text="Breathe."))
    assert speaking.saying == "Breathe."
    assert speaking.after(line("say_end", prompt="a", text="")).saying == "Breathe."
    assert speaking.after(line("say_end", prompt="b", text="")).saying == ""
    assert speaking.after(line("hush", prompt="b", text="")).saying == ""


def test_a_fault_stands_until_the_massage_goes_on() -> None:
    broken = board(line("fault", what="device_silent"), line("state", to="paused.fault"))
    assert broken.fault == "device_silent"
    assert told(broken)["alarm"] == "Something went wrong: device silent."
    assert broken.after(line("state", to="massage.speaking")).fault == ""


@pytest.mark.parametrize(
    ("health", "age", "expected"),
    [
        (Health(0.0, 0.02, -50.0, 0), 0.3, Microphone.HEARS),
        (Health(0.0, 3.5, -50.0, 0), 0.3, Microphone.DEAF),
        (Health(0.0, 0.02, -50.0, 0, ears_answer=False), 0.3, Microphone.BEHIND),
        (Health(0.0, 0.02, -50.0, 0), 1.5, Microphone.DEAF),
    ],
)
def test_the_microphone_is_well_only_while_heartbeats_say_so(
    health: Health, age: float, expected: Microphone
) -> None:
    assert Board().microphone is Microphone.UNKNOWN
    assert Board().beaten(health, 5.0).timed(5.0 + age, 0.0, 0.0).microphone is expected


@pytest.mark.parametrize(
    ("state", "left"),
    [
        ("massage.doing", 60.0),
        ("paused", 60.0),
        ("halted", 60.0),
        ("halted.asking", 0.0),
        ("halted.emergency", 0.0),
        ("closing", 0.0),
    ],
)
def test_time_is_left_only_while_a_routine_may_go_on(state: str, left: float) -> None:
    in_part = board(line("step", index=1, of=3, name="a"), line("state", to=state))
    assert in_part.timed(2.0, 20.0, 40.0).left == left


def test_a_soreness_is_no_halt_and_a_fault_is_one() -> None:
    assert halt_in(line("advice", id="sore", tier="sore")) is None
    assert halt_in(line("state", to="halted")) is None
    halts = [line("advice", id="chest", tier="emergency"), line("fault", what="microphone_lost")]
    assert [halt.what for halt in map(halt_in, halts) if halt] == ["emergency", "fault"]


def test_every_state_has_words() -> None:
    assert set(STATES) == set(State)


def test_a_whole_session_ends_on_the_board(watched: WatchedRehearsal) -> None:
    watched.begin("neck-massager")
    assert watched.run_to_the_end()
    seen = watched.watching.board()
    assert seen.ended == "finished"
    assert (seen.rating_before, seen.rating_after) == (6, 3)
    assert seen.step == seen.steps > 1
    assert not seen.on
    assert told(seen)["state"] == "The session is over"


# A stop from outside only ever stops


def test_a_pressed_stop_is_no_proof_that_a_spoken_one_is_heard(watched: WatchedRehearsal) -> None:
    watched.begin()
    watched.say(Intent.START, topic="neck-massager")
    assert watched.run_until(State.HEARING_CHECK)
    watched.stop()
    assert watched.session.state is State.HALTED
    watched.run_for(600.0)
    assert [moment for moment in watched.device.history if moment.on] == []


def test_a_stop_pressed_just_after_the_hearing_check_stops(watched: WatchedRehearsal) -> None:
    watched.begin()
    watched.say(Intent.START, topic="neck-massager")
    assert watched.run_until(State.HEARING_CHECK)
    watched.say(Intent.STOP)
    assert watched.session.state is not State.HEARING_CHECK
    watched.stop()
    assert watched.session.state is State.HALTED


@pytest.mark.parametrize(
    "state",
    [
        State.SCREENING,
        State.HEARING_CHECK,
        State.RATING_BEFORE,
        State.PREPARING,
        State.SPEAKING,
        State.DOING,
        State.RATING_AFTER,
        State.CLOSING,
    ],
)
def test_a_pressed_stop_never_switches_on(watched: WatchedRehearsal, state: State) -> None:
    watched.begin()
    watched.say(Intent.START, topic="neck-massager")
    assert watched.run_until(state)
    before = len(watched.device.history)
    watched.stop()
    watched.run_for(5.0)
    watched.stop()
    watched.run_for(5.0)
    assert not any(moment.on for moment in watched.device.history[before:])


# Watching costs the session nothing


def test_a_listener_that_breaks_does_not_reach_the_session(
    watched: WatchedRehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(_: object) -> None:
        raise ValueError("a defect")

    watched.watching.listen(breaks)
    watched.in_massage()
    watched.stop()
    assert watched.session.state is State.HALTED
    assert "a defect" in capsys.readouterr().err


def test_a_change_while_nobody_waited_is_news_at_once() -> None:
    lines: list[dict[str, Any]] = []

    async def wait() -> float:
        watching = Watching(lambda: 1.0, lines.append)
        seen = await watching.news(-1, 5.0)
        watching.publish(line("fault", what="x"))
        watching.publish(line("fault", what="y"))
        began = time.monotonic()
        assert await watching.news(seen, 5.0) == seen + 2
        watching.close()
        await watching.news(seen + 3, 5.0)
        return time.monotonic() - began

    assert asyncio.run(wait()) < 1.0
