"""What every simulated plug is: an output with a timer, and a client of an MQTT broker.

It must never be more obliging than a real plug: its timer runs whatever becomes of the broker.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import aiomqtt

LIE_SECONDS = 1.0


def tell_line(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Output:
    """The motor or relay, and the timer that ends it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.on, self.level = False, 0
        self.ends_at = float("inf")
        self.changed: Callable[[str], None] = _nobody_listens
        self._timer: asyncio.TimerHandle | None = None
        self._lied_at = float("-inf")
        if args.boot_on:
            self.becomes(True, 1, "boot")
        else:
            self._print("boot")

    def becomes(self, on: bool, level: int, why: str) -> None:
        """Change, and tell it."""
        changed = (on, level) != (self.on, self.level)
        self.on, self.level = on, level
        if changed:
            self._print(why)
            self.changed(why)

    def switch_on(self, level: int, seconds: float) -> None:
        """On for `seconds`; infinity is what a plain ON of a plain plug means."""
        if self.args.stuck:
            return
        self._stop_timer()
        seconds = seconds / 10 if self.args.hasty else seconds
        if seconds != float("inf") and not self.args.untimed:
            self.ends_at = time.monotonic() + seconds
            self._timer = asyncio.get_running_loop().call_later(seconds, self._ran_out)
        self._lied_at = float("-inf")
        self.becomes(True, level, "command")

    def switch_off(self, why: str = "command") -> None:
        """Off; a liar only says so."""
        if self.args.liar and self.on:
            self._lied_at = time.monotonic()
            return
        self._stop_timer()
        self.becomes(False, 0, why)

    @property
    def claims(self) -> bool:
        """What the device says of itself."""
        return self.on and time.monotonic() - self._lied_at > LIE_SECONDS

    @property
    def seconds_left(self) -> float:
        """Until its own timer ends it; 0 when none runs."""
        return max(0.0, self.ends_at - time.monotonic()) if self._timer else 0.0

    def _ran_out(self) -> None:
        self._timer = None
        self.becomes(False, 0, "lease")

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def forget_timer(self) -> None:
        """Be on for ever, where the device has such a fault."""
        self._stop_timer()

    def _print(self, why: str) -> None:
        edge = {"at": time.monotonic(), "on": self.on, "level": self.level, "why": why}
        tell_line(edge)


def _nobody_listens(why: str) -> None:
    pass


class Plug:
    """What every MQTT device does: connect, obey, speak, and connect again."""

    hears: tuple[str, ...] = ()

    def __init__(self, args: argparse.Namespace) -> None:
        self.topic = args.topic
        self.args = args
        self.client: aiomqtt.Client | None = None
        self.output = Output(args)
        self.output.changed = self.tell
        self._words: set[asyncio.Task[None]] = set()

    def obey(self, topic: str, payload: str) -> None:
        """Act on one command."""
        raise NotImplementedError

    def tell(self, why: str) -> None:
        """Say that the output changed."""
        raise NotImplementedError

    def connected(self) -> None:
        """What the device says when it has joined the broker."""

    def disconnected(self) -> None:
        """What the device does when it has lost the broker."""

    def say(self, topic: str, payload: Any, retain: bool = False) -> None:
        """Publish, if there is a broker and nobody has muted us."""
        if self.client is None or self.args.mute:
            return
        words = payload if isinstance(payload, str) else json.dumps(payload)
        task = asyncio.create_task(self._publish(self.client, topic, words, retain))
        self._words.add(task)
        task.add_done_callback(self._words.discard)

    async def _publish(self, client: aiomqtt.Client, topic: str, words: str, retain: bool) -> None:
        with contextlib.suppress(aiomqtt.MqttError):  # on the next connection we are asked again
            await client.publish(topic, words, qos=0, retain=retain)

    async def run(self) -> None:
        """Be a plug until killed."""
        while True:
            try:
                async with aiomqtt.Client(
                    self.args.host,
                    self.args.port,
                    username=self.args.user,
                    password=self.args.password,
                    keepalive=15,
                    timeout=3,
                    clean_session=True,
                ) as self.client:
                    for topic in self.hears:
                        await self.client.subscribe(topic, qos=0)
                    self.connected()
                    tell_line({"at": time.monotonic(), "joined": True})
                    async for message in self.client.messages:
                        payload = message.payload
                        words = payload.decode() if isinstance(payload, bytes) else ""
                        self.obey(str(message.topic), words)
            except aiomqtt.MqttError:
                pass
            if self.client is not None:
                self.client = None
                self.disconnected()
            await asyncio.sleep(0.2)
