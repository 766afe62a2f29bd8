"""The pin gives no lease without the kernel's timer, and says what is missing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from massager_rig import Plug, holds, in_loop, runner, until

from assistant.massager.pin import PinMassager
from audio.errors import MassagerUnsafe

__all__ = ["runner"]


@pytest.fixture
def led(runner: asyncio.Runner, tmp_path: Path) -> Iterator[Path]:
    """The folder of a kernel's LED; the process that plays the kernel ends with the test."""
    folder = tmp_path / "massager"
    kernel = runner.run(Plug("pin", "--led", str(folder)).begin())
    yield folder
    runner.run(kernel.kill())


def refusal(led: Path) -> str:
    with pytest.raises(MassagerUnsafe) as caught:
        PinMassager("neck", led)
    return str(caught.value)


@in_loop
async def test_the_kernels_timer_is_set_before_the_pin_is_ever_high(led: Path) -> None:
    massager = PinMassager("neck", led)
    assert (led / "brightness").read_text() == "0"
    massager.lease(1, 2.5)
    await until(lambda: (led / "brightness").read_text() == "1")
    assert (led / "duration").read_text() == "2500"
    massager.close()


@in_loop
async def test_a_renewal_says_0_before_1_because_a_second_1_is_ignored(led: Path) -> None:
    massager = PinMassager("neck", led)
    for _ in range(3):
        massager.lease(1, 0.6)
        await until(lambda: massager.report(0.0).on)
        assert await holds(lambda: massager.report(0.0).on, 0.35)
    massager.close()


@in_loop
async def test_a_pin_that_is_high_without_its_timer_is_reported_on(led: Path) -> None:
    massager = PinMassager("neck", led)
    (led / "brightness").write_text("255")
    assert massager.report(5.0).on is True
    massager.close()


def high(folder: Path, trigger: str = "none timer [transient]") -> Path:
    """A pin that somebody put high, for which no timer runs: `activate` 0 changes nothing."""
    folder.mkdir()
    files = {"trigger": trigger, "duration": "0", "state": "0", "brightness": "1", "activate": "0"}
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_a_pin_that_somebody_put_high_is_put_low_and_given_its_timer_back(tmp_path: Path) -> None:
    led = high(tmp_path / "led")
    massager = PinMassager("neck", led)
    assert (led / "brightness").read_text() == "0"
    (led / "brightness").write_text("1")
    (led / "trigger").write_text("[none] timer transient")
    massager.off()
    assert massager.report(1.0).on is False
    assert (led / "trigger").read_text() == "transient"


def test_a_pin_without_a_timer_is_refused_and_left_low(tmp_path: Path) -> None:
    led = high(tmp_path / "led", trigger="[none] timer")
    (led / "activate").unlink()
    assert "modprobe ledtrig-transient" in refusal(led)
    assert (led / "brightness").read_text() == "0"


@in_loop
async def test_a_timer_that_somebody_took_away_gives_no_lease_and_confirms_nothing_new(
    led: Path,
) -> None:
    massager = PinMassager("neck", led)
    assert massager.report(5.0).at == 5.0
    for name in ("activate", "duration"):
        (led / name).rename(led / f"{name}.gone")
    massager.lease(1, 1.0)
    massager.off()
    assert massager.report(9.0).at == 5.0
    assert (led / "brightness").read_text() == "0"


@in_loop
async def test_an_off_that_the_kernel_did_not_take_is_repeated_with_every_report(led: Path) -> None:
    massager = PinMassager("neck", led)
    massager.lease(1, 5.0)
    await until(lambda: massager.report(0.0).on)
    (led / "activate").rename(led / "activate.gone")
    massager.off()
    (led / "activate.gone").rename(led / "activate")
    await until(lambda: massager.report(0.0).on is False, 2.0)


def test_a_pin_that_is_not_there_is_named_with_its_overlay(tmp_path: Path) -> None:
    line = refusal(tmp_path / "none")
    assert str(tmp_path / "none") in line
    assert "dtoverlay=gpio-led" in line


def test_a_kernel_without_the_one_shot_timer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trigger").mkdir()
    assert "modprobe ledtrig-transient" in refusal(tmp_path)
