"""The way to a broker: free ports, certificates made on the spot, and a network that can be cut.

It must never use a port or a file that it did not make itself.
"""

import asyncio
import socket
from pathlib import Path
from typing import Self


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
