"""How a Zigbee plug behind Zigbee2MQTT is spoken to: `on_time` is its timer.

It must never be trusted unproven: whether a plug keeps `on_time` depends on its firmware, and only
`unknot massager test` can tell.

`topic` is the whole topic, e.g. `zigbee2mqtt/massager`. Set the plug's power_on_behavior to off.
"""

import json

from assistant.massager.esphome import read_object
from assistant.massager.link import Packet
from assistant.massager.mqtt import Reading


class Zigbee2Mqtt:
    """`<topic>/set` and `<topic>/get` there, the state on `<topic>` back."""

    levels = 1

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.states = (topic,)
        self.commands = (f"{topic}/set/#",)  # also matches .../set itself

    def ask(self) -> tuple[Packet, ...]:
        """Have the state read from the plug itself."""
        return (Packet(f"{self._topic}/get", '{"state": ""}'),)

    def prepare(self, seconds: float) -> tuple[Packet, ...]:
        """Ask for the state."""
        return self.ask()

    def ready(self, seconds: float) -> bool:
        """The limit travels with the on."""
        return True

    def on(self, level: int, seconds: float, answer: Reading) -> Packet:
        """Say on, with timed off."""
        return Packet(f"{self._topic}/set", json.dumps({"state": "ON", "on_time": seconds}))

    def off(self) -> Packet:
        """Say off."""
        return Packet(f"{self._topic}/set", '{"state": "OFF"}', qos=1)

    def read(self, topic: str, payload: bytes) -> Reading | None:
        """Understand `{"state": "ON", "linkquality": 120}`."""
        state = read_object(payload).get("state")
        if topic != self._topic or state not in ("ON", "OFF"):
            return None
        return Reading(state == "ON", int(state == "ON"))
