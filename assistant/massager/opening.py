"""Opens the massager that a person named, or says in one line why it may not be used.

It must never return a device that another session holds, that has not confirmed off just now, or
that has not passed its own test: without all three no lease is ever given.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import TypeVar

from assistant.massager import Massager, RealMassager
from assistant.massager.device import KINDS, SIMULATED, Device
from assistant.massager.proof import require_proof
from assistant.massager.simulated import SimulatedMassager
from assistant.safety import LEASE_SECONDS
from audio.errors import MassagerUnsafe

CONFIRM_SECONDS = 4.0
"""How long a device may take to confirm the off that everything begins with."""
LOOK_SECONDS = 0.02
Described = TypeVar("Described")


async def open_massager(
    name: str,
    devices: Mapping[str, Device],
    *,
    state: Path,
    clock: Callable[[], float] = monotonic,
    longest_seconds: float = LEASE_SECONDS,
    patience_seconds: float = CONFIRM_SECONDS,
    proven: bool = True,
) -> Massager:
    """Open the massager `name`, off and confirmed off.

    `state` is the folder for the lock and the passed tests; `clock` is the simulated massager's;
    `patience_seconds` is how long the device may take to confirm; `proven=False` is for tests of
    this program only. Raises MassagerUnsafe.
    """
    if name == SIMULATED:
        return SimulatedMassager(clock, longest_seconds=longest_seconds)
    device = find(name, devices)
    if proven:
        require_proof(device, state)
    return await open_device(
        device, state=state, longest_seconds=longest_seconds, patience_seconds=patience_seconds
    )


async def open_device(
    device: Device,
    *,
    state: Path,
    longest_seconds: float = LEASE_SECONDS,
    patience_seconds: float = CONFIRM_SECONDS,
) -> RealMassager:
    """Open a device for this process alone, off and confirmed off, proven or not.

    Raises MassagerUnsafe.
    """
    release = _lock(device, state)
    try:
        massager = connect(device, longest_seconds=longest_seconds, release=release)
    except MassagerUnsafe:
        release()
        raise
    await _begin_off(massager, device, patience_seconds)
    return massager


def find(name: str, devices: Mapping[str, Described]) -> Described:
    """Return what is called `name`; raises MassagerUnsafe with the names that there are."""
    if name in devices:
        return devices[name]
    known = ", ".join([SIMULATED, *sorted(devices)])
    raise MassagerUnsafe(f"no massager is called {name!r}", f"there is: {known}")


def connect(
    device: Device,
    *,
    longest_seconds: float = LEASE_SECONDS,
    release: Callable[[], None] = lambda: None,
) -> RealMassager:
    """Make the device's massager, without lock, proof or confirmation: good for off only.

    Must be called inside a running asyncio loop. Raises MassagerUnsafe.
    """
    if device.led is not None:
        from assistant.massager.pin import PinMassager

        return PinMassager(
            device.name, device.led, longest_seconds=longest_seconds, release=release
        )
    return _over_mqtt(device, longest_seconds, release)


async def confirmed_off(massager: RealMassager, seconds: float, *, give_up: bool = False) -> bool:
    """Say off, wait at most `seconds` for the device to confirm it, say whether it did.

    `give_up`: do not wait for a broker that cannot be reached to be there again.
    """
    massager.off()
    began = monotonic()
    while (now := monotonic()) < began + seconds:
        report = massager.report(now)
        if report.on is False and report.at >= began:
            return True
        if give_up and massager.trouble:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return False


async def _begin_off(massager: RealMassager, device: Device, seconds: float) -> None:
    try:
        if await confirmed_off(massager, seconds, give_up=True):
            return
        raise massager.trouble or silent(device)
    except BaseException:
        massager.close()
        raise


def silent(device: Device) -> MassagerUnsafe:
    """The error for a device that never confirmed anything."""
    where = f"{device.kind} on topic {device.topic!r}" if device.topic else device.kind
    return MassagerUnsafe(
        f"massager {device.name!r}: nothing confirmed that it is off ({where})",
        "is it plugged in, connected, and is the topic written as in the device?",
    )


def _over_mqtt(device: Device, longest_seconds: float, release: Callable[[], None]) -> RealMassager:
    try:
        from assistant.massager.esphome import Esphome
        from assistant.massager.mqtt import Dialect, MqttMassager
        from assistant.massager.shelly import Shelly
        from assistant.massager.tasmota import Tasmota
        from assistant.massager.zigbee2mqtt import Zigbee2Mqtt
    except ModuleNotFoundError as error:
        raise MassagerUnsafe(
            f"massager {device.name!r}: {error.name} is not installed",
            "pip install 'unknot[mqtt]'",
        ) from None

    dialects: dict[str, Callable[[], Dialect]] = {
        "esphome": lambda: Esphome(device.topic, device.levels),
        "tasmota": lambda: Tasmota(device.topic, device.relay),
        "shelly": lambda: Shelly(device.topic, device.relay),
        "zigbee2mqtt": lambda: Zigbee2Mqtt(device.topic),
    }
    if device.kind not in dialects or device.broker is None:
        raise MassagerUnsafe(f"kind {device.kind!r}: unknown", f"one of {', '.join(KINDS)}")
    return MqttMassager(
        device.name,
        dialects[device.kind](),
        device.broker,
        longest_seconds=longest_seconds,
        release=release,
    )


def _lock(device: Device, state: Path) -> Callable[[], None]:
    """Hold the device for this process; the kernel lets go of it when the process ends."""
    path = state / f"massager-{device.identity}.lock"
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise MassagerUnsafe(f"{path}: {error.strerror}", "make room, or make it yours") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
    except OSError as error:
        holder = os.pread(file, 20, 0).decode().strip() or "unknown"
        os.close(file)
        if not isinstance(error, BlockingIOError):
            raise MassagerUnsafe(f"{path}: {error.strerror}", "make room on the disk") from None
        raise MassagerUnsafe(
            f"massager {device.name!r} is in use by another session (process {holder})",
            "end that one first",
        ) from None
    return _closing(file)


def _closing(file: int) -> Callable[[], None]:
    """A function that closes `file` the first time that it is called."""
    held = [file]

    def close() -> None:
        while held:
            os.close(held.pop())

    return close
