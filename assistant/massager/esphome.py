"""How our own ESPHome firmware is spoken to (config/devices/massager.yaml).

It must never be sent an on without the ticket of its latest state: the device makes a new ticket
at every off and every start, so no on from before can bring it back, retained or delayed.

`topic` is the firmware's: it obeys on `<topic>/set`, speaks on `<topic>/state`.
"""

import json

from assistant.massager.link import Packet
from assistant.massager.mqtt import Reading


class Esphome:
    """JSON both ways: `{"state": "ON", "level": 2, "lease": 10.0, "ticket": "9f27"}`."""

    def __init__(self, topic: str, levels: int) -> None:
        self.levels = levels
        self._set, self._state = f"{topic}/set", f"{topic}/state"
        self.states = (self._state,)
        self.commands = (self._set,)

    def ask(self) -> tuple[Packet, ...]:
        """Ask for the state."""
        return (Packet(self._set, '{"state": "?"}'),)

    def prepare(self, seconds: float) -> tuple[Packet, ...]:
        """Ask for the state: its ticket is all that an on needs."""
        return self.ask()

    def ready(self, seconds: float) -> bool:
        """The lease travels with the on."""
        return True

    def on(self, level: int, seconds: float, answer: Reading) -> Packet:
        """Say on for `seconds`, quoting the ticket."""
        words = {"state": "ON", "level": level, "lease": seconds, "ticket": answer.ticket}
        return Packet(self._set, json.dumps(words))

    def off(self) -> Packet:
        """Say off."""
        return Packet(self._set, '{"state": "OFF"}', qos=1)

    def read(self, topic: str, payload: bytes) -> Reading | None:
        """Understand `{"state": "ON", "level": 2, "left": 9.8, "ticket": "9f27"}`."""
        said = read_object(payload)
        if topic != self._state or said.get("state") not in ("ON", "OFF"):
            return None
        on, level, left = said["state"] == "ON", said.get("level"), said.get("left")
        return Reading(
            on,
            level if on and isinstance(level, int) else int(on),
            timed=isinstance(left, int | float) and left > 0 if on else None,
            ticket=str(said.get("ticket", "")),
        )


def read_object(payload: bytes) -> dict[str, object]:
    """Read a JSON object; anything else, which a device never says, is an empty one."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
