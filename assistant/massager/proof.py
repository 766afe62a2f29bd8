"""Proves that a device goes off by itself, once per device and configuration.

It must never take a device's promise for a proof: on with a short lease, then nothing but the
questions that a session asks too, and only the device's own off counts.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from assistant.massager import Massager, RealMassager
from assistant.massager.device import Device
from audio.errors import MassagerUnsafe

TEST_SECONDS = 5.0
"""The lease of the test."""
ON_SECONDS = 3.0
"""How long a device may take to come on."""
LATE_SECONDS = 2.0
"""How much later than its lease the device's own off may be heard of."""
EARLY_SECONDS = 1.5
"""A device that goes off this much before its lease ran out does not keep leases either."""
LOOK_SECONDS = 0.02
FILE = "massager-tests.json"


async def prove(massager: RealMassager, seconds: float = TEST_SECONDS) -> float:
    """Switch on for `seconds`, only ask, return after how many seconds the device was off.

    The massager must have confirmed off. Raises MassagerUnsafe naming the guarantee that failed;
    the device has then been told off.
    """
    try:
        massager.lease(1, seconds)
        began = monotonic()
        if not await _becomes(massager, True, ON_SECONDS):
            raise _failed(massager, "it comes on when asked", "check its plug and its own switch")
        came_on = monotonic()
        massager.quiet = True
        if not await _becomes(massager, False, seconds + LATE_SECONDS):
            raise _failed(massager, "it goes off by itself", "never use it without somebody near")
        if monotonic() - came_on < seconds - EARLY_SECONDS:
            raise _failed(massager, "it keeps a lease to its end", "check its own timer settings")
        return monotonic() - began
    finally:
        massager.quiet = False
        massager.off()


def require_proof(device: Device, state: Path) -> None:
    """Raise MassagerUnsafe unless this device passed, configured exactly as it is now."""
    passed = _passed(state).get(device.identity)
    if passed == device.fingerprint:
        return
    why = "its configuration has changed since its test" if passed else "it was never tested"
    raise MassagerUnsafe(
        f"massager {device.name!r}: {why}", f"run: unknot massager test {device.name}"
    )


def remember(device: Device, state: Path) -> None:
    """Write down that this device passed as it is configured now; the file is its owner's only.

    Raises OSError when it cannot be written; what was there before is then still there.
    """
    tests = {**_passed(state), device.identity: device.fingerprint}
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=state, prefix=f".{FILE}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(tests, file, indent=1)
        Path(name).replace(state / FILE)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _passed(state: Path) -> Mapping[str, str]:
    """The tests passed; none if the file is missing or broken, which asks for the test again."""
    try:
        tests = json.loads((state / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return tests if isinstance(tests, dict) else {}


async def _becomes(massager: Massager, on: bool, seconds: float) -> bool:
    """Wait at most `seconds` for the device to confirm `on`."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        if massager.report(0.0).on is on:
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


def _failed(massager: Massager, guarantee: str, remedy: str) -> MassagerUnsafe:
    return MassagerUnsafe(f"massager {massager.name!r} failed its test: {guarantee!r}", remedy)
