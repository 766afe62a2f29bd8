"""Simulated massagers, each a process of its own that speaks what the real one speaks.

    python tests/plugs.py KIND --port 1883 --topic massager [--user U --password P] [faults]
    python tests/plugs.py pin --led FOLDER

Each keeps its own timer, whatever becomes of the broker or of whoever switched it on, and prints
one JSON line for every change of its output: {"at": monotonic seconds, "on": bool, "level": int,
"why": str}. A plug must never be more obliging than the device that it stands for: where a vendor
obeys a retained command, so does the plug.

Faults: --liar confirms every off and stays on until its lease runs out; --untimed forgets the time
limit of an on; --hasty ends it after a tenth of it; --stuck never comes on; --mute obeys and says
nothing; --boot-on starts switched on, with no timer.
"""

import argparse
import asyncio
import contextlib
import ctypes
import json
import logging
import os
import secrets
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiomqtt

LIE_SECONDS = 1.0


def _tell(line: dict[str, Any]) -> None:
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

    def _print(self, why: str) -> None:
        edge = {"at": time.monotonic(), "on": self.on, "level": self.level, "why": why}
        _tell(edge)


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
                    _tell({"at": time.monotonic(), "joined": True})
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


class EsphomePlug(Plug):
    """config/devices/massager.yaml: lease, cap, gentle minute and session limit in the device."""

    LEASE, SESSION, LEVELS = 10.0, 900.0, 5

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self.hears = (f"{self.topic}/set",)
        self.gentle_seconds = args.gentle
        self.on_since: float | None = None
        self._new_ticket()

    def obey(self, topic: str, payload: str) -> None:
        try:
            said = json.loads(payload)
        except ValueError:
            return
        if said.get("state") == "?":
            self._say_state()
        elif said.get("state") == "ON" and said.get("ticket") == self.ticket:
            self._on(int(said.get("level", 1)), float(said.get("lease", self.LEASE)))
        elif said.get("state") == "OFF":
            self.output.switch_off()
            self._say_state()

    def _on(self, level: int, lease: float) -> None:
        now = time.monotonic()
        self.on_since = self.on_since if self.output.on and self.on_since else now
        if now - self.on_since >= self.SESSION:
            self.output.switch_off("session limit")
            return
        if now - self.on_since < self.gentle_seconds:
            level = 1
        level = max(1, min(self.LEVELS, level))
        self.output.switch_on(level, min(lease, self.LEASE))
        self._say_state()

    def tell(self, why: str) -> None:
        if not self.output.on:
            self.on_since = None
            self._new_ticket()
        if why != "command":
            self._say_state()

    def disconnected(self) -> None:
        self.output.switch_off("broker lost")

    def _new_ticket(self) -> None:
        self.ticket = secrets.token_hex(4)

    def _say_state(self) -> None:
        claims = self.output.claims
        state: dict[str, Any] = {"state": "ON" if claims else "OFF", "ticket": self.ticket}
        if claims:
            state |= {"level": self.output.level, "left": round(self.output.seconds_left, 1)}
        self.say(f"{self.topic}/state", state)


class TasmotaPlug(Plug):
    """Tasmota with one relay: PulseTime1, restarted by every ON; retained commands are obeyed."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self.hears = (f"cmnd/{self.topic}/#",)
        self.pulse = 0  # as it comes from the shop

    def obey(self, topic: str, payload: str) -> None:
        command = topic.rsplit("/", 1)[-1].lower()
        if command in ("power", "power1"):
            self._power(payload.upper())
        elif command == "pulsetime1":
            if payload.isdigit():
                self.pulse = int(payload)
                if self.output.on:
                    self.output.switch_on(1, self._pulse_seconds())
            left = round(10 * self.output.seconds_left)
            self._result({"PulseTime1": {"Set": self.pulse, "Remaining": left}})

    def _power(self, word: str) -> None:
        before = self.output.on
        if word in ("ON", "1"):
            self.output.switch_on(1, self._pulse_seconds())
        elif word in ("OFF", "0"):
            self.output.switch_off()
        if word == "" or self.output.on == before:
            self._say_power()

    def _pulse_seconds(self) -> float:
        if self.pulse == 0:
            return float("inf")
        return self.pulse / 10 if self.pulse <= 111 else self.pulse - 100.0

    def tell(self, why: str) -> None:
        self._say_power()

    def connected(self) -> None:
        self.say(f"tele/{self.topic}/LWT", "Online", retain=True)

    def disconnected(self) -> None:
        if self.args.rule:
            self.output.switch_off("rule")

    def _say_power(self) -> None:
        word = "ON" if self.output.claims else "OFF"
        self._result({"POWER": word})
        self.say(f"stat/{self.topic}/POWER", word)

    def _result(self, what: dict[str, Any]) -> None:
        self.say(f"stat/{self.topic}/RESULT", what)


class ShellyPlug(Plug):
    """Shelly Gen2 with one switch: JSON-RPC over MQTT."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self.hears = (f"{self.topic}/rpc",)
        self.started_at = 0.0

    def obey(self, topic: str, payload: str) -> None:
        try:
            frame = json.loads(payload)
        except ValueError:
            return
        method, params = frame.get("method"), frame.get("params", {})
        if params.get("id") != 0:
            error = {"code": -105, "message": f"Argument 'id', value {params.get('id')} not found!"}
            self._answer(frame, {"error": error})
        elif method == "Switch.Set":
            was_on = self.output.on
            self._set(bool(params["on"]), params.get("toggle_after"))
            self._answer(frame, {"result": {"was_on": was_on}})
        elif method == "Switch.GetStatus":
            self._answer(frame, {"result": self._status("MQTT")})

    def _set(self, on: bool, toggle_after: float | None) -> None:
        if on:
            self.started_at = time.time()
            self.output.switch_on(1, float("inf") if toggle_after is None else toggle_after)
        else:
            self.output.switch_off()

    def _status(self, source: str) -> dict[str, Any]:
        on = self.output.claims
        status = {"id": 0, "source": source, "output": on, "temperature": {"tC": 41.2, "tF": 106.1}}
        if self.output.on and self.output.seconds_left:
            duration = self.output.ends_at - time.monotonic() + time.time() - self.started_at
            status |= {"timer_started_at": self.started_at, "timer_duration": round(duration, 2)}
        return status

    def tell(self, why: str) -> None:
        source = "timer" if why == "lease" else "MQTT"
        params = {"ts": round(time.time(), 2), "switch:0": self._status(source)}
        frame = {"src": self.topic, "dst": f"{self.topic}/events", "method": "NotifyStatus"}
        self.say(f"{self.topic}/events/rpc", frame | {"params": params})

    def connected(self) -> None:
        self.say(f"{self.topic}/online", "true", retain=True)

    def _answer(self, frame: dict[str, Any], body: dict[str, Any]) -> None:
        source = frame.get("src", "")
        self.say(f"{source}/rpc", {"id": frame.get("id"), "src": self.topic, "dst": source} | body)


class Zigbee2MqttPlug(Plug):
    """A Zigbee plug behind Zigbee2MQTT, which says what it sent, before the plug does it."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self.hears = (f"{self.topic}/set", f"{self.topic}/get")

    def obey(self, topic: str, payload: str) -> None:
        try:
            said = json.loads(payload)
        except ValueError:
            return
        if topic.endswith("/get"):
            self._say_state(self.output.claims)
        elif said.get("state") == "ON":
            self.output.switch_on(1, float(said.get("on_time", "inf")))
            self._say_state(True)
        elif said.get("state") == "OFF":
            self.output.switch_off()
            self._say_state(False)

    def tell(self, why: str) -> None:
        if why != "command":
            self._say_state(self.output.claims)

    def _say_state(self, on: bool) -> None:
        self.say(self.topic, {"linkquality": 120, "state": "ON" if on else "OFF"})


class KernelLed:
    """The folder of a kernel LED with the transient trigger, played by a process.

    A second 1 while the timer runs is ignored, as in the kernel; that a 0 came between is seen
    from the number of times that the file was closed after writing.
    """

    IN_MODIFY, IN_CLOSE_WRITE = 0x2, 0x8
    """Both: of two equal events in a row inotify keeps one."""
    INERTIA_SECONDS = 0.02
    """A gap of microseconds between 0 and 1 is none to a motor."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.led = Path(args.led)
        self.output = Output(args)
        self.output.changed = self._show
        self.woken = asyncio.Event()
        self.names: list[str] = []
        self.led.mkdir(parents=True, exist_ok=True)
        for name, text in (
            ("trigger", "[none] timer transient"),
            ("duration", "0"),
            ("state", "0"),
            ("brightness", "0"),
            ("activate", "0"),
        ):
            (self.led / name).write_text(text)
        libc = ctypes.CDLL(None, use_errno=True)
        self.inotify = libc.inotify_init1(os.O_NONBLOCK)
        libc.inotify_add_watch(
            self.inotify, os.fsencode(self.led), self.IN_MODIFY | self.IN_CLOSE_WRITE
        )

    async def run(self) -> None:
        """Be a kernel until killed."""
        _tell({"at": time.monotonic(), "joined": True})
        asyncio.get_running_loop().add_reader(self.inotify, self._notice)
        while True:
            await self.woken.wait()
            while self.woken.is_set():
                self.woken.clear()
                await asyncio.sleep(self.INERTIA_SECONDS)
            names, self.names = self.names, []
            self._written(names)

    def _notice(self) -> None:
        self.names += self._events()
        self.woken.set()

    def _written(self, names: list[str]) -> None:
        if "trigger" in names and self._read("trigger") == "transient":
            (self.led / "trigger").write_text("none timer [transient]")
        writes = names.count("activate")
        if not writes:
            return
        if self._read("activate") == "0":
            self.output.switch_off()
        elif self._read("duration") != "0" and (writes > 1 or not self.output.on):
            self.output.switch_on(1, int(self._read("duration")) / 1000)

    def _show(self, why: str) -> None:
        (self.led / "brightness").write_text(str(int(self.output.on)))
        if why == "lease":
            (self.led / "activate").write_text("0")
            self._events()  # our own writing is no command

    def _events(self) -> list[str]:
        names, offset = [], 0
        try:
            data = os.read(self.inotify, 65536)
        except BlockingIOError:
            return []
        while offset < len(data):
            _, mask, _, length = struct.unpack_from("iIII", data, offset)
            if mask & self.IN_CLOSE_WRITE:
                names.append(data[offset + 16 : offset + 16 + length].rstrip(b"\0").decode())
            offset += 16 + length
        return names

    def _read(self, name: str) -> str:
        return (self.led / name).read_text().strip()


KINDS: dict[str, Callable[[argparse.Namespace], Plug | KernelLed]] = {
    "esphome": EsphomePlug,
    "tasmota": TasmotaPlug,
    "shelly": ShellyPlug,
    "zigbee2mqtt": Zigbee2MqttPlug,
    "pin": KernelLed,
}


async def _run(args: argparse.Namespace) -> None:
    await KINDS[args.kind](args).run()


def main() -> None:
    """Read the command line and be the plug."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--topic", default="massager")
    parser.add_argument("--led")
    parser.add_argument("--gentle", type=float, default=60.0, help="seconds at the gentlest level")
    parser.add_argument("--rule", action="store_true", help="Tasmota: off when the broker is lost")
    for fault in ("liar", "untimed", "hasty", "stuck", "mute", "boot-on"):
        parser.add_argument(f"--{fault}", action="store_true")
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # a broker that goes is part of the play
    try:
        asyncio.run(_run(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
