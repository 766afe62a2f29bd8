"""PortAudio, imported only when it is wanted, and what can be said of it before a session.

It must never be needed by what neither plays nor hears: a machine without it runs the rest.
"""

from dataclasses import dataclass
from typing import Any

from audio.errors import AudioMissing
from audio.sound import RATE

RATES = (RATE, 48_000, 44_100)
"""Rates to try, ours first: many USB microphones refuse it (docs/facts.md A3)."""

LIBRARY_REMEDY = "sudo apt-get install libportaudio2"


class DeviceError(AudioMissing):
    """A microphone or loudspeaker that is not there or cannot be opened."""


@dataclass(frozen=True)
class SoundProblem:
    """What stands in the way of a live session, and the one thing to do about it."""

    what: str
    remedy: str


def portaudio() -> Any:
    """The sounddevice module. Raises `AudioMissing` where there is no PortAudio."""
    try:
        import sounddevice
    except OSError as error:
        raise AudioMissing("PortAudio is missing, so nothing is heard", LIBRARY_REMEDY) from error
    return sounddevice


def refresh() -> None:
    """See devices plugged in since the start; every stream must be closed."""
    library = portaudio()
    # The list is frozen otherwise: python-sounddevice #125 and #382.
    library._terminate()  # noqa: SLF001
    library._initialize()  # noqa: SLF001


def open_stream(name: str, device: str, callback: Any) -> tuple[Any, int]:
    """Open, without starting it, a "microphone" or "loudspeaker" in blocks of 20 ms.

    `device` is a number, a part of a name, or "" for the usual one. Returns the stream and its
    rate. Raises `DeviceError`.
    """
    library = portaudio()
    kind = library.RawInputStream if name == "microphone" else library.RawOutputStream
    reason = ""
    for rate in RATES:
        try:
            stream = kind(
                samplerate=rate,
                blocksize=rate // 50,
                channels=1,
                dtype="int16",
                latency="low",
                device=int(device) if device.isdigit() else device or None,
                callback=callback(rate),
            )
        except (library.PortAudioError, ValueError) as error:
            reason = reason or str(error).splitlines()[0]
        else:
            return stream, rate
    called = f" {device!r}" if device else ""
    raise DeviceError(f"no {name}{called}: {reason}", f"plug in a {name}, or name another one")


def sound_check(
    microphone: str = "", loudspeaker: str = "", seconds: float = 3.0
) -> list[SoundProblem]:
    """Open both for a moment: every problem, or none when a block came and one was taken."""
    from audio.devices import Devices

    try:
        portaudio()
    except AudioMissing as error:
        return [SoundProblem(error.message, error.remedy)]
    devices = Devices(microphone, loudspeaker)
    try:
        devices.start()
        return devices.wait_until_both_work(seconds)
    finally:
        devices.close()
