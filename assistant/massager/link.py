"""One connection to the MQTT broker, kept alive in the session's own loop.

It must never queue: what cannot be sent now is not sent later, so that no old "on" ever reaches a
device. There is no network thread, so a program that hangs also stops answering the broker.

The first thing sent on every connection is the off that the broker also keeps as our last will.
"""

import asyncio
import logging
import os
import secrets
import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import aiomqtt
from paho.mqtt.client import Client as PahoClient

from assistant.massager.device import Broker
from audio.errors import MassagerUnsafe

KEEPALIVE_SECONDS = 5
"""Below the lease: the broker publishes our last will after one and a half of these."""
CONNECT_SECONDS = 2.0
"""For each step of a connection, as the broker's first answer."""
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 1.0
NO_LIMIT = 0
"""An off never waits until earlier ones are acknowledged: a broker may owe us that for ever."""
_FORGET = struct.pack("ii", 1, 0)
_SOCKET_OPTIONS: list[tuple[int, int, int | bytes]] = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    # What a dead network kept of a connection is thrown away when we give it up: else the kernel
    # goes on trying to deliver it, an old on too, for a quarter of an hour. The off that may be
    # lost with it is the last will, which the broker then publishes.
    (socket.SOL_SOCKET, socket.SO_LINGER, _FORGET),
]
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.CRITICAL)  # a lost connection is told by `trouble`, not by a library's lines
_REFUSALS = (4, 5, 134, 135)
"""CONNACK codes for a wrong user name or password, MQTT 3.1.1 and 5."""


@dataclass(frozen=True)
class Packet:
    """One message to a device; never retained. QoS 0 is sent once or not at all."""

    topic: str
    payload: str
    qos: int = 0


@dataclass(frozen=True)
class Received:
    """One message from the broker. `retained`: it waited there, nobody says it now."""

    topic: str
    payload: bytes
    retained: bool


class _Client(aiomqtt.Client):
    """aiomqtt, but a message is on the wire when `send` returns, not a turn of the loop later."""

    def set_connect_timeout(self, seconds: float) -> None:
        """Limit the time of the blocking part of a connection, which runs in a helper thread."""
        self._client.connect_timeout = seconds

    def send(self, topic: str, payload: str, qos: int, retain: bool = False) -> bool:
        """Publish and write to the socket at once; say whether the connection took it."""
        info = self._client.publish(topic, payload, qos, retain)
        return info.rc == 0 and self._client.loop_write() == 0

    def _on_socket_register_write(self, client: PahoClient, userdata: Any, sock: Any) -> None:
        """Register at once when called by the loop: later would be after it was unregistered."""
        try:
            ours = asyncio.get_running_loop() is self._loop
        except RuntimeError:  # the helper thread that connects
            ours = False
        if ours:
            self._loop.add_writer(sock.fileno(), self._write_on)
        else:
            super()._on_socket_register_write(client, userdata, sock)

    def _write_on(self) -> None:
        try:
            self._client.loop_write()
        except OSError as error:
            if not self._disconnected.done():
                self._disconnected.set_exception(error)


class Link:
    """Keeps one clean session with the broker, and reconnects with longer and longer waits.

    `will` is sent first on every connection, and by the broker if we vanish. `connected` is called
    when the subscriptions stand, `lost` when the connection is gone, `heard` for every message.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        topics: Iterable[str],
        will: Packet,
        connected: Callable[[], None],
        lost: Callable[[], None],
        heard: Callable[[Received], None],
    ) -> None:
        self.trouble: MassagerUnsafe | None = None
        """Why there is no connection; None while there is one, or before the first attempt."""
        self._broker = broker
        self._password = broker.password()
        self._tls = _tls_context(broker)
        self._topics = tuple(topics)
        self._will = will
        self._connected, self._lost, self._heard = connected, lost, heard
        self._client: _Client | None = None

    def send(self, packet: Packet) -> bool:
        """Write `packet` to the socket before returning; False if there is no connection."""
        client = self._client
        return client is not None and client.send(packet.topic, packet.payload, packet.qos)

    def forget_retained(self, topic: str) -> None:
        """Remove what somebody had the broker keep for `topic`."""
        if self._client is not None:
            self._client.send(topic, "", 1, retain=True)

    async def run(self) -> None:
        """Be connected for as long as this runs."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                await self._be_connected()
            except (aiomqtt.MqttError, OSError) as error:
                wait = FIRST_WAIT_SECONDS if self.trouble is None else wait
                self.trouble = self._explain(error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)

    async def _be_connected(self) -> None:
        async with self._new_client() as client:
            self._client = client
            try:
                self.send(self._will)
                await client.subscribe([(topic, 1) for topic in self._topics])
                self.trouble = None
                self._connected()
                async for message in client.messages:
                    payload = message.payload if isinstance(message.payload, bytes) else b""
                    self._heard(Received(str(message.topic), payload, message.retain))
            finally:
                self._client = None
                self._lost()

    def _new_client(self) -> _Client:
        client = _Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.user,
            password=self._password,
            logger=_LOG,
            identifier=f"unknot-{os.getpid()}-{secrets.token_hex(4)}",
            clean_session=True,
            will=aiomqtt.Will(self._will.topic, self._will.payload, qos=1, retain=False),
            timeout=CONNECT_SECONDS,
            keepalive=KEEPALIVE_SECONDS,
            max_inflight_messages=NO_LIMIT,
            tls_context=self._tls,
            socket_options=_SOCKET_OPTIONS,
        )
        client.set_connect_timeout(CONNECT_SECONDS)
        return client

    def _explain(self, error: Exception) -> MassagerUnsafe:
        broker = f"MQTT broker {self._broker.host}:{self._broker.port}"
        code = getattr(error, "rc", None)
        if getattr(code, "value", code) in _REFUSALS:
            return MassagerUnsafe(
                f"{broker} refuses user {self._broker.user!r}",
                "check user, and password_file or $UNKNOT_MQTT_PASSWORD",
            )
        why = str(error)
        if "certificate" in why.lower():
            return MassagerUnsafe(
                f"{broker} shows a certificate that does not match: {_reason(why)}",
                "ca_file must be its authority, and broker the name in its certificate",
            )
        return MassagerUnsafe(f"{broker} cannot be reached: {why}", "check broker, port and tls")


def _reason(why: str) -> str:
    """The end of OpenSSL's long line: what is the matter with the certificate."""
    return why.split("certificate verify failed: ")[-1].split(" (_ssl")[0]


def _tls_context(broker: Broker) -> ssl.SSLContext | None:
    if not broker.tls:
        return None
    try:
        return ssl.create_default_context(cafile=broker.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise MassagerUnsafe(
            f"{broker.ca_file}: {error.strerror or error}",
            "ca_file must be the broker's authority as a PEM file",
        ) from None
