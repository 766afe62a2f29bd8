"""`unknot massager test` and `unknot massager off`, with real devices behind a real broker."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from massager_rig import Broker, Plug, Scene, until, write_devices

from assistant.massager.device import read_devices
from assistant.massager.proof import require_proof
from assistant.massager_command import run_test, switch_off
from audio.errors import MassagerUnsafe, UnknotError

SECONDS = 1.0
"""A shorter test than the real one; the device's own off must still come from its own timer."""


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@contextmanager
def around(
    runner: asyncio.Runner, folder: Path, kind: str, *faults: str
) -> Iterator[tuple[Path, Plug]]:
    """A broker and a plug, and the massagers.toml that describes it."""
    with ExitStack() as stack:
        broker = runner.run(Broker(folder / "broker").start())
        stack.callback(lambda: runner.run(broker.kill()))
        plug = runner.run(Plug(kind, *broker.login(), *faults).begin())
        stack.callback(lambda: runner.run(plug.kill()))
        yield write_devices(folder, kind, broker.port), plug


def try_out(file: Path, answer: bool = True, seconds: float = SECONDS) -> list[str]:
    said: list[str] = []
    run_test(
        "neck",
        file,
        file.parent / "state",
        say=said.append,
        ask=lambda _: answer,
        seconds=seconds,
    )
    return said


@pytest.mark.parametrize("kind", ["esphome", "tasmota", "shelly", "zigbee2mqtt"])
def test_a_device_that_goes_off_by_itself_passes_and_may_be_used(
    runner: asyncio.Runner, tmp_path: Path, kind: str
) -> None:
    with around(runner, tmp_path, kind) as (file, _):
        said = try_out(file)
        assert any("take it off your neck" in line for line in said)
        assert any("off by itself after" in line for line in said)
        require_proof(read_devices(file)["neck"], tmp_path / "state")


def test_a_device_that_forgets_its_time_limit_fails_and_is_switched_off(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    with around(runner, tmp_path, "zigbee2mqtt", "--untimed") as (file, plug):
        with pytest.raises(MassagerUnsafe, match="'it goes off by itself'") as caught:
            try_out(file)
        assert caught.value.exit_code == 4
        runner.run(until(lambda: plug.edges[-1]["why"] == "command" and not plug.on))
        with pytest.raises(MassagerUnsafe, match="never tested"):
            require_proof(read_devices(file)["neck"], tmp_path / "state")


def test_a_device_that_forgets_its_time_limit_when_it_is_asked_fails(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    with (
        around(runner, tmp_path, "tasmota", "--forgetful") as (file, _),
        pytest.raises(MassagerUnsafe, match="'it goes off by itself'"),
    ):
        try_out(file, seconds=3.0)  # longer than a session goes without a question


def test_a_device_that_goes_off_too_early_fails(runner: asyncio.Runner, tmp_path: Path) -> None:
    with (
        around(runner, tmp_path, "esphome", "--hasty") as (file, _),
        pytest.raises(MassagerUnsafe, match="'it keeps a lease to its end'"),
    ):
        try_out(file, seconds=2.0)


def test_a_device_that_does_not_come_on_fails(runner: asyncio.Runner, tmp_path: Path) -> None:
    with (
        around(runner, tmp_path, "shelly", "--stuck") as (file, _),
        pytest.raises(MassagerUnsafe, match="'it comes on when asked'"),
    ):
        try_out(file)


def test_nothing_is_switched_on_without_a_yes(runner: asyncio.Runner, tmp_path: Path) -> None:
    with around(runner, tmp_path, "tasmota") as (file, plug):
        with pytest.raises(UnknotError, match="nothing was switched on"):
            try_out(file, answer=False)
        assert not plug.switched(True, 0.0)


def test_the_simulated_massager_needs_no_test(tmp_path: Path) -> None:
    said: list[str] = []
    run_test("simulated", tmp_path / "x", tmp_path, say=said.append, ask=lambda _: False)
    assert said == ["simulated: needs no test, it touches nobody"]


def test_an_unknown_massager_is_answered_with_the_known_names(tmp_path: Path) -> None:
    file = write_devices(tmp_path, "tasmota", 1883)
    with pytest.raises(MassagerUnsafe, match=r"'nekc' \(there is: simulated, neck\)"):
        switch_off("nekc", file, print)
    with pytest.raises(MassagerUnsafe, match=r"'nekc' \(there is: simulated, neck\)"):
        run_test("nekc", file, tmp_path, say=print, ask=lambda _: True)


@pytest.mark.parametrize("name", ["simulated", None])
def test_off_succeeds_where_there_is_nothing_to_switch_off(
    tmp_path: Path, name: str | None
) -> None:
    switch_off(name, tmp_path / "massagers.toml", print)


def test_off_works_while_the_session_hangs(runner: asyncio.Runner, tmp_path: Path) -> None:
    async def hang() -> None:
        async with Scene(tmp_path, "tasmota", lease=10.0) as scene:
            file = write_devices(tmp_path / "direct", "tasmota", scene.broker.port)
            scene.session.signal(signal.SIGSTOP)
            said: list[str] = []
            await asyncio.to_thread(switch_off, None, file, said.append)
            await until(lambda: not scene.plug.on, 1.0)
            assert said == ["neck: off, confirmed by the device"]

    runner.run(hang())


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ('[wrong]\nkind = "wemo"\n', r"kind = 'wemo'.*pull its plug now"),
        ("version = 1\n", r"version = 1 \(begin a device.*pull its plug now"),
    ],
)
def test_off_does_not_stop_at_what_is_described_wrongly(
    runner: asyncio.Runner, tmp_path: Path, before: str, told: str
) -> None:
    with around(runner, tmp_path, "tasmota") as (file, _):
        file.write_text(before + file.read_text())
        said: list[str] = []
        with pytest.raises(MassagerUnsafe, match=told):
            switch_off(None, file, said.append)
        assert said == ["neck: off, confirmed by the device"]


def test_off_fails_when_the_device_does_not_confirm(runner: asyncio.Runner, tmp_path: Path) -> None:
    with (
        around(runner, tmp_path, "tasmota", "--mute") as (file, _),
        pytest.raises(MassagerUnsafe, match="nothing confirmed that it is off"),
    ):
        switch_off("neck", file, print, seconds=1.0)


def test_off_loads_neither_a_recogniser_nor_a_sound_card_nor_a_settings_reader() -> None:
    program = (
        "import sys, assistant.massager_command, assistant.massager.mqtt; "
        "print(*({'numpy', 'vosk', 'pydantic', 'sounddevice', 'transitions', 'hassil', 'rich'}"
        " & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert shown.stdout.split() == []
