"""The connection to a broker: no off waits behind what it owes, nothing old is left in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from async_tests import in_loop, runner, until
from owing_broker import OwingBroker

from assistant.massager.device import Broker
from assistant.massager.link import Link, Packet

__all__ = ["runner"]
OFF = Packet("massager/set", "OFF", qos=1)


@asynccontextmanager
async def connected(broker: OwingBroker) -> AsyncIterator[Link]:
    """A link with a connection that stands; it is given up at the end."""
    stands = asyncio.Event()
    link = Link(
        Broker("127.0.0.1", broker.port),
        topics=("massager/state", "massager/set"),
        will=OFF,
        connected=stands.set,
        lost=lambda: None,
        heard=lambda _: None,
    )
    running = asyncio.create_task(link.run())
    try:
        await asyncio.wait_for(stands.wait(), 5.0)
        yield link
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@in_loop
async def test_no_off_waits_for_receipts_that_the_broker_owes() -> None:
    async with OwingBroker() as broker, connected(broker) as link:
        for number in range(40):
            assert link.send(Packet("massager/set", f"OFF {number}", qos=1))
        await until(lambda: "OFF 39" in broker.payloads)
        assert [said for said in broker.payloads if said.startswith("OFF ")] == [
            f"OFF {number}" for number in range(40)
        ]


@in_loop
async def test_what_is_left_of_a_connection_that_was_given_up_is_thrown_away() -> None:
    async with OwingBroker() as broker:
        async with connected(broker) as link:
            assert link.send(OFF)
        await until(lambda: broker.endings)
        assert broker.endings == ["thrown away"]
