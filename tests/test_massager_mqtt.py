"""What goes over the wire, and what is refused before anything does, at a real broker."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from massager_rig import (
    PASSWORD,
    TOPICS,
    USER,
    Broker,
    Network,
    Plug,
    forgotten,
    free_port,
    holds,
    in_loop,
    make_certificates,
    publish,
    runner,
    until,
    write_devices,
)

from assistant.massager import Massager
from assistant.massager.device import read_devices
from assistant.massager.opening import open_massager
from audio.errors import MassagerUnsafe

__all__ = ["runner"]
LEASE = 0.8
PATIENCE = 1.0
MQTT_KINDS = tuple(TOPICS)
# paho leaves the socket of a failed handshake to the garbage collector.
unclosed = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def broker(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = runner.run(Broker(tmp_path_factory.mktemp("broker")).start())
    yield broker
    runner.run(broker.kill())


@pytest.fixture(scope="module")
def secure_broker(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("secure")
    runner.run(make_certificates(folder / "certificates"))
    broker = runner.run(Broker(folder / "broker", tls=True).start())
    yield broker
    runner.run(broker.kill())


async def opened(folder: Path, kind: str, port: int, **more: object) -> Massager:
    devices = read_devices(write_devices(folder, kind, port, **more))
    return await open_massager(
        "neck",
        devices,
        state=folder / "state",
        longest_seconds=LEASE,
        patience_seconds=PATIENCE,
        proven=False,
    )


async def refused(folder: Path, kind: str, port: int, **more: object) -> str:
    """Open it, and return the one line that says why not."""
    with pytest.raises(MassagerUnsafe) as caught:
        await opened(folder, kind, port, **more)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@asynccontextmanager
async def plugged(broker: Broker, kind: str, *faults: str) -> AsyncIterator[Plug]:
    plug = await Plug(kind, *broker.login(), *faults).begin()
    try:
        yield plug
    finally:
        await plug.kill()


@asynccontextmanager
async def witness(broker: Broker) -> AsyncIterator[list[aiomqtt.Message]]:
    """Everything that is said on the broker meanwhile."""
    said: list[aiomqtt.Message] = []
    async with aiomqtt.Client("127.0.0.1", broker.port, username=USER, password=PASSWORD) as ear:
        await ear.subscribe("#", qos=1)

        async def listen() -> None:
            async for message in ear.messages:
                said.append(message)  # noqa: PERF401, the test looks while it grows

        listening = asyncio.create_task(listen())
        try:
            yield said
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def kept_topics(broker: Broker) -> set[str]:
    """Topics for which the broker keeps something; it tells only those who come later."""
    async with witness(broker) as kept:
        await publish(broker.port, "the/end", "said after all that was kept")
        await until(lambda: [m for m in kept if m.topic.value == "the/end"])
    return {m.topic.value for m in kept if m.retain}


def orders_on(message: aiomqtt.Message) -> bool:
    """Whether this is an on to a device, in any of the vendors' words."""
    payload = bytes(message.payload) if isinstance(message.payload, bytes | bytearray) else b""
    if message.topic.value.startswith("cmnd/"):
        return payload == b"ON"
    words = json.loads(payload) if payload.startswith(b"{") else {}
    ordered = words.get("state") == "ON" and message.topic.value.endswith("/set")
    return bool(ordered or words.get("params", {}).get("on") is True)


def orders_off(message: aiomqtt.Message) -> bool:
    payload = bytes(message.payload) if isinstance(message.payload, bytes | bytearray) else b""
    if message.topic.value.startswith("cmnd/"):
        return payload == b"OFF"
    words = json.loads(payload) if payload.startswith(b"{") else {}
    ordered = words.get("state") == "OFF" and message.topic.value.endswith("/set")
    return bool(ordered or words.get("params", {}).get("on") is False)


@pytest.mark.parametrize("kind", MQTT_KINDS)
@in_loop
async def test_on_is_sent_once_at_most_and_off_at_least_once_and_neither_is_retained(
    kind: str, broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, kind) as plug, witness(broker) as said:
        massager = await opened(tmp_path, kind, broker.port)
        massager.lease(1, LEASE)
        await until(lambda: plug.on)
        kept_while_on = await kept_topics(broker)
        massager.off()
        await until(lambda: not plug.on)
        massager.close()
        await until(
            lambda: [m for m in said if orders_off(m)] and [m for m in said if orders_on(m)]
        )
    assert {m.qos for m in said if orders_on(m)} == {0}
    assert {m.qos for m in said if orders_off(m)} == {1}
    orders = {m.topic.value for m in said if orders_on(m) or orders_off(m)}
    assert not orders & (kept_while_on | await kept_topics(broker))


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("esphome", '"lease": 0.5'),
        ("shelly", '"toggle_after": 0.5'),
        ("zigbee2mqtt", '"on_time": 0.5'),
    ],
)
@in_loop
async def test_every_on_carries_its_time_limit(
    kind: str, limit: str, broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, kind), witness(broker) as said:
        massager = await opened(tmp_path, kind, broker.port)
        massager.lease(1, 0.5)
        await until(lambda: any(orders_on(message) for message in said))
        assert all(limit in str(m.payload) for m in said if orders_on(m))
        massager.close()


@in_loop
async def test_a_tasmota_is_told_on_only_after_it_confirmed_its_pulse_time(
    broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, "tasmota") as plug, witness(broker) as said:
        massager = await opened(tmp_path, "tasmota", broker.port)
        massager.lease(1, 0.7)
        await until(lambda: plug.on and any(map(orders_on, said)))
        massager.close()
    confirmed = [i for i, m in enumerate(said) if b'"PulseTime1": {"Set": 7' in bytes(m.payload)]
    on = [i for i, m in enumerate(said) if orders_on(m)]
    assert confirmed
    assert on
    assert confirmed[0] < on[0]


@in_loop
async def test_no_question_and_no_renewal_takes_a_tasmotas_time_limit_away(
    broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, "tasmota") as plug, witness(broker) as said:
        massager = await opened(tmp_path, "tasmota", broker.port)
        for _ in range(2):
            massager.lease(1, LEASE)
            await until(lambda: plug.on)
            assert await holds(lambda: plug.on, LEASE / 2)
        await until(lambda: not plug.on, 2 * LEASE)
        massager.close()
    assert plug.edges[-1]["why"] == "lease"
    assert not [m for m in said if str(m.topic).endswith("/Power1") and not m.payload]
    settings = [m for m in said if str(m.topic).endswith("/PulseTime1") and m.payload]
    assert len(settings) == 1


@in_loop
async def test_what_somebody_else_says_is_wiped_only_when_the_device_is_off(
    broker: Broker, tmp_path: Path
) -> None:
    """The empty word that wipes it is a question to a Tasmota, which then forgets its timer."""
    async with plugged(broker, "tasmota") as plug:
        massager = await opened(tmp_path, "tasmota", broker.port)
        massager.lease(1, LEASE)
        await until(lambda: plug.on)
        await publish(broker.port, "cmnd/massager/POWER", "ON", retain=True)
        await until(lambda: not plug.on, 3 * LEASE)
        assert plug.edges[-1]["why"] == "lease"
        await forgotten(broker.port, "cmnd/massager/POWER")
        massager.close()


@in_loop
async def test_a_device_that_does_not_answer_is_sent_no_on(broker: Broker, tmp_path: Path) -> None:
    async with plugged(broker, "esphome") as plug:
        massager = await opened(tmp_path, "esphome", broker.port)
        await plug.kill()
        await until(lambda: massager.report(0.0).at < -0.2)  # its last word has arrived
        async with witness(broker) as said:
            massager.lease(1, LEASE)
            assert await holds(lambda: not any(map(orders_on, said)), 1.5 * LEASE)
        massager.close()


@in_loop
async def test_a_lease_given_while_the_broker_is_away_is_not_given_later(
    broker: Broker, tmp_path: Path
) -> None:
    network = await Network(broker.port).start()
    async with plugged(broker, "tasmota") as plug:
        massager = await opened(tmp_path, "tasmota", network.port)
        network.cut()
        massager.lease(1, LEASE)
        assert await holds(lambda: not plug.on, 0.5 * LEASE)
        network.mend()
        assert await holds(lambda: not plug.on, LEASE)
        massager.close()
    await network.stop()


@in_loop
async def test_a_device_that_went_off_unasked_stays_off_until_off_was_said(
    broker: Broker, tmp_path: Path
) -> None:
    network = await Network(broker.port).start()
    async with plugged(broker, "shelly") as plug:
        massager = await opened(tmp_path, "shelly", network.port)
        massager.lease(1, LEASE)
        await until(lambda: plug.on)
        network.cut()
        await until(lambda: not plug.on)
        network.mend()
        await until(lambda: massager.report(0.0).on is False and massager.report(0.0).at > -0.1)
        for _ in range(5):
            massager.lease(1, LEASE)
            assert await holds(lambda: not plug.on, 0.1)
        massager.off()
        await until(lambda: massager.report(0.0).at > -0.05)
        massager.lease(1, LEASE)
        await until(lambda: plug.on)
        massager.close()
    await network.stop()


@pytest.mark.parametrize(
    ("kind", "topic", "planted"),
    [
        ("esphome", "massager/state", '{"state": "ON", "level": 1, "left": 9.0}'),
        ("tasmota", "stat/massager/RESULT", '{"POWER": "ON"}'),
        ("zigbee2mqtt", "zigbee2mqtt/massager", '{"state": "ON"}'),
    ],
)
@in_loop
async def test_a_retained_state_confirms_nothing(
    kind: str, topic: str, planted: str, broker: Broker, tmp_path: Path
) -> None:
    await publish(broker.port, topic, planted, retain=True)
    async with plugged(broker, kind):
        massager = await opened(tmp_path, kind, broker.port)
        assert massager.report(0.0).on is False
        massager.close()
    await publish(broker.port, topic, "", retain=True)


@in_loop
async def test_a_retained_off_is_no_confirmation_that_a_device_is_there(
    broker: Broker, tmp_path: Path
) -> None:
    await publish(broker.port, "stat/massager/RESULT", '{"POWER": "OFF"}', retain=True)
    line = await refused(tmp_path, "tasmota", broker.port)
    assert "nothing confirmed that it is off" in line
    await publish(broker.port, "stat/massager/RESULT", "", retain=True)


@in_loop
async def test_a_device_found_on_without_a_timer_is_switched_off_at_the_start(
    broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, "shelly", "--boot-on") as plug:
        assert plug.on
        massager = await opened(tmp_path, "shelly", broker.port)
        assert not plug.on
        massager.close()


@pytest.mark.parametrize("kind", ["shelly", "tasmota"])
@in_loop
async def test_a_plug_that_comes_on_without_its_timer_is_switched_off_again(
    broker: Broker, tmp_path: Path, kind: str
) -> None:
    async with plugged(broker, kind, "--untimed") as plug:
        massager = await opened(tmp_path, kind, broker.port)
        massager.lease(1, LEASE)
        await until(lambda: plug.on)
        await until(lambda: not plug.on, 0.8 * LEASE)
        massager.close()


@in_loop
async def test_levels_reach_our_own_firmware(broker: Broker, tmp_path: Path) -> None:
    async with plugged(broker, "esphome", "--gentle", "0") as plug:
        massager = await opened(tmp_path, "esphome", broker.port)
        massager.lease(3, LEASE)
        await until(lambda: plug.on)
        assert plug.level == 3
        await until(lambda: massager.report(0.0).level == 3)
        massager.close()


@in_loop
async def test_an_on_from_before_an_off_switches_nothing_on_however_late_it_comes(
    broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, "esphome") as plug, witness(broker) as said:
        massager = await opened(tmp_path, "esphome", broker.port)
        states = [json.loads(bytes(m.payload)) for m in said if str(m.topic).endswith("/state")]
        massager.close()
        asked_before = {"state": "ON", "level": 1, "lease": 1.0, "ticket": states[-1]["ticket"]}
        await publish(broker.port, "massager/set", '{"state": "OFF"}')
        await publish(broker.port, "massager/set", json.dumps(asked_before))
        assert await holds(lambda: not plug.on, 0.5)


@in_loop
async def test_our_own_firmware_keeps_the_gentle_minute_itself(
    broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, "esphome") as plug:
        massager = await opened(tmp_path, "esphome", broker.port)
        massager.lease(5, LEASE)
        await until(lambda: plug.on)
        assert plug.level == 1
        massager.close()


@in_loop
async def test_tls_with_the_brokers_own_authority_works(
    secure_broker: Broker, tmp_path: Path
) -> None:
    authority = str(secure_broker.folder.parent / "certificates" / "ca.pem")
    line = await refused(tmp_path, "tasmota", secure_broker.port, ca_file=authority)
    assert "nothing confirmed that it is off" in line  # the broker let us in; no plug is there


@unclosed
@in_loop
async def test_a_certificate_of_somebody_else_is_refused(
    secure_broker: Broker, tmp_path: Path
) -> None:
    stranger = str(secure_broker.folder.parent / "certificates" / "stranger.pem")
    line = await refused(tmp_path, "tasmota", secure_broker.port, ca_file=stranger)
    assert "certificate that does not match" in line


@unclosed
@in_loop
async def test_a_certificate_for_another_name_is_refused(
    secure_broker: Broker, tmp_path: Path
) -> None:
    authority = str(secure_broker.folder.parent / "certificates" / "ca.pem")
    line = await refused(
        tmp_path, "tasmota", secure_broker.port, ca_file=authority, broker="localhost"
    )
    assert "certificate that does not match" in line


@in_loop
async def test_a_missing_or_broken_authority_file_is_named(tmp_path: Path) -> None:
    assert "gone.pem" in await refused(tmp_path, "tasmota", 1, ca_file="gone.pem")
    (tmp_path / "empty.pem").write_text("")
    assert "empty.pem" in await refused(tmp_path, "tasmota", 1, ca_file="empty.pem")


@in_loop
async def test_a_wrong_password_is_named_by_its_user(broker: Broker, tmp_path: Path) -> None:
    line = await refused(tmp_path, "tasmota", broker.port, user="stranger")
    assert f"127.0.0.1:{broker.port} refuses user 'stranger'" in line


@in_loop
async def test_an_unreachable_broker_is_named(tmp_path: Path) -> None:
    port = free_port()
    line = await refused(tmp_path, "tasmota", port)
    assert f"MQTT broker 127.0.0.1:{port} cannot be reached" in line


@pytest.mark.parametrize("kind", ["esphome", "shelly"])
@in_loop
async def test_a_mistyped_topic_is_never_confirmed_and_gets_no_lease(
    kind: str, broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, kind) as plug:
        line = await refused(tmp_path, kind, broker.port, topic="masager")
        assert "'masager'" in line
        assert not plug.on


@in_loop
async def test_a_second_session_on_the_same_device_is_refused_by_name(
    broker: Broker, tmp_path: Path
) -> None:
    async with plugged(broker, "tasmota"):
        first = await opened(tmp_path, "tasmota", broker.port)
        line = await refused(tmp_path, "tasmota", broker.port)
        assert f"'neck' is in use by another session (process {os.getpid()})" in line
        first.close()
        (await opened(tmp_path, "tasmota", broker.port)).close()


@in_loop
async def test_a_device_that_was_never_tested_gets_no_lease(broker: Broker, tmp_path: Path) -> None:
    devices = read_devices(write_devices(tmp_path, "tasmota", broker.port))
    with pytest.raises(MassagerUnsafe, match=r"never tested .*unknot massager test neck"):
        await open_massager("neck", devices, state=tmp_path)


@in_loop
async def test_a_state_folder_that_cannot_be_written_means_no_massager(tmp_path: Path) -> None:
    file = write_devices(tmp_path, "tasmota", 1)
    with pytest.raises(MassagerUnsafe, match=r"massager-\w+\.lock: Not a directory"):
        await open_massager("neck", read_devices(file), state=file / "state", proven=False)


@in_loop
async def test_no_log_holds_the_password(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with plugged(broker, "tasmota"):
        massager = await opened(tmp_path, "tasmota", broker.port)
        massager.lease(1, LEASE)
        await until(lambda: massager.report(0.0).on)
        massager.close()
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(read_devices(tmp_path / "massagers.toml"))
