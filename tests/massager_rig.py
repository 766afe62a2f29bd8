"""Starts what a massager needs around it: a real broker, plugs and sessions, a network.

It must never use a port, a file or a process that it did not make itself.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiomqtt
import pytest
from async_tests import at_once, holds, in_loop, now, runner, until
from rig_network import Network, free_port, make_certificates, run
from set_clock import SetClock

__all__ = [
    "PASSWORD",
    "TOPICS",
    "USER",
    "Broker",
    "Network",
    "Plug",
    "Process",
    "Scene",
    "at_once",
    "forgotten",
    "free_port",
    "holds",
    "in_loop",
    "make_certificates",
    "now",
    "publish",
    "retained",
    "runner",
    "until",
    "write_devices",
]
USER, PASSWORD = "unknot", "not a secret: made for these tests"
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
HERE = Path(__file__).parent
TOPICS = {
    "esphome": "massager",
    "tasmota": "massager",
    "shelly": "shellyplus1-a8032abe54dc",
    "zigbee2mqtt": "zigbee2mqtt/massager",
}


def mosquitto() -> str:
    """Where the broker's program is; skips without one, but fails where CI is set."""
    path = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        reason = "no mosquitto here: apt-get install mosquitto"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def dies_with_us() -> None:
    """In a child: be killed when the test process ends, however it ends."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Process:
    """A child that prints one JSON line for everything that happens to it."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    child: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None

    async def start(self, ready: str) -> Self:
        """Start it, and wait for its first line with the key `ready`."""
        self.child = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.arguments,
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=dies_with_us,
        )
        self._reader = asyncio.create_task(self._read())
        count = len(self.lines)
        await until(lambda: any(ready in line for line in self.lines[count:]), 15.0)
        return self

    async def _read(self) -> None:
        assert self.child
        assert self.child.stdout
        async for line in self.child.stdout:
            self.lines.append(json.loads(line))

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.child
        assert self.child.stdin
        self.child.stdin.write(f"{line}\n".encode())

    def signal(self, number: signal.Signals) -> None:
        assert self.child
        self.child.send_signal(number)

    async def kill(self) -> None:
        """kill -9, even if it is stopped."""
        if self.child and self.child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.child.kill()
            await self.child.wait()
        if self._reader:
            await self._reader


class Plug(Process):
    """A simulated plug; its lines are the changes of its output."""

    def __init__(self, kind: str, *arguments: str) -> None:
        topic = ("--topic", TOPICS[kind]) if kind in TOPICS else ()
        super().__init__((str(HERE / "plugs.py"), kind, *topic, *arguments))

    async def begin(self) -> Self:
        return await self.start("joined")

    @property
    def edges(self) -> list[dict[str, Any]]:
        """Every change of the output, as the plug saw it."""
        return [line for line in self.lines if "on" in line]

    @property
    def on(self) -> bool:
        return bool(self.edges) and bool(self.edges[-1]["on"])

    @property
    def level(self) -> int:
        return int(self.edges[-1]["level"])

    def switched(self, on: bool, since: float) -> list[float]:
        """When it went on (or off) after `since`, in monotonic seconds."""
        return [edge["at"] for edge in self.edges if edge["on"] is on and edge["at"] >= since]


@dataclass
class Broker:
    """A real mosquitto on a loopback port of its own, with a password, with or without TLS."""

    folder: Path
    tls: bool = False
    port: int = field(default_factory=free_port)
    child: asyncio.subprocess.Process | None = None

    def _configure(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {self.folder / 'passwords'}",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "log_type none",
        ]
        if os.getuid() == 0:
            lines.append("user root")  # it may read the files that this test wrote, and only those
        if self.tls:
            for option, name in (("cafile", "ca"), ("certfile", "server"), ("keyfile", "key")):
                lines.append(f"{option} {self.folder.parent / 'certificates' / name}.pem")
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text("\n".join(lines) + "\n")
        return configuration

    async def start(self) -> Self:
        """Start it, again on the same port, and wait until it accepts connections."""
        program = mosquitto()
        configuration = self._configure()
        if not (self.folder / "passwords").exists():
            await run(
                "mosquitto_passwd", "-c", "-b", str(self.folder / "passwords"), USER, PASSWORD
            )
        self.child = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(configuration),
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=dies_with_us,
        )
        async with asyncio.timeout(10.0):
            while not await _accepts(self.port):
                await asyncio.sleep(0.02)
        return self

    def signal(self, number: signal.Signals) -> None:
        assert self.child
        self.child.send_signal(number)

    async def kill(self) -> None:
        """kill -9."""
        if self.child and self.child.returncode is None:
            self.child.kill()
            await self.child.wait()

    def login(self) -> tuple[str, ...]:
        """Arguments that let a plug in."""
        return ("--port", str(self.port), "--user", USER, "--password", PASSWORD)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def write_devices(folder: Path, kind: str, port: int, **more: object) -> Path:
    """Write massagers.toml with one device, `neck`, and its password file."""
    folder.mkdir(parents=True, exist_ok=True)
    table: dict[str, object] = {"kind": kind}
    if kind == "pin":
        table |= more
    else:
        table |= {"broker": "127.0.0.1", "port": port, "user": USER, "topic": TOPICS[kind]}
        table |= {"password_file": "password"} | more
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o600)
    file = folder / "massagers.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None]
    file.write_text("[neck]\n" + "\n".join(lines) + "\n")
    return file


@dataclass
class Scene:
    """A broker, a plug, a session that holds a lease on it, and the session's way to the broker."""

    folder: Path
    kind: str = "esphome"
    lease: float = 1.0
    faults: tuple[str, ...] = ()
    settable: bool = False
    """The session's clock can be set, by `clock`."""
    broker: Broker = field(init=False)
    plug: Plug = field(init=False)
    network: Network = field(init=False)
    session: Process = field(init=False)
    clock: SetClock = field(init=False)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broker = await Broker(self.folder / "broker").start()
        self.network = await Network(self.broker.port).start()
        self.plug = await Plug(self.kind, *self.broker.login(), *self.faults).begin()
        devices = write_devices(self.folder, self.kind, self.network.port)
        stand_in = str(HERE / "stand_in_session.py")
        arguments = (stand_in, str(devices), str(self.folder / "state"), str(self.lease))
        self.clock = SetClock(self.folder / "clock")
        environment = self.clock.environment if self.settable else {}
        self.session = await Process(arguments, environment).start("opened")
        await until(lambda: self.plug.on)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.kill()
        await self.plug.kill()
        await self.network.stop()
        await self.broker.kill()

    async def off_after(self, fault: float) -> float:
        """Wait for the plug's off; return its seconds after `fault`, 0 if it was off before."""
        await until(lambda: not self.plug.on, 3 * self.lease + 5.0)
        return max(0.0, float(self.plug.edges[-1]["at"]) - fault)

    async def plant(self, topic: str, payload: str) -> None:
        """While the broker is down, have somebody leave a retained message with it, unseen."""
        other_door = Broker(self.broker.folder)
        await other_door.start()
        await publish(other_door.port, topic, payload, retain=True)
        other_door.signal(signal.SIGTERM)  # so that it writes down what it keeps
        assert other_door.child
        await other_door.child.wait()

    def did(self, what: str) -> list[dict[str, Any]]:
        """The session's lines of this kind."""
        return [line for line in self.session.lines if what in line]


async def publish(port: int, topic: str, payload: str, *, retain: bool = False) -> None:
    """Say something on the broker, as a stranger with the password."""
    async with aiomqtt.Client("127.0.0.1", port, username=USER, password=PASSWORD) as client:
        await client.publish(topic, payload, qos=1, retain=retain)


async def forgotten(port: int, topic: str) -> None:
    """Wait until the broker keeps nothing for `topic`."""
    async with asyncio.timeout(6.0):
        while await retained(port, topic) is not None:
            pass


async def retained(port: int, topic: str) -> str | None:
    """What the broker keeps for `topic`."""
    async with aiomqtt.Client("127.0.0.1", port, username=USER, password=PASSWORD) as client:
        await client.subscribe(topic)
        try:
            async with asyncio.timeout(0.3):
                async for message in client.messages:
                    if message.retain and isinstance(message.payload, bytes):
                        return message.payload.decode()
        except TimeoutError:
            pass
    return None
