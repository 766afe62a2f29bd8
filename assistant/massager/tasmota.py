"""How a plug with Tasmota is spoken to: PulseTime is its timer.

It must never be sent an on before it has confirmed its PulseTime: there the time limit is a
setting of the plug and not a part of the command. Every `Power ON` starts that timer again. Nor may
it ever be asked with an empty `Power`, nor have its PulseTime set while it runs without need: there
are releases that forget the running timer at either (Tasmota's issues 779, 4093, 7810, 9325).

`topic` is Tasmota's own %topic%, with its usual full topic `%prefix%/%topic%/`. Set the plug up
once: Backlog PulseTime1 100; PowerOnState 0; SetOption0 0; Rule1 ON Mqtt#Disconnected DO Power1
OFF ENDON ON Wifi#Disconnected DO Power1 OFF ENDON; Rule1 1
"""

from assistant.massager.esphome import read_object
from assistant.massager.link import Packet
from assistant.massager.mqtt import Reading


class Tasmota:
    """`cmnd/<topic>/...` there, `stat/<topic>/RESULT` and `.../STATUS11` back."""

    levels = 1

    def __init__(self, topic: str, relay: int) -> None:
        self._cmnd, self._relay = f"cmnd/{topic}", relay
        self._result, self._status = f"stat/{topic}/RESULT", f"stat/{topic}/STATUS11"
        self.states = (self._result, self._status)
        self.commands = (f"{self._cmnd}/#",)
        self._pulse: int | None = None
        self._pulse_is_fresh = False
        self._runs: bool | None = None

    def ask(self) -> tuple[Packet, ...]:
        """Ask what is left of the timer, and then for the state: neither changes anything."""
        return (self._pulse_time(""), Packet(f"{self._cmnd}/Status", "11"))

    def prepare(self, seconds: float) -> tuple[Packet, ...]:
        """Set PulseTime if it is not what it has to be, then ask.

        Not with Backlog: it delays, and could overtake an off.
        """
        self._pulse_is_fresh = False
        if self._pulse == _tenths(seconds):
            return self.ask()
        return (self._pulse_time(str(_tenths(seconds))), *self.ask())

    def ready(self, seconds: float) -> bool:
        """The plug said since `prepare` that PulseTime is what it has to be."""
        return self._pulse_is_fresh and self._pulse == _tenths(seconds)

    def on(self, level: int, seconds: float, answer: Reading) -> Packet:
        """Say on; the confirmed PulseTime is its limit."""
        return Packet(f"{self._cmnd}/Power{self._relay}", "ON")

    def off(self) -> Packet:
        """Say off."""
        return Packet(f"{self._cmnd}/Power{self._relay}", "OFF", qos=1)

    def read(self, topic: str, payload: bytes) -> Reading | None:
        """Understand `{"POWER": "ON"}`, which it says of a change, and the answers to `ask`.

        They are `{"PulseTime1": {"Set": 100, "Remaining": 93}}` in RESULT, and in STATUS11
        `{"StatusSTS": {"POWER": "ON"}}`, which is read together with what is left of the timer.
        """
        said = read_object(payload)
        if topic == self._result:
            self._note_pulse(said.get(f"PulseTime{self._relay}"))
            return self._power(said, None)
        status = said.get("StatusSTS") if topic == self._status else None
        return self._power(status, self._runs) if isinstance(status, dict) else None

    def _pulse_time(self, value: str) -> Packet:
        return Packet(f"{self._cmnd}/PulseTime{self._relay}", value)

    def _note_pulse(self, pulse: object) -> None:
        if isinstance(pulse, dict) and isinstance(pulse.get("Set"), int):
            self._pulse, self._pulse_is_fresh = pulse["Set"], True
            left = pulse.get("Remaining")
            self._runs = left > 0 if isinstance(left, int) else None

    def _power(self, said: dict[str, object], runs: bool | None) -> Reading | None:
        # A plug with one relay leaves out the number.
        power = said.get(f"POWER{self._relay}", said.get("POWER") if self._relay == 1 else None)
        if power not in ("ON", "OFF"):
            return None
        on = power == "ON"
        return Reading(on, int(on), timed=runs if on else None)


def _tenths(seconds: float) -> int:
    """PulseTime counts tenths of a second up to 111; a lease is never longer than 100."""
    return max(1, round(10 * seconds))
