"""How unknot introduces itself to Home Assistant over MQTT, and how it tells the board there.

Pure: topics and payloads. It must never offer an entity that starts, raises or chooses anything,
nor tell what a person said.

Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload (read November
2026): one retained message a device, every component with `p` and `unique_id`, and an origin `o`.
"""

import re
from dataclasses import dataclass
from typing import Any

from assistant.board import HALTS, Board, Halt, Microphone
from assistant.safety import Tier
from assistant.state import State

STATUS = "homeassistant/status"
"""Home Assistant says `online` here when it has started, and then wants to be told everything."""
ONLINE, OFFLINE = "online", "offline"
PRESS = "STOP"
EXPIRE_SECONDS = 15
"""Three missed states: then nobody knows what the massager does."""
SECONDS = {"device_class": "duration", "unit_of_measurement": "s"}
ALONE = (State.IDLE.value, State.ENDED.value)
"""Where nobody is in a session. In every other state other loudspeakers should be low all the time,
not only while we speak: what they play also hides the person's words from us."""
DIAGNOSTIC = {"entity_category": "diagnostic"}
LONGEST_NODE = 32


@dataclass(frozen=True)
class Node:
    """One room on the broker. `id` stands in topics and entities, `name` is what people read."""

    id: str
    name: str

    @property
    def base(self) -> str:
        """What all of its topics begin with."""
        return f"unknot/{self.id}"

    @property
    def discovery(self) -> str:
        """Where it introduces itself."""
        return f"homeassistant/device/unknot_{self.id}/config"

    @property
    def availability(self) -> str:
        """Where it says online, and the broker offline if it vanishes."""
        return f"{self.base}/availability"

    @property
    def state(self) -> str:
        """Where the board is told."""
        return f"{self.base}/state"

    @property
    def halts(self) -> str:
        """Where a halt is told, once."""
        return f"{self.base}/halt"

    @property
    def stop(self) -> str:
        """The only topic that it obeys."""
        return f"{self.base}/stop"


def node(*names: str) -> Node:
    """The first of these names that has a letter or digit in it."""
    for name in (*names, "room"):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:LONGEST_NODE]
        if plain:
            return Node(plain, name.strip())
    raise AssertionError("the last name is good")


def introduction(room: Node, version: str, *, quiet_please: bool = False) -> dict[str, Any]:
    """Everything that Home Assistant shows of one room; the wish for quiet only where it is set.

    Each key is its name in small letters: older versions make the entity's id of the name, newer
    ones take the one that is given, and an automation must find it in both.
    """
    return {
        "dev": {
            "ids": [f"unknot_{room.id}"],
            "name": f"unknot {room.name}",
            "mf": "unknot",
            "mdl": "neck-massage assistant",
            "sw": version,
        },
        "o": {"name": "unknot", "sw": version},
        "avty": [{"t": room.availability}],
        "qos": 1,
        "cmps": {
            **_told_of_the_session(room),
            **_told_of_the_devices(room),
            **_stop_and_halts(room),
            **(_quiet_please(room) if quiet_please else {}),
        },
    }


def _told_of_the_session(room: Node) -> dict[str, Any]:
    return {
        "state": _enum(room, "state", "State", _tops(), icon="mdi:account-heart"),
        "part": _sensor(room, "part", "Part"),
        "time_left": _sensor(room, "time_left", "Time left", **SECONDS),
        "rating_before": _sensor(room, "rating_before", "Rating before"),
        "rating_after": _sensor(room, "rating_after", "Rating after"),
        "last_advice": _enum(room, "last_advice", "Last advice", [tier.value for tier in Tier]),
    }


def _told_of_the_devices(room: Node) -> dict[str, Any]:
    kinds = [each.value for each in Microphone]
    running = {"device_class": "running", "expire_after": EXPIRE_SECONDS}
    told = _told(room, "massager")
    return {
        "microphone": _enum(room, "microphone", "Microphone", kinds, **DIAGNOSTIC),
        "massager": _component(room, "binary_sensor", "massager", "Massager", **told, **running),
    }


def _stop_and_halts(room: Node) -> dict[str, Any]:
    stop = {"command_topic": room.stop, "payload_press": PRESS, "icon": "mdi:stop-circle"}
    halt = {"state_topic": room.halts, "event_types": list(HALTS), "icon": "mdi:hand-back-left"}
    return {
        "stop": _component(room, "button", "stop", "Stop", **stop),
        "halt": _component(room, "event", "halt", "Halt", **halt),
    }


def _quiet_please(room: Node) -> dict[str, Any]:
    told = _told(room, "quiet_please")
    icon = "mdi:volume-low"
    entity = _component(room, "binary_sensor", "quiet_please", "Quiet please", **told, icon=icon)
    return {"quiet_please": entity}


def state(board: Board) -> dict[str, Any]:
    """The board as one JSON object; null is what Home Assistant calls unknown."""
    return {
        "state": board.top,
        "detail": board.state,
        "part": f"{board.step}/{board.steps} {board.step_name}" if board.step else None,
        "time_left": round(board.left),
        "rating_before": board.rating_before,
        "rating_after": board.rating_after,
        "last_advice": board.tier or None,
        "microphone": board.microphone.value,
        "massager": "ON" if board.on else "OFF",
        "level": board.level,
        "lease": round(board.lease_left, 1),
        "quiet_please": "OFF" if board.top in ALONE else "ON",
        "fault": board.fault or None,
        "ended": board.ended or None,
    }


def event(halt: Halt, now: float) -> dict[str, Any]:
    """A halt as an event of Home Assistant; one that had to wait for the broker tells its age."""
    age = max(0, round(now - halt.at))
    return {"event_type": halt.what, "reason": halt.reason, "seconds_ago": age}


def _component(room: Node, platform: str, key: str, name: str, **more: object) -> dict[str, Any]:
    own = f"unknot_{room.id}_{key}"
    entity = {"unique_id": own, "default_entity_id": f"{platform}.{own}"}
    return {"p": platform, "name": name, **entity, **more}


def _sensor(room: Node, key: str, name: str, **more: object) -> dict[str, Any]:
    return _component(room, "sensor", key, name, **_told(room, key), **more)


def _enum(room: Node, key: str, name: str, options: list[str], **more: object) -> dict[str, Any]:
    return _sensor(room, key, name, device_class="enum", options=options, **more)


def _told(room: Node, key: str) -> dict[str, str]:
    return {"state_topic": room.state, "value_template": f"{{{{ value_json.{key} }}}}"}


def _tops() -> list[str]:
    return list(dict.fromkeys(each.top for each in State))
