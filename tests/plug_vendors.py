"""The words of each vendor's plug, from the plug's side: real topics, real payloads.

A plug must never be more obliging than the device that it stands for: where a vendor obeys a
retained command, so does the plug.
"""

import argparse
import json
import secrets
import time
from typing import Any

from plug_base import Plug


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
            self._new_ticket()
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
    """Tasmota with one relay: PulseTime1, restarted by every ON; retained commands are obeyed.

    As some releases do, it forgets a running PulseTime1 when that is set, and at an empty Power1
    (Tasmota's issues 779, 4093, 7810, 9325: as designed). A forgetful one does so at any question.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self.hears = (f"cmnd/{self.topic}/#",)
        self.pulse = 0  # as it comes from the shop

    def obey(self, topic: str, payload: str) -> None:
        command = topic.rsplit("/", 1)[-1].lower()
        if command in ("power", "power1"):
            self._power(payload.upper())
        elif command == "pulsetime1":
            if self.args.forgetful:
                self.output.forget_timer()
            if payload.isdigit():
                self.pulse = int(payload)
                self.output.forget_timer()
            left = round(10 * self.output.seconds_left)
            self._result({"PulseTime1": {"Set": self.pulse, "Remaining": left}})
        elif command == "status" and payload == "11":
            state = {"Uptime": "0T00:00:11", "POWER": self._word(), "Wifi": {"RSSI": 70}}
            self.say(f"stat/{self.topic}/STATUS11", {"StatusSTS": state})

    def _power(self, word: str) -> None:
        before = self.output.on
        if word in ("ON", "1"):
            self.output.switch_on(1, self._pulse_seconds())
        elif word in ("OFF", "0"):
            self.output.switch_off()
        elif word == "":
            self.output.forget_timer()
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
        self._result({"POWER": self._word()})
        self.say(f"stat/{self.topic}/POWER", self._word())

    def _word(self) -> str:
        return "ON" if self.output.claims else "OFF"

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
