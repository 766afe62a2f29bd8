"""How long it takes from the decision to halt to the off packet on its way, over loopback.

    python bench/off_delay.py [--tries 300]

A real broker, a simulated plug, and between the massager and the broker a process that notes when
each off passes. It must never measure a massager that was not on.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from massager_rig import Broker, Plug, Process, until, write_devices

from assistant.massager import Massager
from assistant.massager.device import read_devices
from assistant.massager.opening import open_massager
from assistant.safety import Governor

BOUND_MS = 5.0
KIND = "tasmota"


async def tap(port: int) -> None:
    """Relay to the broker on `port`; print when an off passes."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, told: bool) -> None:
        while data := await reader.read(65536):
            at = time.monotonic()
            writer.write(data)
            # QoS 1 puts two bytes of packet number between topic and payload.
            if told and b"/Power1" in data and b"OFF" in data:
                sys.stdout.write(f'{{"off": true, "at": {at}}}\n')
                sys.stdout.flush()
        writer.close()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            relay(reader, far_writer, told=True), relay(far_reader, writer, told=False)
        )

    server = await asyncio.start_server(joined, "127.0.0.1", 0)
    sys.stdout.write(f'{{"port": {server.sockets[0].getsockname()[1]}}}\n')
    sys.stdout.flush()
    await server.serve_forever()


async def one(massager: Massager, plug: Plug, passed: Process) -> tuple[float, float]:
    """Switch on, halt at a random moment; milliseconds until the off passed, and to return."""
    massager.lease(1, 10.0)
    await until(lambda: plug.on)
    await asyncio.sleep(random.uniform(0.0, 0.05))
    governor, seen = Governor(levels=1), len(passed.lines)
    began = time.monotonic()
    governor.off("stop", began)
    massager.off()
    returned = time.monotonic()
    await until(lambda: len(passed.lines) > seen)
    await until(lambda: not plug.on)
    await until(lambda: massager.report(0.0).on is False)
    return 1000 * (passed.lines[seen]["at"] - began), 1000 * (returned - began)


async def measure(tries: int, folder: Path) -> list[tuple[float, float]]:
    """Run all tries; milliseconds until passed and to return, one pair a try."""
    broker = await Broker(folder / "broker").start()
    plug = await Plug(KIND, *broker.login()).begin()
    passed = await Process((__file__, "--tap", str(broker.port))).start("port")
    devices = read_devices(write_devices(folder, KIND, passed.lines[0]["port"]))
    massager = await open_massager("neck", devices, state=folder / "state", proven=False)
    try:
        return [await one(massager, plug, passed) for _ in range(tries)]
    finally:
        massager.close()
        await asyncio.sleep(0.1)
        for process in (passed, plug, broker):
            await process.kill()


def main() -> int:
    """Print the table; 1 if the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=300)
    parser.add_argument("--tap", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.tap:
        asyncio.run(tap(args.tap))
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(measure(args.tries, Path(folder)))
    load = os.getloadavg()[0]
    print(f"From the decision to halt, {args.tries} tries, milliseconds; load average {load:.1f}:")
    print("| until | bound, p99 | median | p99 | worst |\n|---|---|---|---|---|")
    leaving, returning = zip(*results, strict=True)
    _print_row("the off is on its way to the broker", f"{BOUND_MS:g}", leaving)
    _print_row("the call returns, its question sent too", "-", returning)
    return int(_p99(leaving) > BOUND_MS)


def _p99(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


def _print_row(what: str, bound: str, times: Sequence[float]) -> None:
    median = statistics.median(times)
    print(f"| {what} | {bound} | {median:.2f} | {_p99(times):.2f} | {max(times):.2f} |")


if __name__ == "__main__":
    sys.exit(main())
