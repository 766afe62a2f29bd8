"""How a plug with Tasmota is spoken to: PulseTime is its timer.

It must never be sent an on before it has confirmed its PulseTime: there the time limit is a
setting of the plug and not a part of the command. Every `Power ON` starts that timer again.

`topic` is Tasmota's own %topic%, with its usual full topic `%prefix%/%topic%/`. Set the plug up
once: Backlog PulseTime1 100; PowerOnState 0; SetOption0 0; Rule1 ON Mqtt#Disconnected DO Power1
OFF ENDON ON Wifi#Disconnected DO Power1 OFF ENDON; Rule1 1
"""

from assistant.massager.esphome import read_object
from assistant.massager.link import Packet
from assistant.massager.mqtt import Reading


class Tasmota:
    """`cmnd/<topic>/...` there, `stat/<topic>/RESULT` back."""

    levels = 1

    def __init__(self, topic: str, relay: int) -> None:
        self._cmnd, self._relay = f"cmnd/{topic}", relay
        self._result = f"stat/{topic}/RESULT"
        self.states = (self._result,)
        self.commands = (f"{self._cmnd}/#",)
        self._pulse: int | None = None

    def ask(self) -> tuple[Packet, ...]:
        """A command without a value answers with the state."""
        return (Packet(f"{self._cmnd}/Power{self._relay}", ""),)

    def prepare(self, seconds: float) -> tuple[Packet, ...]:
        """Set PulseTime, then ask. Not with Backlog: it delays, and could overtake an off."""
        self._pulse = None
        pulse = Packet(f"{self._cmnd}/PulseTime{self._relay}", str(_tenths(seconds)))
        return (pulse, *self.ask())

    def ready(self, seconds: float) -> bool:
        """The plug said that PulseTime is what it has to be."""
        return self._pulse == _tenths(seconds)

    def on(self, level: int, seconds: float, answer: Reading) -> Packet:
        """Say on; the confirmed PulseTime is its limit."""
        return Packet(f"{self._cmnd}/Power{self._relay}", "ON")

    def off(self) -> Packet:
        """Say off."""
        return Packet(f"{self._cmnd}/Power{self._relay}", "OFF", qos=1)

    def read(self, topic: str, payload: bytes) -> Reading | None:
        """Understand `{"POWER": "ON"}` and `{"PulseTime1": {"Set": 100, "Remaining": 0}}`."""
        if topic != self._result:
            return None
        said = read_object(payload)
        pulse = said.get(f"PulseTime{self._relay}")
        if isinstance(pulse, dict) and isinstance(pulse.get("Set"), int):
            self._pulse = pulse["Set"]
        # A plug with one relay leaves out the number.
        power = said.get(f"POWER{self._relay}", said.get("POWER") if self._relay == 1 else None)
        return Reading(power == "ON", int(power == "ON")) if power in ("ON", "OFF") else None


def _tenths(seconds: float) -> int:
    """PulseTime counts tenths of a second up to 111; a lease is never longer than 100."""
    return max(1, round(10 * seconds))
