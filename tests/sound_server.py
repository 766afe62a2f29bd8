"""A PulseAudio of our own: rooms without a sound card, whose devices come and go at will.

It must never touch the sound server of whoever runs the tests.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
import pytest

from audio.errors import AudioMissing
from audio.sound import BLOCK, RATE, Samples, write
from audio.soundcard import portaudio

PROGRAMS = ("pulseaudio", "pactl", "paplay", "parec")
PACKAGES = "apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
START_SECONDS = 20.0
PROTOCOLS = ("module-native-protocol-unix", "module-cli-protocol-unix")
ROOM_RATE = 48_000
HISS, HISS_SECONDS = 12.0, 240
"""A quiet room, -69 dB against full scale, for so long."""


def need_sound_server() -> None:
    """Skip without one, but fail where CI is set."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    try:
        portaudio()
    except AudioMissing:
        missing.append("PortAudio")
    if missing and os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)} missing: {PACKAGES}")
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: {PACKAGES}")


class SoundServer:
    """A PulseAudio with so many rooms; stopped and started at will."""

    def __init__(self, folder: Path, rooms: int = 1) -> None:
        folder.chmod(0o700)
        self.folder = folder
        self.rooms = [Room(self, str(number)) for number in range(rooms)]
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For a program that is to find this server."""
        home = dict.fromkeys(("XDG_RUNTIME_DIR", "HOME", "XDG_CONFIG_HOME"), str(self.folder))
        socket = f"unix:{self.folder}/pulse/native"
        return home | {"PULSE_RUNTIME_PATH": f"{self.folder}/pulse", "PULSE_SERVER": socket}

    def start(self) -> None:
        """Start it, with all its devices, and wait until it answers."""
        sinks = [room.module(sink) for room in self.rooms for sink in room.sinks]
        modules = [f"--load={module}" for module in (*PROTOCOLS, *sinks)]
        log = f"--log-target=file:{self.folder}/log"
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", log, *modules]
        home = {**os.environ, **self.environment}
        home.pop("PULSE_SERVER")
        self._server = subprocess.Popen(command, env=home, stderr=subprocess.DEVNULL)
        answers, until = False, time.monotonic() + START_SECONDS
        while not answers and time.monotonic() < until:
            asked = subprocess.run(["pactl", "info"], env=self._clients, capture_output=True)
            answers = asked.returncode == 0
        assert answers, "PulseAudio did not start"

    def stop(self) -> None:
        """As if the cable was pulled."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None
        (self.folder / "pulse" / "pid").unlink(missing_ok=True)

    def control(self, *words: str) -> str:
        """Have it do something at once; what it answers."""
        asked = subprocess.run(
            ["pactl", *words], env=self._clients, capture_output=True, text=True, check=True
        )
        return asked.stdout.strip()

    def kill(self, kind: str, stream: str) -> None:
        """End a "sink-input" or "source-output" as when its only device is gone."""
        home = {name: value for name, value in self._clients.items() if name != "PULSE_SERVER"}
        subprocess.run(["pacmd", f"kill-{kind}", stream], env=home, capture_output=True, check=True)

    def play(self, clip: Path, sink: str) -> "subprocess.Popen[bytes]":
        """Play a recording into a sink."""
        return subprocess.Popen(["paplay", f"--device={sink}", str(clip)], env=self._clients)

    def record(self, source: str) -> "Recorder":
        """Record from a source."""
        return Recorder(source, self._clients)

    @property
    def _clients(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


@dataclass(frozen=True)
class Room:
    """A microphone and a loudspeaker of their own; `number` tells them from those of others.

    What is played into the sink `air` is what the microphone hears; what the loudspeaker plays
    goes into `speaker`.
    """

    server: SoundServer
    number: str

    @property
    def air(self) -> str:
        return f"air{self.number}"

    @property
    def speaker(self) -> str:
        return f"speaker{self.number}"

    @property
    def sinks(self) -> tuple[str, str]:
        return self.air, self.speaker

    @property
    def microphone(self) -> str:
        return f"{self.air}.monitor"

    @property
    def ear(self) -> str:
        """Where one hears what the loudspeaker plays."""
        return f"{self.speaker}.monitor"

    @property
    def environment(self) -> dict[str, str]:
        """For a program that is to hear and speak here."""
        devices = {"PULSE_SINK": self.speaker, "PULSE_SOURCE": self.microphone}
        return self.server.environment | devices

    def module(self, sink: str) -> str:
        return f"module-null-sink sink_name={sink} rate={ROOM_RATE} channels=1"

    def unplug(self, sink: str) -> None:
        """The device is gone, and no other one takes its place: who used it is told so."""
        for kind, device, streams in (
            ("sinks", sink, "sink-inputs"),
            ("sources", f"{sink}.monitor", "source-outputs"),
        ):
            number = self._rows(kind, 1)[device][0]
            for stream, (*_, used) in self._rows(streams, 0).items():
                if used == number:
                    self.server.kill(streams.removesuffix("s"), stream)
        self.server.control("unload-module", self._module(sink))

    def _module(self, sink: str) -> str:
        modules = self.server.control("list", "short", "modules").splitlines()
        return next(line.split()[0] for line in modules if f"sink_name={sink} " in line)

    def _rows(self, kind: str, key: int) -> dict[str, list[str]]:
        """Numbers of devices, or streams with the device that they use, by column `key`."""
        rows = [
            line.split("\t") for line in self.server.control("list", "short", kind).splitlines()
        ]
        return {row[key]: row[:2] for row in rows}

    def plug(self, sink: str) -> None:
        """The device is there again, under another number."""
        self.server.control("load-module", *self.module(sink).split())

    def speak(self, clip: Path) -> "subprocess.Popen[bytes]":
        """Somebody speaks in the room."""
        return self.server.play(clip, self.air)

    @contextmanager
    def hissing(self, folder: Path) -> Iterator[None]:
        """No room is perfectly silent; a program that hears such a one looks for a mute switch."""
        clip = folder / "hiss.wav"
        noise = np.random.default_rng(0).normal(0.0, HISS, HISS_SECONDS * RATE)
        write(clip, np.rint(noise).astype(np.int16))
        playing = self.speak(clip)
        try:
            yield
        finally:
            playing.terminate()
            playing.wait()

    def hear(self, source: str, level_db: float) -> None:
        """From now on the microphone hears this too, as what the loudspeaker plays: an echo."""
        module = self.server.control(
            *("load-module", "module-loopback", f"source={source}", f"sink={self.air}"),
            *("latency_msec=20", "source_dont_move=true", "sink_dont_move=true"),
        )
        number = ""
        for line in self.server.control("list", "sink-inputs").splitlines():
            number = line.split("#")[1] if line.startswith("Sink Input #") else number
            if line.strip() == f"Owner Module: {module}":
                self.server.control("set-sink-input-volume", number, f"{level_db:+g}dB")


class Recorder:
    """Records what a source gives, as it comes; `length` is the samples so far."""

    def __init__(self, source: str, environment: dict[str, str]) -> None:
        format_ = ["--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=20"]
        command = ["parec", f"--device={source}", *format_]
        self._program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        self._sound = bytearray()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    @property
    def length(self) -> int:
        return len(self._sound) // 2

    @property
    def sound(self) -> Samples:
        """Everything so far."""
        return np.frombuffer(bytes(self._sound[: self.length * 2]), np.int16)

    def stop(self) -> Samples:
        self._program.terminate()
        self._thread.join()
        self._program.wait()
        return self.sound

    def _read(self) -> None:
        assert isinstance(self._program.stdout, BufferedReader)
        while data := self._program.stdout.read1(4 * BLOCK):
            self._sound += data
        self._program.stdout.close()
