"""Keeps microphone and loudspeaker open: opened again when lost, plugged, or the server restarts.

It must never be waited for by whoever hears: PortAudio can hang in any call, so that all of them
are made in one thread of its own, and `stuck_seconds` tells.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from audio.loudspeaker import Loudspeaker, silence
from audio.microphone import Microphone
from audio.sound import Samples
from audio.soundcard import DeviceError, SoundProblem, open_stream, portaudio, refresh

NONE = "none"
"""A loudspeaker of this name is no loudspeaker."""

LOST_SECONDS = 1.0
"""Without a block for so long the streams are opened again."""

FIRST_SECONDS = 5.0
"""Streams may take so long to get going: 2.2 s on PulseAudio, more on a busy machine."""

BACK_OFF = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between attempts, the last one for good."""

SETTLED_SECONDS = 10.0
"""Streams that lasted so long begin the pauses anew."""

LOOK_SECONDS = 0.1

_log = logging.getLogger(__name__)


class Devices:
    """Both streams; `names` as in `open_stream`, the loudspeaker may be "none"."""

    def __init__(
        self, microphone: str, loudspeaker: str, fill: Callable[[int], Samples] = silence
    ) -> None:
        self.microphone = Microphone()
        self.loudspeaker = Loudspeaker(fill)
        self.problems: dict[str, DeviceError] = {}
        """What could not be opened, by "microphone" and "loudspeaker"."""
        self.openings = 0
        """How often the streams were opened: a change means a gap in the sound."""
        self._names = {"microphone": microphone, "loudspeaker": loudspeaker}
        self._streams: dict[str, Any] = {}
        self._opened_at = 0.0
        self._call_began: float | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep_open, name="devices", daemon=True)

    @property
    def speaks(self) -> bool:
        """There is meant to be a loudspeaker."""
        return self._names["loudspeaker"] != NONE

    @property
    def stuck_seconds(self) -> float:
        """How long PortAudio has not come back from a call; 0 when it is not in one."""
        began = self._call_began
        return 0.0 if began is None else time.monotonic() - began

    def start(self) -> None:
        """Open the streams and keep them open, in a thread. Returns at once."""
        self._thread.start()

    def close(self, seconds: float = 2.0) -> None:
        """Close the streams; gives up after this time when PortAudio hangs."""
        self._closing.set()
        self._thread.join(seconds)

    def wait_until_both_work(self, seconds: float) -> list[SoundProblem]:
        """What is wrong: nothing as soon as both work, all when none of the silent ones could be
        opened, else what still gives no sign after so many seconds."""
        until = time.monotonic() + seconds
        silent = self._silent()
        while time.monotonic() < until and any(name not in self.problems for name in silent):
            self._closing.wait(LOOK_SECONDS)
            silent = self._silent()
        return [self._problem(name, seconds) for name in silent]

    def _silent(self) -> list[str]:
        return [name for name, end in self._ends().items() if not end.blocks]

    def _problem(self, name: str, seconds: float) -> SoundProblem:
        error = self.problems.get(name)
        if error is not None:
            return SoundProblem(error.message, error.remedy)
        return SoundProblem(f"the {name} gave no sign in {seconds:.0f} s", f"check the {name}")

    def _ends(self) -> dict[str, Microphone | Loudspeaker]:
        ends: dict[str, Microphone | Loudspeaker] = {"microphone": self.microphone}
        return ends | ({"loudspeaker": self.loudspeaker} if self.speaks else {})

    # The thread

    def _keep_open(self) -> None:
        self._guarded(self._open)
        pauses = _pauses()
        while not self._closing.wait(LOOK_SECONDS):
            if not self._is_lost():
                continue
            if time.monotonic() - self._opened_at > SETTLED_SECONDS:
                pauses = _pauses()
            self._guarded(self._close)
            if self._closing.wait(next(pauses)):
                return
            self._guarded(self._reopen)
        self._guarded(self._close)

    def _guarded(self, call: Callable[[], None]) -> None:
        self._call_began = time.monotonic()
        try:
            call()
        finally:
            self._call_began = None

    def _is_lost(self) -> bool:
        return any(self._has_lost(name, end) for name, end in self._ends().items())

    def _has_lost(self, name: str, end: Microphone | Loudspeaker) -> bool:
        stream = self._streams.get(name)
        if stream is None or not stream.active:
            return True
        # A sound server takes the first blocks at once, and then none for two seconds.
        silent_since = max(end.latest, self._opened_at + FIRST_SECONDS - LOST_SECONDS)
        return time.monotonic() - silent_since > LOST_SECONDS

    def _reopen(self) -> None:
        refresh()
        self._open()

    def _open(self) -> None:
        self._opened_at = time.monotonic()
        for name, end in self._ends().items():
            try:
                self._streams[name] = _started(name, self._names[name], end)
            except DeviceError as error:
                self.problems[name] = error
                _log.warning("%s", error)
            else:
                self.problems.pop(name, None)
        self.openings += 1

    def _close(self) -> None:
        for stream in self._streams.values():
            with suppress(portaudio().PortAudioError):
                stream.abort()
            with suppress(portaudio().PortAudioError):
                stream.close()
        self._streams.clear()


def _started(name: str, device: str, end: Microphone | Loudspeaker) -> Any:
    stream, rate = open_stream(name, device, end.callback)
    try:
        stream.start()
    except portaudio().PortAudioError as error:
        stream.close()
        raise DeviceError(f"the {name} does not start: {error}", f"check the {name}") from error
    _log.info("%s open at %d Hz", name, rate)
    return stream


def _pauses() -> Iterator[float]:
    yield from BACK_OFF
    while True:
        yield BACK_OFF[-1]
