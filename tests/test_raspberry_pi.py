"""The guide for a Raspberry Pi says what the code does: its pins, commands, links and drawings."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from assistant.__main__ import main
from assistant.massager.device import KINDS, describe
from assistant.settings import load

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "raspberry-pi.md").read_text(encoding="utf-8")
FIRMWARE = (ROOT / "config" / "devices" / "massager.yaml").read_text(encoding="utf-8")
INSTALLER = (ROOT / "install.sh").read_text(encoding="utf-8")
DRAWINGS = ("wiring-button.svg", "wiring-massager.svg")
HEADER = {11: "GPIO17", 13: "GPIO27", 14: "ground", 15: "GPIO22"}
"""Some pins of a Raspberry Pi's header, by the number counted from its corner."""
PHONE = 400
"""Pixels across: drawn as wide, letters keep their size."""
SMALLEST_LETTERS = 12
SVG = "{http://www.w3.org/2000/svg}"


def drawing(name: str) -> ElementTree.Element:
    return ElementTree.parse(DOCS / name).getroot()  # noqa: S314, a file of our own


def words(name: str) -> str:
    return " ".join(each.text or "" for each in drawing(name).iter())


def toml(heading: str) -> dict[str, dict[str, object]]:
    """The example of the guide that begins with this table."""
    found = re.search(rf"```toml\n(\s*\[{heading}\].*?)```", GUIDE, re.DOTALL)
    assert found, heading
    return tomllib.loads("\n".join(line.strip() for line in found[1].splitlines()))


def test_the_button_is_at_the_same_pin_in_the_settings_the_text_and_the_drawing() -> None:
    pin = toml("button")["button"]["pin"]
    assert load(personal=False, overrides={"button.pin": pin}).button.pin == pin
    place = next(place for place, name in HEADER.items() if name == f"GPIO{pin}")
    assert HEADER[place + 1] == "ground"
    drawn = words("wiring-button.svg")
    assert f"pin {place} of the Pi, which is GPIO{pin}" in drawn
    assert f"pin {place + 1} beside it, which is ground" in drawn
    assert f"GPIO{pin}" in {each.text for each in drawing("wiring-button.svg").iter(f"{SVG}text")}
    assert f"pin {place}, which is GPIO{pin}, and pin {place + 1}" in GUIDE


def test_the_esp32_is_wired_as_its_firmware_expects() -> None:
    motor = re.search(r"id: motor\s+pin: (GPIO\d+)", FIRMWARE)
    button = re.search(r"id: stop_button.*?number: (GPIO\d+)", FIRMWARE, re.DOTALL)
    assert motor
    assert button
    for pin in (motor[1], button[1]):
        assert pin in {each.text for each in drawing("wiring-massager.svg").iter(f"{SVG}text")}
        assert pin in GUIDE
    assert f"gate goes to {motor[1]}" in words("wiring-massager.svg")
    assert f"button lies between {button[1]} and ground" in words("wiring-massager.svg")


def test_mains_is_forbidden_wherever_something_is_wired() -> None:
    assert "**Never wire mains" in GUIDE
    assert "Never mains" in words("wiring-massager.svg")
    assert "pull-down" in FIRMWARE
    assert "10 kΩ" in GUIDE


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_fits_a_phone_and_has_words_for_those_who_do_not_see_it(name: str) -> None:
    root = drawing(name)
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    assert width <= PHONE
    sizes = [float(each.attrib["font-size"]) for each in root.iter(f"{SVG}text")]
    assert min(sizes) >= SMALLEST_LETTERS
    for each in root.iter(f"{SVG}text"):
        assert 0 <= float(each.attrib["x"]) <= width
        assert 0 <= float(each.attrib["y"]) <= height
    assert root.attrib["role"] == "img"
    assert (root.findtext(f"{SVG}title") or "").strip()
    assert len(root.findtext(f"{SVG}desc") or "") > 100


def test_every_command_of_the_guide_is_one() -> None:
    named = re.findall(r"unknot ((?:[a-z]+ ?)+)?((?:--[a-z]+ ?)*)", GUIDE)
    told = [(path.split(), options.split()) for path, options in named if path]
    assert len(told) > 5
    for path, options in told:
        command: click.Command | None = main
        while path and isinstance(command, click.Group) and path[0] in command.commands:
            command = command.commands[path.pop(0)]
        if command is main:
            continue  # the word in a sentence
        assert command
        known = {option for each in command.params for option in each.opts}
        assert set(options) <= known, (command.name, options)


def test_every_link_and_file_of_the_guide_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE)
    files = re.findall(r"`((?:config|tests|bench)/[^`]+)`", GUIDE)
    assert {*DRAWINGS} <= set(links)
    assert [name for name in links if not (DOCS / name).exists()] == []
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_the_massager_of_the_guide_is_one_that_is_understood() -> None:
    (name, table), *_ = toml("shoulders").items()
    device = describe(name, table, ROOT / "massagers.toml")
    assert f"topic: {device.topic}\n" in FIRMWARE
    for kind in ("esphome", "tasmota", "shelly", "zigbee2mqtt"):
        assert kind in KINDS
        assert f'"{kind}"' in GUIDE


def test_the_folders_of_the_guide_are_the_installers() -> None:
    for folder in ("/opt/unknot", "/etc/unknot"):
        assert folder in GUIDE
        assert folder in INSTALLER
    assert "--uninstall" in GUIDE
    packages = re.search(r"^packages=\(python3-venv (.*)\)$", INSTALLER, re.MULTILINE)
    assert packages
    assert len(packages[1].split()) == 4
    assert "five Debian packages" in GUIDE
