"""The reference firmware is no weaker than the program, and ESPHome takes it."""

import os
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from assistant.safety import GENTLE_SECONDS, LEASE_SECONDS, REST_SECONDS, SESSION_SECONDS

FIRMWARE = (files("config") / "devices" / "massager.yaml").read_text(encoding="utf-8")


def limit(name: str) -> float:
    found = re.search(rf'^  {name}: "([0-9.]+)"', FIRMWARE, re.MULTILINE)
    assert found, name
    return float(found[1])


def test_no_limit_of_the_firmware_is_weaker_than_ours() -> None:
    assert limit("longest_lease") <= LEASE_SECONDS
    assert limit("gentle_seconds") >= GENTLE_SECONDS
    assert limit("session_seconds") <= SESSION_SECONDS
    assert limit("rest_seconds") >= REST_SECONDS


def test_everything_that_ends_a_massage_runs_the_one_off() -> None:
    for cause in ("on_boot", "on_disconnect", "on_press"):
        block = FIRMWARE.split(f"{cause}:")[1][:120]
        assert "script.execute: all_off" in block, cause
    assert FIRMWARE.count("output.turn_off") == 1


def test_every_off_makes_a_new_ticket_whether_it_was_on_or_not() -> None:
    off = FIRMWARE.split("- id: all_off")[1].split("- id: say_state")[0]
    assert "id(ticket_now) = ticket;" in off
    assert "if (" not in off


def test_esphome_takes_the_configuration(tmp_path: Path) -> None:
    esphome = os.environ.get("ESPHOME") or shutil.which("esphome")
    if not esphome:
        assert not os.environ.get("CI"), "in CI the firmware is checked by esphome: see .ci/run"
        pytest.skip("no esphome here: install it in a virtual environment and set ESPHOME to it")
    (tmp_path / "massager.yaml").write_text(FIRMWARE)
    names = ("wifi_ssid", "wifi_password", "mqtt_host", "mqtt_user", "mqtt_password")
    (tmp_path / "secrets.yaml").write_text("".join(f"{name}: made-up-{name}\n" for name in names))
    shown = subprocess.run(
        [esphome, "config", "massager.yaml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "Configuration is valid" in shown.stdout + shown.stderr
