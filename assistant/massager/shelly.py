"""How a Shelly of the second generation or later is spoken to: `toggle_after` is its timer.

It must never be taken for on with a timer when its status shows none.

`topic` is the MQTT prefix set in the plug, e.g. `shellyplus1-a8032abe54dc`. Switch on MQTT's RPC
there, and in the switch's settings initial_state off, auto_off with 10 s: those also end an on
that somebody else sends.
"""

import json
import secrets

from assistant.massager.esphome import read_object
from assistant.massager.link import Packet
from assistant.massager.mqtt import Reading


class Shelly:
    """JSON-RPC frames to `<topic>/rpc`, answers on a topic of our own."""

    levels = 1

    def __init__(self, topic: str, relay: int) -> None:
        self._rpc, self._switch = f"{topic}/rpc", relay - 1
        self._source = f"unknot/{secrets.token_hex(4)}"
        self._answers, self._events = f"{self._source}/rpc", f"{topic}/events/rpc"
        self.states = (self._answers, self._events)
        self.commands = (self._rpc, f"{topic}/command/#")
        self._frames = 0

    def ask(self) -> tuple[Packet, ...]:
        """Ask for the status."""
        return (self._call("Switch.GetStatus", 0),)

    def prepare(self, seconds: float) -> tuple[Packet, ...]:
        """Ask for the status."""
        return self.ask()

    def ready(self, seconds: float) -> bool:
        """The limit travels with the on."""
        return True

    def on(self, level: int, seconds: float, answer: Reading) -> Packet:
        """Say on, and off again after `seconds`."""
        return self._call("Switch.Set", 0, on=True, toggle_after=seconds)

    def off(self) -> Packet:
        """Say off."""
        return self._call("Switch.Set", 1, on=False)

    def read(self, topic: str, payload: bytes) -> Reading | None:
        """Understand the answer to GetStatus, and the plug's own NotifyStatus."""
        said = read_object(payload)
        if topic == self._answers:
            return _status(said.get("result"), whole=True)
        params = said.get("params")
        if topic == self._events and isinstance(params, dict):
            return _status(params.get(f"switch:{self._switch}"), whole=False)
        return None

    def _call(self, method: str, qos: int, **params: object) -> Packet:
        self._frames += 1
        frame = {
            "id": self._frames,
            "src": self._source,
            "method": method,
            "params": {"id": self._switch, **params},
        }
        return Packet(self._rpc, json.dumps(frame), qos)


def _status(status: object, *, whole: bool) -> Reading | None:
    """A status has `output`, and `timer_duration` while its timer runs; a notice only changes."""
    if not isinstance(status, dict) or not isinstance(status.get("output"), bool):
        return None
    on, timed = status["output"], "timer_duration" in status
    return Reading(on, int(on), timed=timed if on and (whole or timed) else None)
