"""Tells Home Assistant what goes on, over MQTT, and takes its STOP.

It must never take any other wish, and its failure must never touch the session: what cannot be told
now is told when the broker is back.
"""

import asyncio
import json
import os
import secrets
import socket
import ssl
from collections import deque
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiomqtt

from assistant.board import Halt, Line, halt_in
from assistant.discovery import (
    OFFLINE,
    ONLINE,
    PRESS,
    STATUS,
    event,
    introduction,
    node,
    state,
)
from assistant.massager.device import Broker
from assistant.paths import config_folder
from assistant.settings_file import HomeAssistantTable
from assistant.watching import Watching, complain
from audio.errors import UnknotError

PORT, TLS_PORT = 1883, 8883
STATE_SECONDS = 5.0
"""The state is told on every change and at least so often."""
TOO_OFTEN_SECONDS = 0.2
LOOK_SECONDS = 0.1
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = 15
UNTOLD_HALTS = 16


class _Client(aiomqtt.Client):
    """aiomqtt, but connecting, which blocks a helper thread, does not outlast the program long."""

    def set_connect_timeout(self, seconds: float) -> None:
        """Limit the time of one attempt."""
        self._client.connect_timeout = seconds


class Room:
    """This assistant as one device of Home Assistant. `stop` halts the session.

    Raises `UnknotError` when the password or the certificate cannot be read.
    """

    def __init__(
        self, watching: Watching, stop: Callable[[], None], settings: HomeAssistantTable
    ) -> None:
        self._watching = watching
        self._stop = stop
        self._broker = broker_named(settings, config_folder())
        self._password = self._broker.password()
        self._tls = _tls(self._broker)
        self._node = node(settings.node, socket.gethostname())
        self._quiet_please = settings.quiet_please
        self._halts: deque[Halt] = deque(maxlen=UNTOLD_HALTS)
        self._trouble = ""
        watching.listen(self._note)

    async def run(self) -> None:
        """Be there until the session is over, whatever the broker does."""
        wait = FIRST_WAIT_SECONDS
        while not self._watching.over:
            try:
                async with self._client() as client:
                    wait = FIRST_WAIT_SECONDS
                    await self._serve(client)
            except (aiomqtt.MqttError, OSError) as error:
                self._explain(error)
                await self._rest(wait)
                wait = min(2 * wait, LONGEST_WAIT_SECONDS)

    def _note(self, line: Line) -> None:
        halt = halt_in(line)
        if halt is not None:
            self._halts.append(halt)

    # One connection

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Introduce ourselves; then listen and tell, until the session or the connection ends."""
        await client.subscribe([(self._node.stop, 1), (STATUS, 1), (self._node.availability, 1)])
        await self._introduce(client)
        self._trouble = ""
        listening = asyncio.create_task(self._listen(client))
        telling = asyncio.create_task(self._tell(client))
        try:
            done, _ = await asyncio.wait({listening, telling}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            listening.cancel()
            telling.cancel()
            await asyncio.gather(listening, telling, return_exceptions=True)

    async def _introduce(self, client: aiomqtt.Client) -> None:
        introduced = introduction(self._node, version("unknot"), quiet_please=self._quiet_please)
        await self._publish(client, self._node.discovery, introduced, retain=True)
        await self._tell_availability(client, ONLINE)
        await self._tell_state(client)

    async def _tell(self, client: aiomqtt.Client) -> None:
        seen, over = 0, False
        while not over:
            over = self._watching.over
            await self._tell_halts(client)
            await self._tell_state(client)
            await asyncio.sleep(TOO_OFTEN_SECONDS)
            seen = await self._watching.news(seen, STATE_SECONDS - TOO_OFTEN_SECONDS)
        await self._tell_availability(client, OFFLINE)

    async def _tell_availability(self, client: aiomqtt.Client, word: str) -> None:
        await client.publish(self._node.availability, word, qos=1, retain=True)

    async def _tell_halts(self, client: aiomqtt.Client) -> None:
        """A halt that the broker has not taken is kept, and told later with its age."""
        while self._halts:
            told = event(self._halts[0], self._watching.board().now)
            await self._publish(client, self._node.halts, told)
            self._halts.popleft()

    async def _tell_state(self, client: aiomqtt.Client) -> None:
        told = state(self._watching.board())
        await self._publish(client, self._node.state, told, retain=True)

    async def _publish(
        self, client: aiomqtt.Client, topic: str, what: dict[str, Any], *, retain: bool = False
    ) -> None:
        await client.publish(topic, json.dumps(what), qos=1, retain=retain)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            said = message.payload if isinstance(message.payload, bytes) else b""
            if message.topic.matches(STATUS) and said == ONLINE.encode():
                await self._introduce(client)
            elif message.topic.matches(self._node.stop):
                self._obey(said, retained=bool(message.retain))
            elif said == OFFLINE.encode() and not self._watching.over:
                # The last will of a connection that we lost comes after we are back.
                await self._tell_availability(client, ONLINE)

    def _obey(self, said: bytes, *, retained: bool) -> None:
        """Exactly STOP, and said now: what the broker kept is not somebody's wish any more."""
        if said == PRESS.encode() and not retained:
            self._stop()

    # Connecting

    def _client(self) -> aiomqtt.Client:
        client = _Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._password,
            identifier=f"unknot-{self._node.id}-{os.getpid()}-{secrets.token_hex(3)}",
            clean_session=True,
            will=aiomqtt.Will(self._node.availability, OFFLINE, qos=1, retain=True),
            timeout=CONNECT_SECONDS,
            keepalive=KEEPALIVE_SECONDS,
            tls_context=self._tls,
        )
        client.set_connect_timeout(CONNECT_SECONDS)
        return client

    async def _rest(self, seconds: float) -> None:
        """Wait before the next attempt, but not longer than the session goes on."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self._watching.over and loop.time() < end:
            await asyncio.sleep(LOOK_SECONDS)

    def _explain(self, error: Exception) -> None:
        """Tell trouble once, not at every attempt."""
        where = f"{self._broker.host}:{self._broker.port}"
        trouble = f"Home Assistant's broker {where}: {error} (see [home_assistant])"
        if trouble != self._trouble:
            self._trouble = trouble
            complain(trouble)


def broker_named(settings: HomeAssistantTable, folder: Path) -> Broker:
    """The broker of `settings`, whose files are relative to `folder`."""
    tls = settings.tls or bool(settings.ca_file)
    return Broker(
        host=settings.broker,
        port=settings.port or (TLS_PORT if tls else PORT),
        user=settings.user or None,
        password_file=folder / settings.password_file if settings.password_file else None,
        tls=tls,
        ca_file=folder / settings.ca_file if settings.ca_file else None,
    )


def _tls(broker: Broker) -> ssl.SSLContext | None:
    if not broker.tls:
        return None
    try:
        return ssl.create_default_context(cafile=broker.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UnknotError(
            f"{broker.ca_file}: {getattr(error, 'strerror', None) or error}",
            "ca_file must be the broker's authority as a PEM file",
        ) from None
