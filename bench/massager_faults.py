"""Kills, freezes and cuts off real processes while a session holds a 10 s lease, many times.

    python bench/massager_faults.py [--tries 20] [--kind esphome tasmota] [--only killed ...]

Prints for every fault how long the device stayed on after it, against the bound, worst of all
tries, and whether it ever came on again by itself. Each try has a broker, a plug and a session of
its own (tests/massager_rig.py) and strikes at a random moment between two renewals. The Tasmota
here is set up without its rule for a lost broker: nothing but its timer helps it.
"""

import argparse
import asyncio
import random
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from massager_rig import Plug, Scene, holds, now, until
from set_clock import DAY

from assistant.safety import LEASE_SECONDS, RENEW_SECONDS

WATCH_SECONDS = 4.0
"""How long a device is watched after everything works again."""
ALIVE_SECONDS = 1.0
"""The bound where the session itself is alive."""
PLANTED = {
    "esphome": ("massager/set", '{"state": "ON", "level": 5, "lease": 3600}'),
    "tasmota": ("cmnd/massager/POWER", "ON"),
    "zigbee2mqtt": ("zigbee2mqtt/massager/set", '{"state": "ON"}'),
}


@dataclass(frozen=True)
class Outcome:
    """Seconds on after the fault, and seconds on again afterwards without being asked."""

    off_after: float
    on_again: float


async def session_killed(scene: Scene) -> float:
    """The session is killed with kill -9."""
    at = now()
    await scene.session.kill()
    await scene.off_after(at)
    return at


async def session_frozen(scene: Scene) -> float:
    """The session is frozen with SIGSTOP, and thawed after the device went off."""
    at = now()
    scene.session.signal(signal.SIGSTOP)
    await scene.off_after(at)
    scene.session.signal(signal.SIGCONT)
    return at


async def loop_blocked(scene: Scene) -> float:
    """The session's loop is blocked for 12 s."""
    scene.session.tell("block 12")
    await until(lambda: scene.did("blocked"))
    at = float(scene.did("blocked")[0]["at"])
    await scene.off_after(at)
    await asyncio.sleep(max(0.0, at + 12.0 - now()))
    return at


async def broker_killed(scene: Scene) -> float:
    """The broker is killed, and comes back with a retained on that somebody else planted."""
    at = now()
    await scene.broker.kill()
    await scene.off_after(at)
    count = len(scene.plug.lines)
    await scene.plant(*PLANTED[scene.kind])
    await scene.broker.start()
    await until(lambda: any("joined" in line for line in scene.plug.lines[count:]), 20.0)
    return at


async def broker_frozen(scene: Scene) -> float:
    """The broker is frozen with SIGSTOP, and thawed after the device went off."""
    at = now()
    scene.broker.signal(signal.SIGSTOP)
    await scene.off_after(at)
    scene.broker.signal(signal.SIGCONT)
    return at


async def network_cut(scene: Scene) -> float:
    """The network to the broker is cut without a word; what was under way arrives later."""
    at = now()
    scene.network.cut()
    await scene.off_after(at)
    scene.network.mend()
    return at


async def clock_forward(scene: Scene) -> float:
    """The clock is set forward by a day."""
    return await _clock_set(scene, DAY)


async def clock_back(scene: Scene) -> float:
    """The clock is set back by a day."""
    return await _clock_set(scene, -DAY)


async def _clock_set(scene: Scene, seconds: float) -> float:
    at = now()
    scene.clock.set_by(seconds)
    await scene.off_after(at)
    return at


async def device_restarted(scene: Scene) -> float:
    """The device loses its power in the middle of a lease, and gets it back."""
    at, lost = now(), scene.plug
    await lost.kill()
    scene.plug = Plug(scene.kind, *scene.broker.login())
    scene.plug.lines.append({"on": False, "at": now()})
    await scene.plug.begin()
    return at


async def halted(scene: Scene) -> float:
    """The session lives, and halts."""
    at = now()
    scene.session.tell("halt")
    await scene.off_after(at)
    return at


async def device_lies(scene: Scene) -> float:
    """The device confirms the off and stays on: seconds until that is noticed."""
    at = now()
    scene.session.tell("halt")
    await until(lambda: scene.did("disobeys"), 20.0)
    noticed = float(scene.did("disobeys")[0]["at"])
    await scene.off_after(at)
    scene.plug.lines.append({"on": False, "at": noticed})
    return at


@dataclass(frozen=True)
class Fault:
    """What is done, and how long the device may stay on after it, in seconds."""

    name: str
    strike: Callable[[Scene], Awaitable[float]]
    bound: float
    kind: str | None = None
    flags: tuple[str, ...] = ()
    settable: bool = False


FAULTS = (
    Fault("killed", session_killed, LEASE_SECONDS),
    Fault("frozen", session_frozen, LEASE_SECONDS),
    Fault("blocked", loop_blocked, LEASE_SECONDS),
    Fault("broker-killed", broker_killed, LEASE_SECONDS),
    Fault("broker-frozen", broker_frozen, LEASE_SECONDS),
    Fault("network-cut", network_cut, LEASE_SECONDS),
    Fault("clock-forward", clock_forward, ALIVE_SECONDS, settable=True),
    Fault("clock-back", clock_back, ALIVE_SECONDS, settable=True),
    Fault("device-restarted", device_restarted, LEASE_SECONDS),
    Fault("halted", halted, ALIVE_SECONDS),
    Fault("liar", device_lies, LEASE_SECONDS, "zigbee2mqtt", ("--liar",)),
)


async def one(fault: Fault, kind: str) -> Outcome:
    """One try, from a fresh start."""
    with tempfile.TemporaryDirectory() as folder:
        async with Scene(Path(folder), kind, LEASE_SECONDS, fault.flags, fault.settable) as scene:
            await asyncio.sleep(random.uniform(0.0, RENEW_SECONDS))
            at = await fault.strike(scene)
            await holds(lambda: True, WATCH_SECONDS)
            return _outcome(scene.plug.edges, at)


def _outcome(edges: list[dict[str, float]], at: float) -> Outcome:
    """Read the plug's own account: when it went off, and how long it was on after that."""
    after = [edge for edge in edges if edge["at"] >= at]
    offs = [edge["at"] for edge in after if not edge["on"]]
    first_off = min(offs) if offs else float("inf")
    again, on_since = 0.0, None
    for edge in after:
        if edge["on"] and edge["at"] > first_off:
            on_since = on_since or edge["at"]
        elif not edge["on"] and on_since is not None:
            again, on_since = again + edge["at"] - on_since, None
    if on_since is not None:
        again = float("inf")
    return Outcome(first_off - at, again)


async def all_tries(fault: Fault, kind: str, tries: int, at_once: int) -> list[Outcome]:
    """So many tries, a few at the same time."""
    places = asyncio.Semaphore(at_once)

    async def placed() -> Outcome:
        async with places:
            return await one(fault, kind)

    return list(await asyncio.gather(*(placed() for _ in range(tries))))


async def table(args: argparse.Namespace) -> bool:
    """Print a line a fault and kind; say whether every bound held."""
    print("| fault | device | bound s | worst s | on again, worst s | tries |")
    print("|---|---|---|---|---|---|")
    held = True
    for fault in FAULTS:
        if args.only and fault.name not in args.only:
            continue
        for kind in [fault.kind] if fault.kind else args.kind:
            outcomes = await all_tries(fault, kind, args.tries, args.at_once)
            worst = max(outcome.off_after for outcome in outcomes)
            again = max(outcome.on_again for outcome in outcomes)
            what = (fault.strike.__doc__ or fault.name).splitlines()[0].rstrip(".")
            told = f"{again:.2f}" if again else "never"
            print(f"| {what} | {kind} | {fault.bound:g} | {worst:.2f} | {told} | {args.tries} |")
            sys.stdout.flush()
            held &= worst <= fault.bound + args.slack and again <= LEASE_SECONDS
    return held


def main() -> int:
    """Print the table; 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--kind", nargs="+", choices=PLANTED, default=["esphome", "tasmota"])
    parser.add_argument("--only", nargs="+", choices=[fault.name for fault in FAULTS])
    parser.add_argument(
        "--slack", type=float, default=0.1, help="seconds by which a busy machine may be late"
    )
    return 0 if asyncio.run(table(parser.parse_args())) else 1


if __name__ == "__main__":
    sys.exit(main())
