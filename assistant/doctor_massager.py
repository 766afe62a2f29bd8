"""Looks at massagers and their brokers; it must never switch anything on.

What a massager has proved is looked up; it is reached only where that was asked for.
"""

import asyncio
from collections.abc import Iterator
from functools import partial

from assistant import paths
from assistant.doctor_broker import broker, distinct
from assistant.machine_checks import Check, answers
from assistant.massager.device import SIMULATED, Broker, Device, read_devices
from assistant.massager.opening import open_device
from assistant.massager.proof import require_proof
from assistant.settings import Settings
from audio.errors import MassagerUnsafe


def massagers() -> Iterator[Check]:
    """Each massager of massagers.toml: reachable, off, and proven to go off by itself.

    Nothing is switched on; a device that a session holds is left alone.
    """
    devices: dict[str, Device] = {}

    def described() -> Check:
        devices.update(read_devices(paths.massagers_file()))
        return Check("massagers", True, f"{len(devices)} in {paths.massagers_file()}")

    yield from answers([("massagers", described)])
    for name, device in devices.items():
        yield from answers([(f"massager {name}", partial(_massager, device))])


def guarantees(settings: Settings) -> Iterator[Check]:
    """Of each massager, whether it has proved, as it is described now, that it goes off by itself.

    Nothing is reached or switched on; a list that cannot be read is told by `massagers`.
    """
    devices = _devices()
    wanted = settings.massager.name
    if wanted not in (SIMULATED, "none", *devices):
        remedy = f"describe it in {paths.massagers_file()}, or change massager.name"
        value = f"the setting massager.name is {wanted!r}, which nobody has described"
        yield Check("guarantee", False, value, remedy, MassagerUnsafe.exit_code)
    for name, device in devices.items():
        yield from answers([(f"guarantee {name}", partial(_guarantee, device))])


def brokers(settings: Settings) -> Iterator[Check]:
    """Each MQTT broker that a session would use: reachable, and no stranger let in."""
    wanted: list[Broker | None] = [device.broker for device in _devices().values()]
    if settings.home_assistant.enabled:
        from assistant.homeassistant import broker_named

        wanted.append(broker_named(settings.home_assistant, paths.config_folder()))
    for where in distinct(wanted):
        yield from answers([(f"broker {where.host}:{where.port}", partial(broker, where))])


def _massager(device: Device) -> Check:
    async def reach() -> None:
        require_proof(device, paths.state_folder())
        (await open_device(device, state=paths.state_folder())).close()

    asyncio.run(reach())
    return Check(f"massager {device.name}", True, "off, and proven to go off by itself")


def _guarantee(device: Device) -> Check:
    require_proof(device, paths.state_folder())
    value = "proved to go off by itself, as it is described now"
    return Check(f"guarantee {device.name}", True, value)


def _devices() -> dict[str, Device]:
    try:
        return read_devices(paths.massagers_file())
    except MassagerUnsafe:
        return {}
