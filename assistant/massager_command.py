"""What `unknot massager test` and `unknot massager off` do; neither may ever need a session.

`off` imports little and reads nothing but massagers.toml, so that it works while a session hangs.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from assistant.massager.device import SIMULATED, Device, describe, read_devices, read_tables
from assistant.massager.opening import confirmed_off, connect, find, open_device, silent
from assistant.massager.proof import TEST_SECONDS, prove, remember
from audio.errors import MassagerUnsafe, UnknotError

OFF_SECONDS = 4.0
"""How long a device may take to confirm an off."""
FILE = "massagers.toml"

Say = Callable[[str], None]
Ask = Callable[[str], bool]


def switch_off(name: str | None, file: Path, say: Say, *, seconds: float = OFF_SECONDS) -> None:
    """Switch off the massager `name`, or every one that is described in `file`.

    Says a line for each. Raises MassagerUnsafe when any did not confirm it within `seconds`, after
    all were tried.
    """
    if name == SIMULATED:
        say(f"{SIMULATED}: there is nothing to switch off")
        return
    tables = read_tables(file)
    if name is not None:
        tables = {name: find(name, tables)}
    if not tables:
        say(f"{file}: no massager is described there, none to switch off")
        return
    failed = list(asyncio.run(_all_off(tables, file, say, seconds)))
    if failed:
        raise MassagerUnsafe(
            "; ".join(str(error) for error in failed), "if it runs: pull its plug now"
        )


async def _all_off(
    tables: Mapping[str, object], file: Path, say: Say, seconds: float
) -> Iterator[UnknotError]:
    """Switch all off at the same time; a broken description of one keeps no other on."""
    results = await asyncio.gather(
        *(_one_off(name, table, file, say, seconds) for name, table in tables.items()),
        return_exceptions=True,
    )
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, UnknotError):
            raise result
    return (result for result in results if isinstance(result, UnknotError))


async def _one_off(name: str, table: object, file: Path, say: Say, seconds: float) -> None:
    device = describe(name, table, file)
    massager = connect(device)
    try:
        if not await confirmed_off(massager, seconds):
            raise massager.trouble or silent(device)
        say(f"{name}: off, confirmed by the device")
    finally:
        massager.close()


def run_test(
    name: str,
    file: Path,
    state: Path,
    *,
    say: Say,
    ask: Ask,
    seconds: float = TEST_SECONDS,
) -> None:
    """Prove that the massager `name` goes off by itself, and write down that it did.

    `ask` puts a question and says whether the answer was yes. Raises MassagerUnsafe naming the
    guarantee that failed, UnknotError if the person did not say yes.
    """
    if name == SIMULATED:
        say(f"{SIMULATED}: needs no test, it touches nobody")
        return
    device = find(name, read_devices(file))
    say(f"This switches {name!r} on for {seconds:g} seconds and then says nothing more.")
    say("It has to go off by itself. Switch it to its lowest level, and take it off your neck.")
    if not ask("Does it lie beside you, touching nobody?"):
        raise UnknotError("not tested: nothing was switched on", "take it off your neck first")
    took = asyncio.run(_prove(device, state, seconds, say))
    remember(device, state)
    say(f"Passed: it went off by itself after {took:.1f} seconds.")
    say("If you still hear or feel it run, it lies: pull its plug, and do not use it.")


async def _prove(device: Device, state: Path, seconds: float, say: Say) -> float:
    massager = await open_device(device, state=state)
    try:
        say("Reached, and off. Now on ...")
        return await prove(massager, seconds)
    finally:
        await confirmed_off(massager, OFF_SECONDS)
        massager.close()
