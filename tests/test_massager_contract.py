"""What every massager does, whatever its kind: simulated, behind a real broker, or on a pin.

The devices behind the broker and the pin's kernel are processes of their own (plugs.py); what is
asserted is what *they* did, not what the massager says of them.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from massager_rig import Broker, Plug, holds, in_loop, now, runner, until, write_devices

from assistant.massager import Massager
from assistant.massager.device import KINDS, read_devices
from assistant.massager.opening import open_massager
from assistant.massager.simulated import SimulatedMassager

__all__ = ["runner"]
LEASE = 0.8
"""Short, so that the tests are quick; the constant is the longest that a massager may give."""
SOON = 3.0


class Place(Protocol):
    """A massager and what its device really does."""

    massager: Massager

    def on(self) -> bool: ...

    def now(self) -> float: ...

    async def until(self, condition: Callable[[], bool]) -> None: ...

    async def holds(self, condition: Callable[[], bool], seconds: float) -> bool: ...


@dataclass
class Virtual:
    """The simulated massager, in its own time."""

    time: float = 50.0
    massager: Massager = field(init=False)

    def __post_init__(self) -> None:
        self.massager = SimulatedMassager(self.now, longest_seconds=LEASE)

    def now(self) -> float:
        return self.time

    def on(self) -> bool:
        assert isinstance(self.massager, SimulatedMassager)
        return self.massager.on

    async def until(self, condition: Callable[[], bool]) -> None:
        assert not await self.holds(lambda: not condition(), SOON)

    async def holds(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = self.time + seconds
        while condition():
            if self.time >= end:
                return True
            self.time += 0.01
        return False


@dataclass
class Real:
    """A massager whose device is another process."""

    massager: Massager
    plug: Plug

    def now(self) -> float:
        return now()

    def on(self) -> bool:
        return self.plug.on

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(condition, SOON)

    async def holds(self, condition: Callable[[], bool], seconds: float) -> bool:
        return await holds(condition, seconds)


@pytest.fixture(scope="module")
def broker(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = runner.run(Broker(tmp_path_factory.mktemp("broker")).start())
    yield broker
    runner.run(broker.kill())


@pytest.fixture(scope="module")
def plugs(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Plug]]:
    started: dict[str, Plug] = {}
    yield started
    for plug in started.values():
        runner.run(plug.kill())


async def open_real(kind: str, plugs: dict[str, Plug], folder: Path, port: int) -> Real:
    led = plugs[kind].arguments[-1] if kind == "pin" else None
    devices = read_devices(write_devices(folder, kind, port, led=led))
    massager = await open_massager(
        "neck", devices, state=folder / "state", longest_seconds=LEASE, proven=False
    )
    return Real(massager, plugs[kind])


@pytest.fixture(params=["simulated", *KINDS])
def place(
    request: pytest.FixtureRequest,
    runner: asyncio.Runner,
    plugs: dict[str, Plug],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    kind = request.param
    if kind == "simulated":
        yield Virtual()
        return
    port = 0 if kind == "pin" else request.getfixturevalue("broker").port
    if kind not in plugs:
        where = ("--led", str(tmp_path_factory.mktemp("led") / "massager"))
        login = where if kind == "pin" else request.getfixturevalue("broker").login()
        plugs[kind] = runner.run(Plug(kind, *login).begin())
    place = runner.run(open_real(kind, plugs, tmp_path, port))
    yield place
    place.massager.close()
    runner.run(until(lambda: not place.on()))


async def switch_on(place: Place) -> None:
    """Give leases until the device is on, as a session does: one may be lost on its way."""
    for _ in range(10):
        place.massager.lease(1, LEASE)
        if not await place.holds(lambda: not place.on(), 0.4 * LEASE):
            return
    raise TimeoutError("ten leases, and the device is still off")


def confirms(place: Place, on: bool) -> Callable[[], bool]:
    return lambda: place.massager.report(place.now()).on is on


@in_loop
async def test_it_begins_off_and_a_lease_switches_it_on_and_is_confirmed(place: Place) -> None:
    assert not place.on()
    await switch_on(place)
    await place.until(confirms(place, True))
    report = place.massager.report(place.now())
    assert report.level == 1
    assert place.now() - 1.0 <= report.at <= place.now()


@in_loop
async def test_it_goes_off_by_itself_when_the_lease_is_not_renewed(place: Place) -> None:
    await switch_on(place)
    came_on = place.now()
    await place.until(lambda: not place.on())
    assert 0.5 * LEASE <= place.now() - came_on <= LEASE + 0.3
    await place.until(confirms(place, False))


@in_loop
async def test_a_renewal_keeps_it_on_without_a_break(place: Place) -> None:
    await switch_on(place)
    for _ in range(3):
        assert await place.holds(place.on, 0.4 * LEASE)
        place.massager.lease(1, LEASE)
    assert await place.holds(place.on, 0.4 * LEASE)


@in_loop
async def test_off_ends_a_lease_at_once_and_is_confirmed(place: Place) -> None:
    await switch_on(place)
    told = place.now()
    place.massager.off()
    await place.until(lambda: not place.on())
    assert place.now() - told < 0.5 * LEASE
    await place.until(confirms(place, False))


@in_loop
async def test_off_takes_back_a_lease_that_was_only_just_given(place: Place) -> None:
    place.massager.lease(1, LEASE)
    place.massager.off()
    assert await place.holds(lambda: not place.on(), 0.5 * LEASE)
    place.massager.off()
    await place.until(confirms(place, False))


@in_loop
async def test_after_off_a_new_lease_switches_it_on_again(place: Place) -> None:
    await switch_on(place)
    place.massager.off()
    await place.until(lambda: not place.on())
    await place.until(confirms(place, False))
    await switch_on(place)


@in_loop
async def test_a_longer_lease_than_allowed_is_cut_to_the_longest(place: Place) -> None:
    place.massager.lease(1, 3600.0)
    await place.until(place.on)
    assert not await place.holds(place.on, 2 * LEASE)


@in_loop
async def test_a_level_that_it_does_not_have_is_never_carried_out(place: Place) -> None:
    for level in (0, -1, place.massager.capabilities.levels + 1):
        place.massager.lease(level, LEASE)
    for seconds in (0.0, -1.0, float("nan")):
        place.massager.lease(1, seconds)
    assert await place.holds(lambda: not place.on(), 0.3)


@in_loop
async def test_close_switches_off_and_may_be_called_again(place: Place) -> None:
    await switch_on(place)
    told = place.now()
    place.massager.close()
    await place.until(lambda: not place.on())
    assert place.now() - told < 0.5 * LEASE
    place.massager.close()
