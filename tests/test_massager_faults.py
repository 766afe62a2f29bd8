"""Real processes are killed, stopped and cut off while a session holds a lease.

The session is a stand-in with the real governor and the real massager; plug and broker are
processes too. Leases are a second long here; bench/massager_faults.py takes the real ones.
"""

import ast
import signal
from pathlib import Path

import pytest
from massager_rig import Plug, Scene, at_once, forgotten, holds, now, publish, runner, until
from set_clock import DAY

import assistant.massager

__all__ = ["runner"]
LEASE = 0.8
SLACK = 0.3
"""The machine is shared: a process may be late by this much."""
SETTLED = 1.2 * LEASE


async def stays_off(scene: Scene, since: float) -> bool:
    """Whether the plug was never switched on after `since`, not even for a moment."""
    await holds(lambda: True, SETTLED)
    return not scene.plug.switched(True, since)


@pytest.mark.parametrize(
    "file",
    sorted(Path(assistant.massager.__file__).parent.glob("*.py")),
    ids=lambda file: file.stem,
)
def test_no_massager_knows_the_time_of_day_so_a_clock_that_jumps_moves_nothing(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = {
        f"{getattr(node, 'module', '') or ''}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not [name for name in imported if name.startswith((".time", ".datetime", "datetime."))]
    assert "time.time" not in imported


@at_once
async def test_a_killed_session_leaves_the_device_off_by_the_brokers_last_will(
    folder: Path,
) -> None:
    async with Scene(folder, lease=5.0) as scene:
        fault = now()
        await scene.session.kill()
        assert await scene.off_after(fault) < 1.0


@at_once
async def test_a_frozen_session_ends_with_its_lease_and_brings_nothing_back_when_it_wakes(
    folder: Path,
) -> None:
    async with Scene(folder, lease=LEASE) as scene:
        fault = now()
        scene.session.signal(signal.SIGSTOP)
        assert await scene.off_after(fault) <= LEASE + SLACK
        scene.session.signal(signal.SIGCONT)
        assert await stays_off(scene, fault)


@at_once
async def test_a_session_whose_loop_hangs_ends_with_its_lease(folder: Path) -> None:
    async with Scene(folder, lease=LEASE) as scene:
        scene.session.tell(f"block {2 * LEASE}")
        await until(lambda: scene.did("blocked"))
        fault = scene.did("blocked")[0]["at"]
        assert await scene.off_after(fault) <= LEASE + SLACK
        await until(lambda: any(line["at"] > fault for line in scene.did("off")))
        assert await stays_off(scene, fault)


@at_once
async def test_a_killed_broker_ends_the_lease_and_its_return_brings_nothing_back(
    folder: Path,
) -> None:
    async with Scene(folder, "tasmota", LEASE) as scene:
        fault = now()
        await scene.broker.kill()
        assert await scene.off_after(fault) <= LEASE + SLACK
        count = len(scene.plug.lines)
        await scene.broker.start()
        await until(lambda: any("joined" in line for line in scene.plug.lines[count:]), 10.0)
        assert await stays_off(scene, fault)


@at_once
async def test_a_frozen_broker_that_thaws_delivers_no_old_on(folder: Path) -> None:
    async with Scene(folder, "tasmota", LEASE) as scene:
        fault = now()
        scene.broker.signal(signal.SIGSTOP)
        assert await scene.off_after(fault) <= LEASE + SLACK
        await until(lambda: any(line["at"] > fault for line in scene.did("off")))
        scene.broker.signal(signal.SIGCONT)
        assert await stays_off(scene, fault)


@at_once
async def test_a_cut_network_ends_the_lease_and_delivers_no_old_on_when_mended(
    folder: Path,
) -> None:
    async with Scene(folder, "shelly", LEASE) as scene:
        fault = now()
        scene.network.cut()
        assert await scene.off_after(fault) <= LEASE + SLACK
        scene.network.mend()
        assert await stays_off(scene, fault)


@at_once
async def test_a_device_that_restarts_stays_off_until_the_person_says_so(folder: Path) -> None:
    async with Scene(folder, lease=2.0) as scene:
        await scene.plug.kill()
        scene.plug = await Plug("esphome", *scene.broker.login()).begin()
        await until(lambda: any(line.get("why") == "unexpected off" for line in scene.did("off")))
        assert await stays_off(scene, 0.0)
        scene.session.tell("go on")
        await until(lambda: scene.plug.on)


@at_once
async def test_a_device_that_confirms_off_and_stays_on_is_noticed(folder: Path) -> None:
    async with Scene(folder, "zigbee2mqtt", lease=2.5, faults=("--liar",)) as scene:
        fault = now()
        scene.session.tell("halt")
        await until(lambda: scene.did("disobeys"))
        assert scene.plug.on
        assert scene.did("disobeys")[0]["at"] - fault <= 2.5
        assert await scene.off_after(fault) <= 2.5 + SLACK


@at_once
async def test_a_halt_switches_off_at_once_while_the_session_lives(folder: Path) -> None:
    async with Scene(folder, lease=5.0) as scene:
        fault = now()
        scene.session.tell("halt")
        assert await scene.off_after(fault) < 1.0
        assert await stays_off(scene, fault)


@pytest.mark.parametrize("day", [DAY, -DAY], ids=["forward", "back"])
@at_once
async def test_a_clock_set_by_a_day_switches_off_and_makes_no_lease_longer(
    folder: Path, day: float
) -> None:
    async with Scene(folder, "tasmota", lease=5.0, settable=True) as scene:
        fault = now()
        scene.clock.set_by(day)
        assert await scene.off_after(fault) < 1.0
        assert await stays_off(scene, fault)
        scene.session.tell("go on")
        await until(lambda: scene.plug.on)
        fault = now()
        scene.session.signal(signal.SIGSTOP)
        assert await scene.off_after(fault) <= 5.0 + SLACK


@pytest.mark.parametrize(
    ("kind", "topic", "planted", "obeyed"),
    [
        ("esphome", "massager/set", '{"state": "ON", "level": 5, "lease": 3600}', False),
        ("tasmota", "cmnd/massager/POWER", "ON", True),
    ],
)
@at_once
async def test_an_on_that_was_planted_while_the_broker_was_down_does_not_last(
    folder: Path, kind: str, topic: str, planted: str, obeyed: bool
) -> None:
    """Our own firmware ignores it; a plug obeys it, as its vendor made it, but not for long."""
    async with Scene(folder, kind, LEASE) as scene:
        await scene.broker.kill()
        await until(lambda: not scene.plug.on)
        await scene.plant(topic, planted)
        back, count = now(), len(scene.plug.lines)
        await scene.broker.start()
        await until(lambda: any("joined" in line for line in scene.plug.lines[count:]), 10.0)
        assert await stays_off(scene, back) is not obeyed
        assert await scene.off_after(back) < LEASE + 3.0
        await forgotten(scene.broker.port, topic)
        assert await stays_off(scene, now())


@pytest.mark.parametrize(
    ("kind", "topic", "planted"),
    [
        ("tasmota", "cmnd/massager/POWER", "ON"),
        (
            "shelly",
            "shellyplus1-a8032abe54dc/rpc",
            '{"id":1,"src":"x","method":"Switch.Set","params":{"id":0,"on":true}}',
        ),
        ("zigbee2mqtt", "zigbee2mqtt/massager/set", '{"state": "ON"}'),
    ],
)
@at_once
async def test_an_on_that_somebody_else_says_is_undone_and_not_kept_for_later(
    folder: Path, kind: str, topic: str, planted: str
) -> None:
    async with Scene(folder, kind, LEASE) as scene:
        scene.session.tell("halt")
        await until(lambda: not scene.plug.on)
        said = now()
        await publish(scene.broker.port, topic, planted, retain=True)
        await until(lambda: scene.plug.switched(True, said))
        assert await scene.off_after(said) < 3.0
        await forgotten(scene.broker.port, topic)
