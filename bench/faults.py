"""Prints one table of every fault that a session survives: its bound, and the worst measured.

    python bench/faults.py [--tries 20] [--only ears|massager]

Here the audio process is a real child that beats as the ears do, and is killed, frozen, made deaf
or made to talk nonsense at a random moment of a massage; what is measured is how long the
(simulated) massager stayed on after that. The faults of broker, network and device are those of
bench/massager_faults.py. Ends with 1 when a bound was broken.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from assistant.build import make_rehearsal
from assistant.ear import AudioProcess
from assistant.live import Live
from assistant.massager.simulated import SimulatedMassager
from assistant.safety import LEASE_SECONDS, MICROPHONE_SECONDS
from assistant.settings import Settings, load
from assistant.state import State
from audio.messages import Ear, Fault, FromAudio, Health, Heard, Level, Ready
from audio.wire import encode
from intents.intent import Intent

BEAT_SECONDS = 0.2
LOOK_SECONDS = 0.002
NOTICED_SECONDS = 1.0
"""No sign of the audio process for so long means that it is gone (DECISIONS.md)."""
SLACK_SECONDS = 0.15
"""A busy machine may be this late."""
GIVE_UP_SECONDS = 2 * LEASE_SECONDS
WATCH_SECONDS = 2.5
"""How long the device is watched after it went off: the ears are back by then."""
AT_ONCE = 5


# The child


def beat() -> None:
    """Beat as the ears do; signals break it in different ways."""
    broken: set[str] = set()
    ways = {
        signal.SIGUSR1: "microphone",
        signal.SIGUSR2: "ears",
        signal.SIGHUP: "flood",
        signal.SIGWINCH: "garbage",
        signal.SIGURG: "loudspeaker",
        signal.SIGIO: "stop",
    }
    for number, what in ways.items():
        signal.signal(number, lambda *_, what=what: broken.add(what))
    say(Ready("stand-in", str(os.getpid())))
    block_at = time.monotonic()
    while True:
        now = time.monotonic()
        if "microphone" not in broken:
            block_at = now
        if "flood" in broken:
            say(*[Health(now, 0.0, -50.0, 0)] * 2000)
        elif "garbage" in broken:
            print('{"kind": "health", "block_age": ', flush=True)
        else:
            say(Health(now, now - block_at, -50.0, 0, "ears" not in broken))
        if "loudspeaker" in broken:
            say(Fault("loudspeaker_lost"))
        if "stop" in broken:
            say(Heard(Level.CONFIRMED, Intent.STOP, "stop", Ear.ALARM, now))
        time.sleep(BEAT_SECONDS)  # a signal that is caught does not shorten it


def say(*messages: FromAudio) -> None:
    """To the session."""
    sys.stdout.write("".join(map(encode, messages)))
    sys.stdout.flush()


# The session


@dataclass(frozen=True)
class Strike:
    """What is done to the audio process, and how long the massager may stay on, in seconds."""

    what: str
    number: int
    bound: float


STRIKES = (
    Strike("The audio process is killed with kill -9", signal.SIGKILL, NOTICED_SECONDS),
    Strike("The audio process is frozen with SIGSTOP", signal.SIGSTOP, NOTICED_SECONDS),
    Strike("The audio process talks nonsense", signal.SIGWINCH, NOTICED_SECONDS + BEAT_SECONDS),
    Strike("The audio process floods the session", signal.SIGHUP, NOTICED_SECONDS),
    Strike("No block comes from the microphone", signal.SIGUSR1, MICROPHONE_SECONDS + BEAT_SECONDS),
    Strike("An ear does not answer any more", signal.SIGUSR2, NOTICED_SECONDS),
    Strike("The loudspeaker is lost", signal.SIGURG, NOTICED_SECONDS),
    Strike("A stop is confirmed", signal.SIGIO, NOTICED_SECONDS),
)


class Massage:
    """A session in its massage, on the machine's own clock from there on."""

    def __init__(self, settings: Settings) -> None:
        self._rehearsal = make_rehearsal(settings)
        self._rehearsal.begin("neck-massager")
        self._rehearsal.run_until(State.DOING)
        self._began, self._from = time.monotonic(), self._rehearsal.now
        self.live = Live(self._rehearsal.conductor, self.clock)
        self.pid = 0
        self.ears = AudioProcess([], self._told, (sys.executable, __file__, "--beat"))

    def clock(self) -> float:
        """Session time goes on where the rehearsal left it."""
        self._rehearsal.now = self._from + time.monotonic() - self._began
        return self._rehearsal.now

    @property
    def on(self) -> bool:
        """Whether the device is on now."""
        self.clock()
        massager = self._rehearsal.massager
        return isinstance(massager, SimulatedMassager) and massager.on

    def _told(self, message: FromAudio) -> None:
        if isinstance(message, Ready):
            self.pid = int(message.model)
        self.live.tell(message)


async def until(condition: Callable[[], bool], seconds: float = GIVE_UP_SECONDS) -> float:
    """Wait for it; the seconds that it took, infinite when it did not come."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            return float("inf")
        await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic() - began


async def one(strike: Strike, settings: Settings) -> tuple[float, bool]:
    """Seconds that the massager stayed on after the strike, and whether it came on again."""
    massage = Massage(settings)
    tasks = [asyncio.create_task(massage.ears.listen()), asyncio.create_task(massage.live.run())]
    try:
        await until(lambda: massage.pid > 0)
        await asyncio.sleep(random.uniform(0.3, 1.3))
        os.kill(massage.pid, strike.number)
        off_after = await until(lambda: not massage.on)
        return off_after, await until(lambda: massage.on, WATCH_SECONDS) < WATCH_SECONDS
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(massage.pid, signal.SIGCONT)
        await massage.ears.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def all_tries(strike: Strike, settings: Settings, tries: int) -> list[tuple[float, bool]]:
    """So many tries, a few at the same time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def placed() -> tuple[float, bool]:
        async with places:
            return await one(strike, settings)

    return list(await asyncio.gather(*(placed() for _ in range(tries))))


def ears(tries: int) -> bool:
    """Print a row a strike; whether every bound held."""
    settings, held = load(personal=False), True
    for strike in STRIKES:
        outcomes = asyncio.run(all_tries(strike, settings, tries))
        worst, again = max(off for off, _ in outcomes), any(on for _, on in outcomes)
        row = (strike.what, "simulated", f"{strike.bound:g}", f"{worst:.2f}")
        print(f"| {' | '.join(row)} | {'YES' if again else 'never'} | {tries} |")
        sys.stdout.flush()
        held &= worst <= strike.bound + SLACK_SECONDS and not again
    return held


def massager(tries: int) -> bool:
    """The rows of bench/massager_faults.py, under its own head."""
    from massager_faults import PLANTED, table

    chosen = argparse.Namespace(
        tries=tries, at_once=10, kind=["esphome", "tasmota"], only=None, slack=SLACK_SECONDS
    )
    assert set(chosen.kind) <= set(PLANTED)
    return asyncio.run(table(chosen))


HEAD = (
    "| fault | device | bound s | worst s | on again, worst s | tries |\n|---|---|---|---|---|---|"
)


def main() -> int:
    """Print it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--only", choices=["ears", "massager"])
    parser.add_argument("--beat", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.beat:
        beat()
    logging.disable()  # every fault would be told once more
    held = True
    if chosen.only != "ears":
        held &= massager(chosen.tries)
    else:
        print(HEAD)
    if chosen.only != "massager":
        held &= ears(chosen.tries)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
