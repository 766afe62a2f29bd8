"""An MQTT broker that takes every message and owes the receipt for it, for ever.

It must never keep or pass on anything: it only notes what reached it, and how a connection ended.
"""

import asyncio
from contextlib import suppress

CONNECT, PUBLISH, SUBSCRIBE, PING = 1, 3, 8, 12


class OwingBroker:
    """`payloads` is what was published, oldest first; `endings` how each connection ended."""

    def __init__(self) -> None:
        self.payloads: list[str] = []
        self.endings: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "OwingBroker":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self._answer(*await _packet(reader), writer)
        except asyncio.IncompleteReadError:
            self.endings.append("closed")
        except ConnectionResetError:
            self.endings.append("thrown away")
        with suppress(OSError):
            writer.close()

    def _answer(self, first: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        kind = first >> 4
        if kind == CONNECT:
            writer.write(b"\x20\x02\x00\x00")
        elif kind == SUBSCRIBE:
            writer.write(bytes([0x90, 4]) + body[:2] + b"\x01\x01")
        elif kind == PING:
            writer.write(b"\xd0\x00")
        elif kind == PUBLISH:
            length = 2 + int.from_bytes(body[:2], "big") + (2 if first & 0b110 else 0)
            self.payloads.append(body[length:].decode())


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first = (await reader.readexactly(1))[0]
    length, shift, more = 0, 0, True
    while more:
        digit = (await reader.readexactly(1))[0]
        length, shift, more = length | (digit & 127) << shift, shift + 7, digit > 127
    return first, await reader.readexactly(length)
