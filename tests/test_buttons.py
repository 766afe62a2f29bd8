"""A person's physical stop: any key of a real terminal, and a button at a (mock) pin."""

import asyncio
import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from async_tests import holds, in_loop, runner, until

from assistant.buttons import own_terminal, physical_stop
from assistant.live import Live
from assistant.massager.simulated import SimulatedMassager
from assistant.rehearsal import Rehearsal
from assistant.service import this_program
from assistant.state import State
from audio.errors import UnknotError

gpiozero = pytest.importorskip("gpiozero", reason="an extra: pip install 'unknot[button]'")
from gpiozero.pins.mock import MockFactory, MockPin  # noqa: E402

__all__ = ["runner"]
PIN = 17
NO_PIN = 0


class Stops:
    """Counts the stops, and the threads that they came in, and passes them on."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.threads: list[threading.Thread] = []
        self._then = then

    def __call__(self) -> None:
        self.threads.append(threading.current_thread())
        self._then()


class Terminal:
    """Both ends of a terminal: the person's, and the program's."""

    def __init__(self) -> None:
        self.keys, self.program = pty.openpty()

    def press(self, key: bytes) -> None:
        os.write(self.keys, key)

    @property
    def attributes(self) -> list[object]:
        return termios.tcgetattr(self.program)

    def hang_up(self) -> None:
        os.close(self.keys)
        self.keys = -1

    def close(self) -> None:
        for end in (self.keys, self.program):
            if end >= 0:
                os.close(end)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    opened.close()


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """gpiozero's own mock pins in the place of a Raspberry Pi's."""
    before = gpiozero.Device.pin_factory
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.close()
    gpiozero.Device.pin_factory = before


class HeldPin(MockPin):  # type: ignore[misc]
    """A pin whose button is held down: stronger than what pulls the pin up."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.drive_low()


def device_on(rehearsal: Rehearsal) -> bool:
    assert isinstance(rehearsal.massager, SimulatedMassager)
    return rehearsal.massager.on


def is_halted(rehearsal: Rehearsal) -> bool:
    return rehearsal.session.state is State.HALTED and not device_on(rehearsal)


# Any key


@pytest.mark.parametrize(
    "key", [b" ", b"\r", b"x", b"\x1b[A", b"\x04", b"\x13", b"\x1a", b"\x1c", b"\xff", b"\0"]
)
@in_loop
async def test_any_key_stops_also_those_that_would_hold_a_program(
    terminal: Terminal, key: bytes
) -> None:
    stops = Stops()
    with physical_stop(stops, NO_PIN, terminal.program):
        terminal.press(key)
        await until(lambda: stops.threads)
    assert stops.threads == [threading.current_thread()]


@in_loop
async def test_a_key_halts_a_massage(in_massage: Rehearsal, terminal: Terminal) -> None:
    live = Live(in_massage.conductor, lambda: in_massage.now)
    assert device_on(in_massage)
    with physical_stop(live.interrupt, NO_PIN, terminal.program):
        terminal.press(b" ")
        await until(lambda: in_massage.session.state is State.HALTED)
    assert not device_on(in_massage)


@in_loop
async def test_a_key_that_is_held_down_stays_one_halt(
    in_massage: Rehearsal, terminal: Terminal
) -> None:
    stops = Stops(Live(in_massage.conductor, lambda: in_massage.now).interrupt)
    with physical_stop(stops, NO_PIN, terminal.program):
        for count in range(1, 6):
            terminal.press(b" ")
            await until(lambda wanted=count: len(stops.threads) == wanted)
    assert is_halted(in_massage)


@in_loop
async def test_the_terminal_is_afterwards_as_it_was(terminal: Terminal) -> None:
    before = terminal.attributes
    with physical_stop(Stops(), NO_PIN, terminal.program):
        assert terminal.attributes != before
    assert terminal.attributes == before
    with pytest.raises(ZeroDivisionError), physical_stop(Stops(), NO_PIN, terminal.program):
        raise ZeroDivisionError
    assert terminal.attributes == before


@in_loop
async def test_ctrl_c_stays_a_signal(terminal: Terminal) -> None:
    with physical_stop(Stops(), NO_PIN, terminal.program):
        local, characters = terminal.attributes[3], terminal.attributes[6]
        assert isinstance(local, int)
        assert isinstance(characters, list)
        assert local & termios.ISIG
        assert characters[termios.VINTR] == b"\x03"


@in_loop
async def test_no_key_of_before_stops_and_none_is_left_for_the_shell(terminal: Terminal) -> None:
    stops = Stops()
    terminal.press(b"typed ahead\n")
    with physical_stop(stops, NO_PIN, terminal.program):
        assert await holds(lambda: not stops.threads, 0.1)
        terminal.press(b"rm\n")
    os.set_blocking(terminal.program, False)
    with pytest.raises(BlockingIOError):
        os.read(terminal.program, 10)


@in_loop
async def test_a_terminal_that_goes_away_halts_once(terminal: Terminal) -> None:
    stops = Stops()
    with physical_stop(stops, NO_PIN, terminal.program):
        terminal.hang_up()
        await until(lambda: stops.threads)
        assert await holds(lambda: len(stops.threads) == 1, 0.1)


def test_only_a_terminal_has_keys(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert own_terminal() is None
    monkeypatch.setattr(sys, "stdin", None)
    assert own_terminal() is None
    with os.fdopen(os.dup(terminal.program)) as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        assert own_terminal() == typed.fileno()


# A button


@in_loop
async def test_a_button_halts_a_massage_in_the_thread_of_the_loop(
    in_massage: Rehearsal, pins: MockFactory
) -> None:
    stops = Stops(Live(in_massage.conductor, lambda: in_massage.now).interrupt)
    with physical_stop(stops, PIN, None):
        assert device_on(in_massage)
        await asyncio.to_thread(pins.pin(PIN).drive_low)
        await until(lambda: stops.threads)
    assert stops.threads == [threading.current_thread()]
    assert is_halted(in_massage)


@in_loop
async def test_a_pin_is_free_afterwards(pins: MockFactory) -> None:
    for _ in range(2):
        with physical_stop(Stops(), PIN, None):
            pass


@in_loop
async def test_a_button_that_is_pressed_from_the_start_is_refused(pins: MockFactory) -> None:
    pins.pin_class = HeldPin
    with pytest.raises(UnknotError, match="pin 17 is pressed all the time"):
        physical_stop(Stops(), PIN, None).__enter__()


@in_loop
async def test_a_pin_that_is_taken_is_one_line(pins: MockFactory) -> None:
    with gpiozero.LED(PIN), pytest.raises(UnknotError, match="pin 17 cannot be opened") as error:
        physical_stop(Stops(), PIN, None).__enter__()
    assert "set [button] pin = 0" in error.value.remedy


@in_loop
async def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(UnknotError, match=r"pip install 'unknot\[button\]'"):
        physical_stop(Stops(), PIN, None).__enter__()


# The whole program


def test_a_session_does_not_begin_without_the_button_that_was_set(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[button]\npin = 17\n")
    names = ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CACHE_DIRECTORY")
    ran = subprocess.run(
        [this_program(), "run", "--microphone", "keyboard"],
        env={
            **os.environ,
            **dict.fromkeys(names, str(tmp_path)),
            "GPIOZERO_PIN_FACTORY": "none-such",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert "the button at pin 17 cannot be opened" in line
    assert "set [button] pin = 0" in line


def test_a_key_halts_the_whole_program_and_ctrl_c_ends_it(
    tmp_path: Path, terminal: Terminal
) -> None:
    """As a service, so that it waits for a microphone that is not there."""
    names = ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CACHE_DIRECTORY")
    before = terminal.attributes
    program = [this_program(), "run", "--microphone", "none-such", "--loudspeaker", "none"]
    with subprocess.Popen(
        # A session of its own whose terminal this is, so that its Ctrl-C reaches the program.
        ["setsid", "--ctty", *program, "--events", "-"],
        env={
            **os.environ,
            **dict.fromkeys(names, str(tmp_path)),
            "NOTIFY_SOCKET": str(tmp_path / "nobody"),
        },
        stdin=terminal.program,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        watch = threading.Timer(60, child.kill)
        watch.start()
        asyncio.run(until(lambda: terminal.attributes != before, 30.0))
        terminal.press(b"\x1a")
        halted = next(line for line in child.stdout if '"button"' in line)
        terminal.press(b"\x03")
        rest = child.stdout.read()
        watch.cancel()
    assert '"stop"' in halted
    assert '"kind": "end", "why": "stopped"' in rest
    assert child.returncode == 0
    assert terminal.attributes == before
