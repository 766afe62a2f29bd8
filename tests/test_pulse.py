"""Real PortAudio streams through a sound server of our own: two rooms without a sound card.

What is played into the sink "room" is what the microphone hears; what the loudspeaker plays goes
into the sink "speaker", whose monitor we record. Few tests, generous limits: time is real here.
"""

import asyncio
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from listener import Listener

from assistant.ear import COMMAND, Patience
from audio.errors import AudioMissing
from audio.messages import (
    Fault,
    FromAudio,
    Heard,
    HushCommand,
    Level,
    Ready,
    Recovered,
    SayBegan,
    SpeakCommand,
)
from audio.sound import BLOCK, RATE, Samples
from audio.soundcard import portaudio

LOST = "microphone_lost"
ROOMS = ("speaker", "room")
PROGRAMS = ("pulseaudio", "pactl", "paplay", "parec")
PACKAGES = "apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
CLIPS = Path(__file__).parent / "clips"
HUSHES = 3
QUIET = 100
"""Samples below this are silence."""


Measured = Callable[[str, object], None]
"""Keeps a figure for bench/real_sound.py."""


class SoundServer:
    """A PulseAudio of our own with two null sinks; stopped and started at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        sinks = [f"module-null-sink sink_name={name} rate=48000 channels=1" for name in ROOMS]
        modules = [f"--load={module}" for module in ("module-native-protocol-unix", *sinks)]
        log = f"--log-target=file:{self.folder}/log"
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", log, *modules]
        self._server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        answers, until = False, time.monotonic() + 20.0
        while not answers and time.monotonic() < until:
            asked = subprocess.run(["pactl", "info"], capture_output=True)
            answers = asked.returncode == 0
        assert answers, "PulseAudio did not start"

    def stop(self) -> None:
        """As if the cable was pulled."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None
        (self.folder / "pulse" / "pid").unlink(missing_ok=True)

    def speak(self, clip: Path) -> subprocess.Popen[bytes]:
        """Somebody speaks in the room."""
        return subprocess.Popen(["paplay", "--device=room", str(clip)])


class Recorder:
    """Records what the loudspeaker plays, as it comes; `length` is the samples so far."""

    def __init__(self) -> None:
        format_ = ["--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=20"]
        command = ["parec", "--device=speaker.monitor", *format_]
        self._program = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._sound = bytearray()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    @property
    def length(self) -> int:
        return len(self._sound) // 2

    def stop(self) -> Samples:
        self._program.terminate()
        self._thread.join()
        self._program.wait()
        return np.frombuffer(bytes(self._sound[: self.length * 2]), np.int16)

    def _read(self) -> None:
        assert self._program.stdout is not None
        while data := self._program.stdout.read1(4 * BLOCK):
            self._sound += data
        self._program.stdout.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    _need_sound_server()
    for name in ("XDG_RUNTIME_DIR", "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PULSE_RUNTIME_PATH", str(tmp_path / "pulse"))
    monkeypatch.setenv("PULSE_SINK", "speaker")
    monkeypatch.setenv("PULSE_SOURCE", "room.monitor")
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    tmp_path.chmod(0o700)
    server = SoundServer(tmp_path)
    server.start()
    yield server
    server.stop()


def _need_sound_server() -> None:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    try:
        portaudio()
    except AudioMissing:
        missing.append("PortAudio")
    if missing and os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)} missing: {PACKAGES}")
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: {PACKAGES}")


def listener(server: SoundServer) -> Listener:
    devices = ["--microphone=pulse", "--loudspeaker=pulse", f"--cache={server.folder}/voice"]
    return Listener((*COMMAND, "--live", "--engine=sphinx", *devices), Patience(silence=3.0))


def is_ready(message: FromAudio) -> bool:
    return isinstance(message, Ready)


def is_speaking(message: FromAudio) -> bool:
    return isinstance(message, SayBegan)


def is_a_stop(message: FromAudio) -> bool:
    return isinstance(message, Heard) and message.level in (Level.SUSPECT, Level.CONFIRMED)


def test_a_person_in_the_room_is_heard_saying_stop(
    server: SoundServer, record_property: Measured
) -> None:
    async def check() -> Listener:
        ears, began = listener(server), time.monotonic()
        async with ears.listening():
            await ears.until(is_ready)
            record_property("listening_after_the_start", round(time.monotonic() - began, 1))
            voice = server.speak(CLIPS / "person1_stop.flac")
            await ears.until(is_a_stop)
            await asyncio.to_thread(voice.wait)
        return ears

    ears = asyncio.run(check())
    assert {m.level for m in ears.told if isinstance(m, Heard)} & {Level.SUSPECT, Level.CONFIRMED}
    assert ears.faults() == []


def test_a_hush_is_silence_at_the_loudspeaker(
    server: SoundServer, record_property: Measured
) -> None:
    sentence = "Let your shoulders sink, and breathe out slowly, as long as it feels good to you."

    async def check() -> tuple[list[int], Samples]:
        ears, hushed_at = listener(server), []
        async with ears.listening():
            await ears.until(is_ready)
            recorder = Recorder()
            for _ in range(HUSHES):
                ears.process.send(SpeakCommand("long", (sentence,) * 4, 0.0))
                await ears.until(is_speaking)
                await ears.until(lambda message: getattr(message, "at", 0.0) > said_at(ears) + 2.0)
                hushed_at.append(recorder.length)
                ears.process.send(HushCommand())
                await ears.until(lambda _: recorder.length > hushed_at[-1] + RATE)
            return hushed_at, recorder.stop()

    hushed_at, sound = asyncio.run(check())
    spans = [np.flatnonzero(np.abs(sound[at : at + RATE]) > QUIET) for at in hushed_at]
    seconds = max(span[-1] / RATE if len(span) else 0.0 for span in spans)
    record_property("silent_after_a_hush", round(seconds, 3))
    assert all(np.abs(sound[at - RATE : at]).max() > QUIET for at in hushed_at)
    assert seconds < 0.5, f"silent only after {seconds:.2f} s"


def said_at(ears: Listener) -> float:
    return [message.at for message in ears.told if isinstance(message, SayBegan)][-1]


def test_a_sound_server_that_dies_is_a_fault_and_its_return_is_noticed(
    server: SoundServer, record_property: Measured
) -> None:
    async def check() -> float:
        ears = listener(server)
        async with ears.listening():
            await ears.until(is_ready)
            server.stop()
            stopped_at = time.monotonic()
            await ears.until(lambda message: message == Fault(LOST, detail(message)))
            noticed_after = time.monotonic() - stopped_at
            await asyncio.to_thread(server.start)
            await ears.until(lambda message: message == Recovered(LOST), 60.0)
            voice = server.speak(CLIPS / "person1_stop.flac")
            await ears.until(lambda message: isinstance(message, Heard))
            await asyncio.to_thread(voice.wait)
        return noticed_after

    seconds = asyncio.run(check())
    record_property("lost_microphone_noticed_after", round(seconds, 2))
    assert seconds < 3.5


def detail(message: FromAudio) -> str:
    return message.detail if isinstance(message, Fault) else ""


def test_the_sound_check_finds_nothing_wrong_here_and_everything_without_a_server(
    server: SoundServer,
) -> None:
    # In a process of its own: PortAudio reads the list of devices once.
    program = "from audio.soundcard import sound_check; print(*sound_check(seconds=8), sep='\\n')"
    command = [*COMMAND[:1], "-c", program]
    working = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert working.stdout.strip() == ""
    server.stop()
    broken = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "plug in a microphone" in broken.stdout
    assert "plug in a loudspeaker" in broken.stdout
