"""Tells systemd that the program is ready and that its loop turns (sd_notify(3)).

It must be fed by the loop that renews the massager's lease and by nothing else, and never wait.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable

BEAT_SECONDS = 1.0
"""A fifth of the unit's WatchdogSec."""


def notify(state: str) -> None:
    """Send `state` where $NOTIFY_SOCKET leads; without it, or when nobody takes it, do nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as service,
    ):
        service.sendto(state.encode(), address.replace("@", "\0", 1))


class Watchdog:
    """`turned` is for `Live`: the first turn says that the program is ready."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_at: float | None = None

    def turned(self) -> None:
        """The loop has turned once more."""
        now = self._clock()
        if self._next_at is None:
            notify("READY=1")
        if self._next_at is None or now >= self._next_at:
            self._next_at = now + BEAT_SECONDS
            notify("WATCHDOG=1")
