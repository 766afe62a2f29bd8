"""Breaks real sound, many times: devices of a sound server of our own go, come back, and lie.

    python bench/sound_faults.py [--tries 20] [--only muted ...]

Each place has a real audio process on real PortAudio streams, and a session in its massage with a
simulated massager. Prints for every fault how long the massager stayed on after it and whether it
was named rightly, and how long after its end the sound was back without a restart of the program.
It must never touch the sound server of whoever runs it.
"""

import argparse
import asyncio
import contextlib
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from massage import Massage, seconds_until
from sound_server import PACKAGES, PROGRAMS, SoundServer
from sound_strikes import FAULTS, Fault, Place, plug_nothing, write_sounds

from assistant.ear import Patience
from assistant.settings import Settings, load
from audio.messages import Fault as Told
from audio.messages import Health, Ready, Recovered

BOUND_SECONDS = 3.0
SLACK_SECONDS = 0.3
"""A busy machine may be this late."""
GIVE_UP_SECONDS = 40.0
CALM_SECONDS = 1.5
WORDS = 8
"""How often the person says continue: it may be said while the voice still tells the fault."""
PLACES = 3
SERVER = "server"
SERVER_TOLD = ("microphone_lost", "loudspeaker_lost", "audio_process_died", "audio_process_hangs")


@dataclass(frozen=True)
class Outcome:
    """Seconds until the massager was off, until the right name was told, until all was well."""

    off_after: float
    named_after: float
    back_after: float


async def one(place: Place, fault: Fault) -> Outcome:
    """One try in a massage that is on; it is on again afterwards."""
    await seconds_until(lambda: False, CALM_SECONDS + random.uniform(0.0, 1.0))
    seen = len(place.massage.told)
    mend = await fault.strike(place)
    return await follow(place.massage, fault.told, seen, mend)


async def follow(
    massage: Massage, what: tuple[str, ...], seen: int, mend: Callable[[], None]
) -> Outcome:
    """From the strike on: off, named, mended, back, and on again by the person's word."""

    def named() -> bool:
        return any(isinstance(m, Told) and m.what in what for m in massage.told[seen:])

    def back() -> bool:
        """Its end was told, or a new audio process says that it is ready."""
        news = massage.told[seen:]
        return any(
            isinstance(m, Ready) or (isinstance(m, Recovered) and m.what in what) for m in news
        )

    off_after = await seconds_until(lambda: not massage.on, GIVE_UP_SECONDS)
    named_after = off_after + await seconds_until(named, GIVE_UP_SECONDS)
    mend()
    back_after = await seconds_until(back, GIVE_UP_SECONDS)
    if massage.on:
        raise AssertionError(f"on again, or never off: {massage.told[-40:]} {massage.lines[-9:]}")
    for _ in range(WORDS):
        massage.go_on()
        if await seconds_until(lambda: massage.on, GIVE_UP_SECONDS / WORDS) < GIVE_UP_SECONDS:
            return Outcome(off_after, named_after, back_after)
    news = [message for message in massage.told if not isinstance(message, Health)]
    raise AssertionError(f"no word brings it on: {news[-9:]} {massage.lines[-9:]}")


async def restarted(places: Sequence[Place], server: SoundServer) -> list[Outcome]:
    """The sound server is killed, and started again: every place at once."""
    await seconds_until(lambda: False, CALM_SECONDS)
    seen = [len(place.massage.told) for place in places]
    server.stop()

    async def start() -> None:
        await seconds_until(lambda: not any(p.massage.on for p in places), GIVE_UP_SECONDS)
        await seconds_until(lambda: False, 1.0)
        await asyncio.to_thread(server.start)
        plug_nothing(server)
        for place in places:
            place.hiss()

    follows = [
        follow(place.massage, SERVER_TOLD, at, lambda: None)
        for place, at in zip(places, seen, strict=True)
    ]
    starting = asyncio.create_task(start())
    outcomes = await asyncio.gather(*follows)
    await starting
    return outcomes


@contextlib.asynccontextmanager
async def open_places(server: SoundServer, settings: Settings) -> AsyncIterator[list[Place]]:
    """A massage under way in every room of the server."""
    async with contextlib.AsyncExitStack() as stack:
        places = []
        for room in server.rooms:
            arguments = ["--live", "--engine=embedded", "--microphone=pulse", "--loudspeaker=pulse"]
            environment = [f"{name}={value}" for name, value in room.environment.items()]
            arguments.append(f"--cache={server.folder}/voice")
            massage = Massage(settings, arguments, environment, patience=Patience(silence=3.0))
            places.append(Place(room, massage, []))
            places[-1].hiss()
            await stack.enter_async_context(massage.under_way())
        yield places
        for sound in [sound for place in places for sound in place.sounds]:
            sound.kill()
            sound.wait()


async def table(tries: int, only: Sequence[str] | None = None) -> bool:
    """Print a row a fault; whether every bound held."""
    settings, held = load(personal=False), True
    wanted = [fault for fault in FAULTS if not only or fault.name in only]
    with tempfile.TemporaryDirectory() as folder:
        write_sounds(Path(folder))
        server = SoundServer(Path(folder), PLACES)
        server.start()
        plug_nothing(server)
        try:
            async with open_places(server, settings) as places:
                for fault in wanted:
                    outcomes = await all_tries(places, fault, tries)
                    held &= _print_row(fault.strike.__doc__, fault.told, outcomes)
                if not only or SERVER in only:
                    all_at_once: list[Outcome] = []
                    while len(all_at_once) < tries:
                        all_at_once += await restarted(places, server)
                    held &= _print_row(restarted.__doc__, SERVER_TOLD, all_at_once)
        finally:
            server.stop()
    return held


async def all_tries(places: Sequence[Place], fault: Fault, tries: int) -> list[Outcome]:
    """So many tries, one at a time in every place."""

    async def several(place: Place, count: int) -> list[Outcome]:
        return [await one(place, fault) for _ in range(count)]

    shares = [tries // PLACES + (number < tries % PLACES) for number in range(PLACES)]
    done = await asyncio.gather(*map(several, places, shares))
    return [outcome for outcomes in done for outcome in outcomes]


HEAD = (
    "| fault of the sound, real streams | named | bound s | off after, worst s "
    "| named after, worst s | back after, worst s | tries |\n|---|---|---|---|---|---|---|"
)


def _print_row(what: str | None, named: Sequence[str], outcomes: Sequence[Outcome]) -> bool:
    off, told, back = (
        max(getattr(outcome, name) for outcome in outcomes)
        for name in ("off_after", "named_after", "back_after")
    )
    title = (what or "").rstrip(".").removesuffix(": every place at once")
    figures = f"{BOUND_SECONDS:g} | {off:.2f} | {told:.2f} | {back:.2f} | {len(outcomes)}"
    print(f"| {title} | {' or '.join(named)} | {figures} |")
    sys.stdout.flush()
    return bool(max(off, told) <= BOUND_SECONDS + SLACK_SECONDS and back < GIVE_UP_SECONDS)


def missing() -> str:
    """What a sound server of our own lacks here; empty when nothing."""
    return ", ".join(name for name in PROGRAMS if shutil.which(name) is None)


def main() -> int:
    """Print the table; 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    names = [*(fault.name for fault in FAULTS), SERVER]
    parser.add_argument("--only", nargs="+", choices=names)
    chosen = parser.parse_args()
    if missing():
        print(f"{missing()} missing: {PACKAGES}")
        return 0
    logging.disable()  # every fault would be told once more
    print(HEAD)
    return 0 if asyncio.run(table(chosen.tries, chosen.only)) else 1


if __name__ == "__main__":
    sys.exit(main())
