"""A massager behind an MQTT broker: asks before it says on, repeats off until it is confirmed.

It must never send an on that the device does not answer for: every on is preceded by a question,
and goes out only on a fresh answer. So nothing that a frozen broker or a dead network has kept can
switch a device on later. A retained message is what somebody said once; it confirms nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiomqtt import Topic

from assistant.massager import Capabilities
from assistant.massager.device import Broker
from assistant.massager.link import Link, Packet, Received
from assistant.messages import MassagerReport
from assistant.safety import LEASE_SECONDS
from audio.errors import MassagerUnsafe

SHARE = 5
"""The device is asked for its state so many times a lease, and has that part of it to answer.

An answer so much later than the question before an on is no proof of a connection any more: a
renewal and this wait together must end before the lease that it renews."""
REPEAT_SECONDS = 0.4
"""How often an off is repeated until the device confirms it."""
GRACE_SECONDS = 0.5
"""How long after its lease a device may still say on: the word has to travel."""
OWN_WORDS = 32
"""How many of our own latest messages are known again when the broker repeats them to us."""
UNTOLD = 8
"""How many changes may wait to be reported."""


@dataclass(frozen=True)
class Reading:
    """What the device says of itself."""

    on: bool
    level: int
    timed: bool | None = None
    """Its own timer runs and will switch it off; None when it does not say."""
    ticket: str = ""
    """What the next on must quote, where a device wants that."""


class Dialect(Protocol):
    """How one kind of device is spoken to. Knows no clock and no network."""

    @property
    def levels(self) -> int:
        """How many levels the device has."""

    @property
    def states(self) -> tuple[str, ...]:
        """Topics (with wildcards) on which the device speaks."""

    @property
    def commands(self) -> tuple[str, ...]:
        """Topics (with wildcards) on which it obeys: a retained message there was planted."""

    def ask(self) -> tuple[Packet, ...]:
        """Ask for the state, changing nothing."""

    def prepare(self, seconds: float) -> tuple[Packet, ...]:
        """Ask for the state before an on of `seconds`, and set what that on needs."""

    def ready(self, seconds: float) -> bool:
        """Everything that `prepare` set has been confirmed."""

    def on(self, level: int, seconds: float, answer: Reading) -> Packet:
        """Say on, with its own time limit."""

    def off(self) -> Packet:
        """Say off, QoS 1."""

    def read(self, topic: str, payload: bytes) -> Reading | None:
        """Understand what the device says; None for anything that is not its state."""


@dataclass(frozen=True)
class _Wanted:
    """A lease that waits for the device's answer."""

    level: int
    seconds: float
    until: float


class MqttMassager:
    """A device that speaks one of the dialects. Must be made inside a running asyncio loop.

    `longest_seconds` can only make the longest lease shorter. `release` is called by `close`.
    """

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        broker: Broker,
        *,
        longest_seconds: float = LEASE_SECONDS,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.capabilities = Capabilities(levels=dialect.levels, holds_lease=True, real=True)
        self.quiet = False
        self._dialect = dialect
        self._longest = min(longest_seconds, LEASE_SECONDS)
        self._release = release
        self._wanted: _Wanted | None = None
        self._off_due = True
        self._leased_until = float("-inf")
        self._asked_at = float("-inf")
        self._was_on = False
        self._went_off = False
        self._confirmed: deque[tuple[Reading, float]] = deque(maxlen=UNTOLD)
        self._told = False
        self._planted: set[str] = set()
        self._own_words: deque[tuple[str, bytes]] = deque(maxlen=OWN_WORDS)
        self._link = Link(
            broker,
            topics=dialect.states + dialect.commands,
            will=dialect.off(),
            connected=self._ask,
            lost=self._lost,
            heard=self._heard,
        )
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self._tasks = (loop.create_task(self._link.run()), loop.create_task(self._keep_asking()))

    @property
    def trouble(self) -> MassagerUnsafe | None:
        """Why the broker cannot be reached; None when it can."""
        return self._link.trouble

    def lease(self, level: int, seconds: float) -> None:
        """Ask the device, and on its answer switch it on for `seconds` from then.

        A device that went off unasked is not switched on again before `off` was called.
        """
        if level not in range(1, self.capabilities.levels + 1) or not seconds > 0:
            return
        seconds = min(seconds, self._longest)
        sent = [self._send(packet) for packet in self._dialect.prepare(seconds)]
        until = self._clock() + self._longest / SHARE
        self._wanted = _Wanted(level, seconds, until) if all(sent) else None

    def off(self) -> None:
        """Write off to the socket before returning; repeat it until the device confirms."""
        self._was_on = self._went_off = False
        self._end_lease()
        self._send(self._dialect.off())
        self._ask()

    def report(self, now: float) -> MassagerReport:
        """Return the newest state that the device confirmed, its age counted back from `now`.

        Changes are reported one a call, oldest first: an on between two offs is not lost.
        """
        if not self._confirmed:
            return MassagerReport(None, 0, now)
        if self._told and len(self._confirmed) > 1:
            self._confirmed.popleft()
        self._told = True
        reading, at = self._confirmed[0]
        return MassagerReport(reading.on, reading.level, now - (self._clock() - at))

    def close(self) -> None:
        """Switch off, leave the broker, free the device for another session."""
        self.off()
        for task in self._tasks:
            task.cancel()
        self._release()

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(REPEAT_SECONDS)
            if self._off_due and not self.quiet:
                self._send(self._dialect.off())
            if self._off_due or self._clock() >= self._asked_at + self._longest / SHARE:
                self._ask()

    def _ask(self) -> None:
        self._asked_at = self._clock()
        for packet in self._dialect.ask():
            self._send(packet)

    def _send(self, packet: Packet) -> bool:
        self._own_words.append((packet.topic, packet.payload.encode()))
        return self._link.send(packet)

    def _lost(self) -> None:
        """Forget the lease: what stands before a broken connection must not come after it."""
        self._went_off = self._went_off or self._was_on
        self._end_lease()

    def _end_lease(self) -> None:
        self._wanted = None
        self._leased_until = float("-inf")
        self._off_due = True

    def _heard(self, message: Received) -> None:
        if any(Topic(message.topic).matches(pattern) for pattern in self._dialect.commands):
            self._overheard(message)
            return
        reading = None if message.retained else self._dialect.read(message.topic, message.payload)
        if reading is not None:
            self._keep(reading)
            self._follow(reading)

    def _overheard(self, message: Received) -> None:
        """Somebody else commands our device: let the broker keep no such word for later."""
        ours = (message.topic, message.payload) in self._own_words and not message.retained
        if message.payload and not ours and len(self._planted) < OWN_WORDS:
            self._planted.add(message.topic)
            self._forget_planted()

    def _forget_planted(self) -> None:
        """Not while it may be on: the empty word that does it is a question to some devices, and
        at a question there are some that forget their time limit (tasmota.py)."""
        if not self._off_due and self._clock() > self._leased_until:
            for topic in self._planted:
                self._link.forget_retained(topic)
            self._planted.clear()

    def _keep(self, reading: Reading) -> None:
        """Add a change, or renew what was said last."""
        last = self._confirmed[-1][0] if self._confirmed else None
        if last and (last.on, last.level) == (reading.on, reading.level):
            self._confirmed.pop()
        self._confirmed.append((reading, self._clock()))

    def _follow(self, reading: Reading) -> None:
        if not reading.on:
            self._went_off = self._went_off or (self._was_on and not self._off_due)
            self._off_due = False
        elif not self._off_due:
            self._was_on = True
            if not self._may_be_on(reading):
                leased = self._clock() <= self._leased_until
                self.off()
                self._went_off = leased  # by our word, not by the governor's
        if self._wanted and not self._off_due and self._dialect.ready(self._wanted.seconds):
            self._switch_on(self._wanted, reading)
        self._forget_planted()

    def _switch_on(self, wanted: _Wanted, answer: Reading) -> None:
        """Say on, unless the answer came late or shows that the governor has to decide anew."""
        self._wanted = None
        now = self._clock()
        if now <= wanted.until and not self._went_off:
            self._leased_until = now + wanted.seconds
            self._send(self._dialect.on(wanted.level, wanted.seconds, answer))

    def _may_be_on(self, reading: Reading) -> bool:
        """We said so, the lease has not run out, and the device's own timer is not missing."""
        leased = reading.timed is not False and self._clock() <= self._leased_until + GRACE_SECONDS
        return leased or self.quiet
