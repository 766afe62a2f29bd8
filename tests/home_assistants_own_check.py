"""Judges a discovery message by Home Assistant's own code; for an interpreter that has its package.

    python tests/home_assistants_own_check.py < message.json

Prints {"version": ..., "components": [...]}; exit code 1 with Home Assistant's complaint if it
would refuse the message.
"""

import asyncio
import importlib
import json
import sys
import tempfile
from typing import Any

import voluptuous
from homeassistant.components.mqtt import discovery
from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame

SHARED = ("device", "origin", "availability", "qos")


async def judge(message: dict[str, Any]) -> None:
    """Do what its discovery does; raises voluptuous.Invalid where it would refuse."""
    with tempfile.TemporaryDirectory() as folder:
        frame.async_setup(HomeAssistant(folder))
        discovery._replace_all_abbreviations(message)  # noqa: SLF001, it has no public name
        DEVICE_DISCOVERY_SCHEMA(message)
        shared = {key: message[key] for key in SHARED if key in message}
        for component in message["components"].values():
            name = f"homeassistant.components.mqtt.{component.pop('platform')}"
            importlib.import_module(name).DISCOVERY_SCHEMA({**shared, **component})


def main() -> int:
    message = discovery.MQTTDiscoveryPayload(json.load(sys.stdin))
    try:
        asyncio.run(judge(message))
    except voluptuous.Invalid as error:
        sys.stderr.write(f"{error}\n")
        return 1
    judged = {"version": __version__, "components": sorted(message["components"])}
    sys.stdout.write(json.dumps(judged) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
