"""Simulated massagers, each a process of its own that speaks what the real one speaks.

    python tests/plugs.py KIND --port 1883 --topic massager [--user U --password P] [faults]
    python tests/plugs.py pin --led FOLDER

Each keeps its own timer, whatever becomes of the broker or of whoever switched it on, and prints
one JSON line for every change of its output: {"at": monotonic seconds, "on": bool, "level": int,
"why": str}. A plug must never be more obliging than the device that it stands for: where a vendor
obeys a retained command, so does the plug.

Faults: --liar confirms every off and stays on until its lease runs out; --untimed forgets the time
limit of an on; --hasty ends it after a tenth of it; --stuck never comes on; --mute obeys and says
nothing; --boot-on starts switched on, with no timer.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable

from plug_base import Plug
from plug_kernel import KernelLed
from plug_vendors import EsphomePlug, ShellyPlug, TasmotaPlug, Zigbee2MqttPlug

KINDS: dict[str, Callable[[argparse.Namespace], Plug | KernelLed]] = {
    "esphome": EsphomePlug,
    "tasmota": TasmotaPlug,
    "shelly": ShellyPlug,
    "zigbee2mqtt": Zigbee2MqttPlug,
    "pin": KernelLed,
}


async def _run(args: argparse.Namespace) -> None:
    await KINDS[args.kind](args).run()


def main() -> None:
    """Read the command line and be the plug."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--topic", default="massager")
    parser.add_argument("--led")
    parser.add_argument("--gentle", type=float, default=60.0, help="seconds at the gentlest level")
    parser.add_argument("--rule", action="store_true", help="Tasmota: off when the broker is lost")
    for fault in ("liar", "untimed", "hasty", "stuck", "mute", "boot-on", "forgetful"):
        parser.add_argument(f"--{fault}", action="store_true")
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # a broker that goes is part of the play
    try:
        asyncio.run(_run(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
