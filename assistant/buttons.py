"""A person's physical stop in a live session: any key of the terminal, or a button at a GPIO pin.

It must never do more than halt, never queue a stop behind anything, and never leave a terminal
other than it was.
"""

import asyncio
import os
import sys
import termios
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from audio.errors import UnknotError

MOST_BYTES = 1024
LOCAL_FLAGS = 3
INPUT_FLAGS = 0
CHARACTERS = 6
"""Where termios has them in its list of attributes."""


@contextmanager
def physical_stop(stop: Callable[[], None], pin: int, terminal: int | None) -> Iterator[None]:
    """Have any key of `terminal` (a descriptor) and a button at `pin` (BCM number) call `stop`.

    It is called in the thread of the running loop. A pin of 0 and a terminal of None are none.
    Raises `UnknotError` when the pin cannot be opened.
    """
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        if pin:
            stack.enter_context(_button(pin, partial(loop.call_soon_threadsafe, stop)))
        if terminal is not None:
            stack.enter_context(_any_key(loop, terminal, stop))
        yield


def own_terminal() -> int | None:
    """The descriptor of stdin when it is a terminal and its keys are ours; else None."""
    if sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty():
        return None
    terminal = sys.stdin.fileno()
    try:
        ours = os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        ours = True
    # A program in the background that touched the terminal would be stopped by the kernel.
    return terminal if ours else None


@contextmanager
def _any_key(
    loop: asyncio.AbstractEventLoop, terminal: int, stop: Callable[[], None]
) -> Iterator[None]:
    """Call `stop` for whatever is typed; Ctrl-C stays a signal. The terminal is put back."""

    def typed() -> None:
        if not _read(terminal):
            # The terminal is gone, and its keys with it: halt, and look no more.
            loop.remove_reader(terminal)
        stop()

    before = termios.tcgetattr(terminal)
    try:
        _listen_for_keys(terminal)
        loop.add_reader(terminal, typed)
        yield
    finally:
        loop.remove_reader(terminal)
        with suppress(termios.error):
            # Keys that were meant as a stop must not become a command of the shell.
            termios.tcflush(terminal, termios.TCIFLUSH)
            termios.tcsetattr(terminal, termios.TCSANOW, before)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, MOST_BYTES)
    except OSError:
        return b""


def _listen_for_keys(terminal: int) -> None:
    """Each key at once and unseen (cbreak), and keys that would hold the program are keys, too.

    Ctrl-S would block the loop at its next line, Ctrl-Z and Ctrl-backslash end it without an off.
    """
    mode = termios.tcgetattr(terminal)
    mode[INPUT_FLAGS] &= ~termios.IXON
    mode[LOCAL_FLAGS] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    none = bytes([os.fpathconf(terminal, "PC_VDISABLE") & 0xFF])
    characters = {termios.VMIN: 1, termios.VTIME: 0, termios.VSUSP: none, termios.VQUIT: none}
    for place, value in characters.items():
        mode[CHARACTERS][place] = value
    termios.tcflush(terminal, termios.TCIFLUSH)
    termios.tcsetattr(terminal, termios.TCSANOW, mode)


@contextmanager
def _button(pin: int, pressed: Callable[[], object]) -> Iterator[None]:
    """Call `pressed`, in a thread of gpiozero's, when the pin is connected to ground."""
    try:
        from gpiozero import Button
    except ModuleNotFoundError as error:
        raise UnknotError(f"a button needs {error.name}", "pip install 'unknot[button]'") from None
    try:
        with warnings.catch_warnings():
            # Each pin library that is not there is a warning; that none is there is the error.
            warnings.simplefilter("ignore")
            button = Button(pin)
    except Exception as error:  # each pin library has errors of its own
        raise UnknotError(
            f"the button at pin {pin} cannot be opened: {error}",
            "on a Raspberry Pi install lgpio and join the group gpio; or set [button] pin = 0",
        ) from None
    with button:
        if button.is_pressed:
            raise UnknotError(
                f"the button at pin {pin} is pressed all the time, so it cannot stop anything",
                "let it go, and connect it between the pin and ground; or set [button] pin = 0",
            )
        button.when_pressed = pressed
        yield
