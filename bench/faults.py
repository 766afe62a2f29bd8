"""Prints one table of every fault that a session survives: its bound, and the worst measured.

    python bench/faults.py [--tries 20] [--only massager|program|ears|sound]

Here the audio process is a real child that beats as the ears do, and is killed, frozen, made deaf
or made to talk nonsense at a random moment of a massage; what is measured is how long the
(simulated) massager stayed on after that. The faults of broker, network and device are those of
bench/massager_faults.py, those of clock and disk of bench/program_faults.py, those of real sound of
bench/sound_faults.py. Ends with 1 when a bound was broken.
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
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from massage import Massage, seconds_until

from assistant.safety import LEASE_SECONDS, MICROPHONE_SECONDS
from assistant.settings import Settings, load
from audio.messages import Ear, Fault, FromAudio, Health, Heard, Level, Ready
from audio.wire import encode
from intents.intent import Intent

BEAT_SECONDS = 0.2
NOTICED_SECONDS = 1.0
"""No sign of the audio process for so long means that it is gone."""
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


async def one(strike: Strike, settings: Settings) -> tuple[float, bool]:
    """Seconds that the massager stayed on after the strike, and whether it came on again."""
    massage = Massage(settings, ["--beat"], command=(sys.executable, __file__))
    async with massage.under_way():
        assert massage.ready is not None
        pid = int(massage.ready.model)
        await asyncio.sleep(random.uniform(0.3, 1.3))
        try:
            os.kill(pid, strike.number)
            off_after = await seconds_until(lambda: not massage.on, GIVE_UP_SECONDS)
            again = await seconds_until(lambda: massage.on, WATCH_SECONDS)
            return off_after, again < WATCH_SECONDS
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


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


def sound(tries: int) -> bool:
    """The table of bench/sound_faults.py, where there is a sound server to break."""
    import sound_faults

    if sound_faults.missing():
        print(f"\nnot tried, faults of real sound: {sound_faults.missing()} missing")
        return True
    print(f"\n{sound_faults.HEAD}")
    return asyncio.run(sound_faults.table(tries))


def program(tries: int) -> bool:
    """The rows of bench/program_faults.py."""
    import program_faults

    return program_faults.table(tries)


PARTS: dict[str, Callable[[int], bool]] = {
    "massager": massager,
    "program": program,
    "ears": ears,
    "sound": sound,
}


def main() -> int:
    """Print it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--beat", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.beat:
        beat()
    logging.disable()  # every fault would be told once more
    wanted = [chosen.only] if chosen.only else list(PARTS)
    if wanted[0] in ("program", "ears"):
        print(HEAD)
    held = [PARTS[part](chosen.tries) for part in wanted]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
