"""Reads `massagers.toml`, the person's own devices; it must never hold or show a password.

The file is apart from every other setting, so that `unknot massager off` works when those are
broken. It looks like this:

    [shoulders]
    kind = "tasmota"                 # esphome, tasmota, shelly, zigbee2mqtt or pin
    broker = "192.168.1.10"          # the MQTT broker; port = 8883 with TLS, else 1883
    user = "unknot"
    password_file = "broker.password"    # readable by its owner only; or $UNKNOT_MQTT_PASSWORD
    ca_file = "ca.pem"               # the broker's authority; switches TLS on
    topic = "massager"               # the device's own, see the kind's file
"""

import hashlib
import json
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audio.errors import MassagerUnsafe

KINDS = ("esphome", "tasmota", "shelly", "zigbee2mqtt", "pin")
SIMULATED = "simulated"
PASSWORD = "UNKNOT_MQTT_PASSWORD"  # noqa: S105, the name of a variable
ESPHOME_LEVELS = 5
_MQTT_KEYS = frozenset(
    {"kind", "topic", "relay", "broker", "port", "user", "password_file", "tls", "ca_file"}
)
_KEYS = {
    "esphome": (_MQTT_KEYS - {"relay"}) | {"levels"},
    "tasmota": _MQTT_KEYS,
    "shelly": _MQTT_KEYS,
    "zigbee2mqtt": _MQTT_KEYS - {"relay"},
    "pin": frozenset({"kind", "led"}),
}
_INTEGERS = {"port": (1, 65535), "relay": (1, 8), "levels": (1, ESPHOME_LEVELS)}


@dataclass(frozen=True)
class Broker:
    """Where the MQTT broker is and how to be let in."""

    host: str
    port: int
    user: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None

    def password(self) -> str | None:
        """Read the password: $UNKNOT_MQTT_PASSWORD first, else the file.

        Raises MassagerUnsafe if the file is missing, or open to anybody but its owner.
        """
        if self.user is None:
            return None
        if PASSWORD in os.environ:
            return os.environ[PASSWORD]
        return None if self.password_file is None else _secret(self.password_file)


@dataclass(frozen=True)
class Device:
    """One massager as its owner described it."""

    name: str
    kind: str
    topic: str = ""
    relay: int = 1
    levels: int = ESPHOME_LEVELS
    broker: Broker | None = None
    led: Path | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of everything that is configured: what was tested is this and nothing else."""
        described = (self.kind, self.topic, self.relay, self.levels, self.broker, self.led)
        return hashlib.sha256(repr(described).encode()).hexdigest()

    @property
    def identity(self) -> str:
        """A hash of which device it is, whatever it is called: two names, one device."""
        broker = self.broker and (self.broker.host, self.broker.port)
        which = (self.kind, self.topic, self.relay, broker, str(self.led))
        return hashlib.sha256(json.dumps(which).encode()).hexdigest()[:16]


def read_devices(file: Path) -> dict[str, Device]:
    """Read every device of `file`; none when there is no such file.

    Raises MassagerUnsafe naming the file, the device, the key, the value and the remedy.
    """
    return {name: describe(name, table, file) for name, table in read_tables(file).items()}


def read_tables(file: Path) -> dict[str, object]:
    """Read the file as it is; raises MassagerUnsafe if it cannot be read.

    Its entries are judged by `describe`, one by one: a wrong one must not keep another device on.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MassagerUnsafe(f"{file}: {error.strerror}", "make it readable") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MassagerUnsafe(f"{file}: {error}", "mend the line") from None
    return tables


def describe(name: str, table: object, file: Path) -> Device:
    """Check one entry of the file; raises MassagerUnsafe at the first thing that is wrong."""
    where = f"{file}: [{name}]"
    if not isinstance(table, dict):
        raise MassagerUnsafe(f"{file}: {name} = {table!r}", f"begin a device with [{name}]")
    if name == SIMULATED:
        raise MassagerUnsafe(f"{where}: this name is taken", "give the device another name")
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise MassagerUnsafe(f"{where} kind = {kind!r}: unknown", f"one of {', '.join(KINDS)}")
    _refuse_unknown(where, kind, table)
    if kind == "pin":
        return Device(name, kind, led=Path(_text(where, table, "led")))
    return Device(
        name,
        kind,
        topic=_topic(where, table),
        relay=_integer(where, table, "relay", 1),
        levels=_integer(where, table, "levels", ESPHOME_LEVELS),
        broker=_broker(where, table, file.parent),
    )


def _refuse_unknown(where: str, kind: str, table: Mapping[str, object]) -> None:
    if "password" in table:  # its value is not repeated here
        raise MassagerUnsafe(
            f"{where} password: a secret does not belong in this file",
            f"put it into a file of its own, chmod 600, and name it by password_file, "
            f"or set ${PASSWORD}",
        )
    for key in table:
        if key not in _KEYS[kind]:
            known = ", ".join(sorted(_KEYS[kind]))
            raise MassagerUnsafe(f"{where} {key}: unknown for a {kind}", f"known: {known}")


def _broker(where: str, table: Mapping[str, object], folder: Path) -> Broker:
    ca_file = _path(where, table, "ca_file", folder)
    tls = table.get("tls", ca_file is not None)
    if not isinstance(tls, bool):
        raise MassagerUnsafe(f"{where} tls = {tls!r}", "true or false")
    if ca_file and not tls:
        raise MassagerUnsafe(f"{where} ca_file without TLS", "leave out tls = false")
    return Broker(
        host=_text(where, table, "broker"),
        port=_integer(where, table, "port", 8883 if tls else 1883),
        user=_text(where, table, "user") if "user" in table else None,
        password_file=_path(where, table, "password_file", folder),
        tls=tls,
        ca_file=ca_file,
    )


def _topic(where: str, table: Mapping[str, object]) -> str:
    topic = _text(where, table, "topic")
    if set(topic) & set("+#\0 ") or topic.strip("/") != topic:
        raise MassagerUnsafe(f"{where} topic = {topic!r}", "no +, #, blank or outer slash")
    return topic


def _text(where: str, table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        found = "missing" if key not in table else f"= {value!r}"
        raise MassagerUnsafe(f"{where} {key} {found}", 'write it as key = "text"')
    return value


def _path(where: str, table: Mapping[str, object], key: str, folder: Path) -> Path | None:
    return folder / _text(where, table, key) if key in table else None


def _integer(where: str, table: Mapping[str, object], key: str, default: int) -> int:
    value, (low, high) = table.get(key, default), _INTEGERS[key]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise MassagerUnsafe(f"{where} {key} = {value!r}", f"a whole number from {low} to {high}")
    return value


def _secret(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise MassagerUnsafe(
                    f"{file}: others may read this password (mode {stat.S_IMODE(mode):o})",
                    f"chmod 600 {file}",
                )
            return opened.readline().rstrip("\r\n")
    except OSError as error:
        raise MassagerUnsafe(f"{file}: {error.strerror}", "see password_file") from None
