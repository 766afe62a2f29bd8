"""Starts what a massager needs around it: a real broker, plugs and sessions, a network.

It must never use a port, a file or a process that it did not make itself.
"""

import asyncio
import contextlib
import ctypes
import functools
import inspect
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

import aiomqtt
import pytest

USER, PASSWORD = "unknot", "not a secret: made for these tests"
AT_ONCE = 4
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
HERE = Path(__file__).parent
TOPICS = {
    "esphome": "massager",
    "tasmota": "massager",
    "shelly": "shellyplus1-a8032abe54dc",
    "zigbee2mqtt": "zigbee2mqtt/massager",
}


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop in which the tests of a file and their processes live."""
    with asyncio.Runner() as one:
        yield one


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in the loop of its file."""

    @functools.wraps(test)
    def run_it(*args: Any, runner: asyncio.Runner, **fixtures: Any) -> None:
        runner.run(test(*args, **fixtures))

    signature = inspect.signature(test)
    ours = inspect.Parameter("runner", inspect.Parameter.KEYWORD_ONLY)
    run_it.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), ours]
    )
    return run_it


def at_once(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the selected tests of a file together, a few at a time: nearly all they do is wait.

    Each must have a scene of its own; its first argument is a folder of its own.
    """

    def run_it(
        *,
        request: pytest.FixtureRequest,
        runner: asyncio.Runner,
        tmp_path_factory: pytest.TempPathFactory,
        **params: object,
    ) -> None:
        running = _running.get(runner)
        if running is None:
            running = _running[runner] = _start_all(request, runner.get_loop(), tmp_path_factory)
        runner.run(_result(running[request.node.nodeid]))

    signature = inspect.signature(run_it)
    ours = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    cases = list(inspect.signature(test).parameters.values())[1:]
    run_it.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*ours, *(case.replace(kind=case.KEYWORD_ONLY) for case in cases)]
    )
    run_it.__name__, run_it.__doc__ = test.__name__, test.__doc__
    run_it.__module__ = test.__module__
    _bodies[run_it] = test
    return run_it


_bodies: dict[Callable[..., None], Callable[..., Coroutine[Any, Any, None]]] = {}
_running: WeakKeyDictionary[asyncio.Runner, dict[str, asyncio.Task[None]]] = WeakKeyDictionary()


def _start_all(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, folders: pytest.TempPathFactory
) -> dict[str, asyncio.Task[None]]:
    places = asyncio.Semaphore(AT_ONCE)

    async def placed(item: pytest.Function) -> None:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        async with places:
            await _bodies[item.obj](folders.mktemp("scene"), **params)

    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    ours = [item for item in items if item.path == request.node.path and item.obj in _bodies]
    tasks = {item.nodeid: loop.create_task(placed(item)) for item in ours}
    request.node.getparent(pytest.Module).addfinalizer(lambda: [t.cancel() for t in tasks.values()])
    return tasks


async def _result(task: asyncio.Task[None]) -> None:
    await task


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until `condition` holds; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def holds(condition: Callable[[], Any], seconds: float) -> bool:
    """Whether `condition` holds all the time for `seconds`."""
    try:
        await until(lambda: not condition(), seconds)
    except TimeoutError:
        return True
    return False


@dataclass
class Process:
    """A child that prints one JSON line for everything that happens to it."""

    arguments: tuple[str, ...]
    lines: list[dict[str, Any]] = field(default_factory=list)
    child: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None

    async def start(self, ready: str) -> Self:
        """Start it, and wait for its first line with the key `ready`."""
        self.child = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.arguments,
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


async def run(program: str, *arguments: str) -> None:
    """Run a program that has to succeed."""
    child = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await child.communicate()
    assert child.returncode == 0, f"{program}: {errors.decode()}"


async def make_certificates(folder: Path) -> Path:
    """Make an authority, a broker's certificate for 127.0.0.1, and a stranger's authority."""
    folder.mkdir(parents=True)
    for name in ("ca", "stranger"):
        await run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *(
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={name}",
                "-keyout",
                f"{folder}/{name}-key.pem",
            ),
            *("-out", f"{folder}/{name}.pem", "-addext", "keyUsage=critical,keyCertSign"),
        )
    await run(
        *("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-subj", "/CN=broker", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/request.pem"),
    )
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1\n")
    await run(
        *("openssl", "x509", "-req", "-in", f"{folder}/request.pem", "-days", "2"),
        *("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca-key.pem", "-CAcreateserial"),
        *("-extfile", f"{folder}/names", "-out", f"{folder}/server.pem"),
    )
    return folder


class Network:
    """The way to a broker: relays, until it is cut; what was under way then arrives afterwards."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.port = 0
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Self:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def cut(self) -> None:
        """From now on nothing arrives, either way, and nobody is told."""
        self._open.clear()

    def mend(self) -> None:
        """What was sent meanwhile arrives, as TCP would have it."""
        self._open.set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server:
            self._server.close()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await self._open.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._relay(reader, far_writer), self._relay(far_reader, writer), return_exceptions=True
        )

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


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


def now() -> float:
    """The clock of every line: the same for all processes of a machine."""
    return time.monotonic()


@dataclass
class Scene:
    """A broker, a plug, a session that holds a lease on it, and the session's way to the broker."""

    folder: Path
    kind: str = "esphome"
    lease: float = 1.0
    faults: tuple[str, ...] = ()
    broker: Broker = field(init=False)
    plug: Plug = field(init=False)
    network: Network = field(init=False)
    session: Process = field(init=False)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broker = await Broker(self.folder / "broker").start()
        self.network = await Network(self.broker.port).start()
        self.plug = await Plug(self.kind, *self.broker.login(), *self.faults).begin()
        devices = write_devices(self.folder, self.kind, self.network.port)
        stand_in = str(HERE / "stand_in_session.py")
        arguments = (stand_in, str(devices), str(self.folder / "state"), str(self.lease))
        self.session = await Process(arguments).start("opened")
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
