"""How each fault of real sound is struck and mended, in a room of a sound server of our own.

It must never judge what comes of it, nor touch another sound server.
"""

import contextlib
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from massage import Massage
from sound_server import Room, SoundServer

from audio.sound import RATE, write

NOTHING = "nothing"
"""A sink into which nobody plays: its monitor is a microphone that hears nothing at all."""
HISS, LOUD = "hiss.wav", "loud.wav"
LONGEST_SECONDS = 1200


def plug_nothing(server: SoundServer) -> None:
    """A device that hears nothing, for whoever listens to its monitor."""
    server.control(
        "load-module", "module-null-sink", f"sink_name={NOTHING}", "rate=48000", "channels=1"
    )


def write_sounds(folder: Path) -> None:
    """What is played: the hiss of a room, and a noise that only clips."""
    noise = np.tile(np.random.default_rng(0).normal(0.0, 1.0, 10 * RATE), LONGEST_SECONDS // 10)
    for name, level in ((HISS, 12.0), (LOUD, 90_000.0)):
        sound = np.clip(np.rint(noise * level), -32_768, 32_767)
        write(folder / name, sound.astype(np.int16))


@dataclass
class Place:
    """One room and the session in it."""

    room: Room
    massage: Massage
    sounds: "list[subprocess.Popen[bytes]]"

    def hiss(self) -> None:
        """No room is perfectly silent; what played before ends with its device."""
        self.sounds = [sound for sound in self.sounds if sound.poll() is None]
        self.sounds.append(self.room.speak(self.server.folder / HISS))

    @property
    def server(self) -> SoundServer:
        """The sound server that the room is of."""
        return self.room.server

    def stream_of(self, source: str) -> str:
        """The number of the stream that records from this source, and is not ours."""
        for line in self.server.control("list", "short", "sources").splitlines():
            number, name, *_ = line.split("\t")
            if name == source:
                streams = self.server.control("list", "short", "source-outputs").splitlines()
                rows = (line.split("\t") for line in streams)
                return str(next(stream for stream, source, *_ in rows if source == number))
        raise LookupError(source)


Strike = Callable[[Place], Awaitable[Callable[[], None]]]
"""Breaks something, and returns what mends it."""


async def unplugged(place: Place) -> Callable[[], None]:
    """The microphone is unplugged; it is plugged in again under another number."""
    room = place.room
    room.unplug(room.air)

    def mend() -> None:
        room.plug(room.air)
        place.hiss()

    return mend


async def muted(place: Place) -> Callable[[], None]:
    """The microphone is muted: perfect silence."""
    source = place.room.microphone
    place.server.control("set-source-mute", source, "1")
    return lambda: _control(place, "set-source-mute", source, "0")


async def wrong_device(place: Place) -> Callable[[], None]:
    """The microphone is replaced by a wrong device, which hears nothing."""
    stream = place.stream_of(place.room.microphone)
    place.server.control("move-source-output", stream, f"{NOTHING}.monitor")
    return lambda: _control(place, "move-source-output", stream, place.room.microphone)


async def clipped(place: Place) -> Callable[[], None]:
    """The microphone is turned up so far that it only clips."""
    playing = place.room.speak(place.server.folder / LOUD)
    place.sounds.append(playing)
    return lambda: playing.kill()


async def loudspeaker_lost(place: Place) -> Callable[[], None]:
    """The loudspeaker is unplugged; it is plugged in again under another number."""
    room = place.room
    room.unplug(room.speaker)
    return lambda: room.plug(room.speaker)


def _control(place: Place, *words: str) -> None:
    with contextlib.suppress(subprocess.CalledProcessError):
        place.server.control(*words)


@dataclass(frozen=True)
class Fault:
    """What is done, and what it has to be called."""

    name: str
    strike: Strike
    told: tuple[str, ...]
    """Any of these; which one depends on what the sound server makes of it."""


FAULTS = (
    Fault("unplugged", unplugged, ("microphone_lost",)),
    Fault("muted", muted, ("microphone_muted",)),
    Fault("wrong-device", wrong_device, ("microphone_muted", "microphone_lost")),
    Fault("clipped", clipped, ("microphone_clipped",)),
    Fault("loudspeaker", loudspeaker_lost, ("loudspeaker_lost",)),
)
