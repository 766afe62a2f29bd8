"""Home Assistant over a real mosquitto: what it is told, what it may wish, and what it may not."""

import asyncio
import contextlib
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from massager_rig import (  # noqa: F401, runner is a fixture
    PASSWORD,
    USER,
    Broker,
    Network,
    free_port,
    holds,
    in_loop,
    runner,
    until,
)
from watched_rehearsal import WatchedRehearsal

from assistant.board import HALTS, Board, Halt
from assistant.discovery import event, introduction, node, state
from assistant.homeassistant import Room
from assistant.settings import Settings
from assistant.settings_file import HomeAssistantTable
from assistant.state import State
from audio.errors import UnknotError
from intents.intent import Intent

PYTHON = "HOME_ASSISTANT_PYTHON"
CHECK = Path(__file__).with_name("home_assistants_own_check.py")
BEDROOM = node("Bedroom")
TOPICS = ("/availability", "/state", "/halt", "/stop")


class Home:
    """What a Home Assistant would see on the broker."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.said: list[tuple[str, str, bool]] = []
        self._client = client
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        await self._client.subscribe("#", 1)
        with contextlib.suppress(aiomqtt.MqttError):  # the broker was killed
            async for message in self._client.messages:
                assert isinstance(message.payload, bytes)
                said = (str(message.topic), message.payload.decode(), bool(message.retain))
                self.said.append(said)

    def on(self, topic: str) -> list[str]:
        return [payload for where, payload, _ in self.said if where == topic]

    def states(self, room: Any = BEDROOM) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.on(room.state)]

    def halts(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.on(BEDROOM.halts)]

    async def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        await self._client.publish(topic, payload, qos=1, retain=retain)


@asynccontextmanager
async def home(port: int) -> AsyncIterator[Home]:
    async with aiomqtt.Client("127.0.0.1", port, username=USER, password=PASSWORD) as client:
        yield Home(client)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    return tmp_path


def table(port: int, name: str = "Bedroom", **more: Any) -> HomeAssistantTable:
    asked = {"broker": "127.0.0.1", "port": port, "user": USER, "password_file": "password"}
    return HomeAssistantTable(enabled=True, node=name, **(asked | more))


@asynccontextmanager
async def told(settings: Settings, asked: HomeAssistantTable) -> AsyncIterator[WatchedRehearsal]:
    """A session in its massage that tells Home Assistant."""
    session = WatchedRehearsal(settings).in_massage()
    room = Room(session.watching, session.stop, asked)
    async with session:
        running = asyncio.create_task(room.run())
        try:
            yield session
        finally:
            session.watching.close()
            await asyncio.wait_for(running, 8.0)


@asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[Broker]:
    started = await Broker(folder / "broker").start()
    try:
        yield started
    finally:
        await started.kill()


# What it is told


@in_loop
async def test_home_assistant_learns_of_the_room_and_what_goes_on_in_it(
    settings: Settings, folder: Path
) -> None:
    async with broker(folder) as mosquitto, home(mosquitto.port) as seen:
        async with told(settings, table(mosquitto.port)) as session:
            await until(seen.states)
            assert json.loads(seen.on(BEDROOM.discovery)[0])["dev"]["ids"] == ["unknot_bedroom"]
            assert seen.on(BEDROOM.availability) == ["online"]
            first = seen.states()[0]
            assert first["state"] == "massage"
            assert first["massager"] == "ON"
            assert first["part"].startswith("1/")
            assert first["time_left"] > 60
            assert first["rating_before"] == 6
            assert first["microphone"] == "hears"
            session.say(Intent.PAUSE)
            await until(lambda: seen.states()[-1]["state"] == "paused")
            assert seen.states()[-1]["massager"] == "OFF"
        await until(lambda: seen.on(BEDROOM.availability)[-1] == "offline")


@in_loop
async def test_what_was_heard_is_nobody_s_business(settings: Settings, folder: Path) -> None:
    async with broker(folder) as mosquitto, home(mosquitto.port) as seen:
        async with told(settings, table(mosquitto.port)) as session:
            await until(seen.states)
            session.say(Intent.QUESTION, topic="secret worry")
            session.say(Intent.LOUDER)
            await asyncio.sleep(0.6)
        everything = json.dumps(seen.said)
        assert "louder" not in everything
        assert "secret" not in everything


@in_loop
async def test_a_sign_of_danger_is_told_as_an_event(settings: Settings, folder: Path) -> None:
    async with broker(folder) as mosquitto, home(mosquitto.port) as seen:
        async with told(settings, table(mosquitto.port)) as session:
            await until(seen.states)
            session.say(Intent.DIZZY)
            await until(seen.halts)
            assert seen.halts()[0]["event_type"] == "warning"
            assert seen.halts()[0]["seconds_ago"] <= 1
            await until(lambda: seen.states()[-1]["last_advice"] == "warning")
        assert not any(kept for topic, _, kept in seen.said if topic == BEDROOM.halts)


@in_loop
async def test_the_state_is_told_again_while_nothing_changes(
    settings: Settings, folder: Path
) -> None:
    """Else Home Assistant would call the massager unknown after a while."""
    async with (
        broker(folder) as mosquitto,
        home(mosquitto.port) as seen,
        told(settings, table(mosquitto.port)) as session,
    ):
        session.say(Intent.PAUSE)
        await until(lambda: seen.states() and seen.states()[-1]["state"] == "paused")
        await until(lambda: not session.watching.board().saying)
        await asyncio.sleep(0.7)
        before = len(seen.states())
        await until(lambda: len(seen.states()) > before, 6.0)


@in_loop
async def test_a_home_assistant_that_starts_is_told_everything_again(
    settings: Settings, folder: Path
) -> None:
    async with (
        broker(folder) as mosquitto,
        home(mosquitto.port) as seen,
        told(settings, table(mosquitto.port)),
    ):
        await until(seen.states)
        await seen.say("homeassistant/status", "online")
        await until(lambda: len(seen.on(BEDROOM.discovery)) == 2)


@in_loop
async def test_two_rooms_share_a_broker(settings: Settings, folder: Path) -> None:
    async with broker(folder) as mosquitto, home(mosquitto.port) as seen:
        port = mosquitto.port
        async with told(settings, table(port)) as one, told(settings, table(port, "Attic")) as two:
            await until(lambda: seen.states() and seen.states(node("attic")))
            await seen.say(BEDROOM.stop, "STOP")
            await until(lambda: one.off_at)
            assert two.off_at == []
            assert two.device.on


# What it may wish


@in_loop
async def test_its_stop_switches_off(settings: Settings, folder: Path) -> None:
    async with (
        broker(folder) as mosquitto,
        home(mosquitto.port) as seen,
        told(settings, table(mosquitto.port)) as session,
    ):
        await until(seen.states)
        await seen.say(BEDROOM.stop, "STOP")
        await until(lambda: session.off_at)
        assert session.session.state is State.HALTED
        await until(seen.halts)
        assert seen.halts()[0]["event_type"] == "stop"


@in_loop
async def test_nothing_else_is_obeyed(settings: Settings, folder: Path) -> None:
    async with (
        broker(folder) as mosquitto,
        home(mosquitto.port) as seen,
        told(settings, table(mosquitto.port)) as session,
    ):
        await until(seen.states)
        for wish in ("START", "stop", "STOP ", "STOP\n", "ON", "continue", "", "STOP" * 9999):
            await seen.say(BEDROOM.stop, wish)
        for topic in ("start", "set", "level/set", "massager/set", "command", "state/set"):
            await seen.say(f"{BEDROOM.base}/{topic}", "STOP")
        assert await holds(lambda: not session.off_at and session.device.on, 0.7)
        session.say(Intent.PAUSE)
        for wish in ("START", "ON", "continue"):
            await seen.say(BEDROOM.stop, wish)
        assert await holds(lambda: not session.device.on, 0.7)


@in_loop
async def test_a_stop_that_the_broker_kept_is_no_wish(settings: Settings, folder: Path) -> None:
    async with broker(folder) as mosquitto, home(mosquitto.port) as seen:
        await seen.say(BEDROOM.stop, "STOP", retain=True)
        async with told(settings, table(mosquitto.port)) as session:
            await until(seen.states)
            assert await holds(lambda: not session.off_at, 0.7)


# What goes wrong


@in_loop
async def test_a_session_that_vanishes_is_told_by_the_broker(
    settings: Settings, folder: Path
) -> None:
    async with broker(folder) as mosquitto, home(mosquitto.port) as seen:
        network = await Network(mosquitto.port).start()
        async with told(settings, table(network.port)) as session:
            await until(seen.states)
            await network.stop()
            await until(lambda: seen.on(BEDROOM.availability)[-1] == "offline")
            assert session.device.on


@in_loop
async def test_the_late_will_of_a_connection_that_was_lost_is_answered(
    settings: Settings, folder: Path
) -> None:
    async with broker(folder) as mosquitto, home(mosquitto.port) as seen:
        async with told(settings, table(mosquitto.port)):
            await until(seen.states)
            await seen.say(BEDROOM.availability, "offline", retain=True)
            await until(lambda: seen.on(BEDROOM.availability)[-2:] == ["offline", "online"])
        await until(lambda: seen.on(BEDROOM.availability)[-1] == "offline")
        assert await holds(lambda: seen.on(BEDROOM.availability)[-1] == "offline", 0.3)


@in_loop
async def test_a_broker_that_comes_late_and_goes_changes_nothing_for_the_session(
    settings: Settings, folder: Path
) -> None:
    """A halt that it missed is told when it is back, with its age."""
    late = Broker(folder / "broker")
    async with told(settings, table(late.port)) as session:
        assert await holds(lambda: session.device.on, 0.5)
        session.say(Intent.DIZZY)
        assert await holds(lambda: not session.device.on, 1.1)
        await late.start()
        try:
            async with home(late.port) as seen:
                await until(seen.halts, 12.0)
                assert seen.halts()[0]["event_type"] == "warning"
                assert seen.halts()[0]["seconds_ago"] >= 1
            await late.kill()
            assert await holds(lambda: session.session.state.top == "halted", 0.5)
            await late.start()
            async with home(late.port) as seen:
                await until(seen.states, 12.0)
        finally:
            await late.kill()


@in_loop
async def test_a_refused_password_is_told_once(
    settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "password").write_text("wrong")
    async with broker(folder) as mosquitto, told(settings, table(mosquitto.port)) as session:
        assert await holds(lambda: session.device.on, 2.0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert f"broker 127.0.0.1:{mosquitto.port}" in lines[0]
    assert "wrong" not in lines[0]


def test_a_password_that_others_may_read_is_refused(settings: Settings, folder: Path) -> None:
    (folder / "password").chmod(0o644)
    session = WatchedRehearsal(settings)
    with pytest.raises(UnknotError, match="chmod 600"):
        Room(session.watching, session.stop, table(free_port()))


def test_a_missing_certificate_is_refused(settings: Settings) -> None:
    session = WatchedRehearsal(settings)
    with pytest.raises(UnknotError, match="ca_file"):
        Room(session.watching, session.stop, table(free_port(), ca_file="none.pem"))


# The introduction, by the rules that Home Assistant publishes


def test_home_assistant_s_own_code_takes_the_introduction() -> None:
    python = os.environ.get(PYTHON)
    if python is None:
        pytest.skip(f"set {PYTHON} to a Python that has the package homeassistant")
    for name in ("Bedroom", "Ä", "room 7/8"):
        judged = subprocess.run(
            [python, CHECK],
            input=json.dumps(introduction(node(name), "0.1.0", quiet_please=True)),
            capture_output=True,
            text=True,
        )
        assert judged.returncode == 0, judged.stderr
        assert len(json.loads(judged.stdout)["components"]) == 11


def test_the_introduction_keeps_the_published_rules() -> None:
    """Every rule is one for which Home Assistant 2025.4 refuses the message or an entity."""
    said = introduction(BEDROOM, "0.1.0")
    assert set(said) == {"dev", "o", "avty", "qos", "cmps"}
    assert said["o"]["name"]
    assert said["dev"]["ids"]
    parts = said["cmps"].values()
    assert len({part["unique_id"] for part in parts}) == len(parts)
    for part in parts:
        assert part["default_entity_id"] == f"{part['p']}.{part['unique_id']}"
        assert {"command_topic", "state_topic"} & set(part)
        if part.get("device_class") == "enum":
            assert len(set(part["options"])) == len(part["options"]) > 0
            assert not {"unit_of_measurement", "state_class"} & set(part)
    assert said["cmps"]["halt"]["event_types"] == list(HALTS)
    assert said["cmps"]["time_left"]["unit_of_measurement"] == "s"


def test_an_entity_s_id_is_the_same_in_every_version_of_home_assistant() -> None:
    """Version 2025.4 makes it of the names; since 2026.4 default_entity_id counts."""
    said = introduction(BEDROOM, "0.1.0")
    for key, part in said["cmps"].items():
        made = f"{said['dev']['name']} {part['name']}".lower().replace(" ", "_")
        assert part["default_entity_id"] == f"{part['p']}.{made}"
        assert made == f"unknot_bedroom_{key}"


def test_the_guide_names_only_entities_that_there_are() -> None:
    """Its first automations were run by Home Assistant 2025.4.4; here all are held to the names."""
    guide = (Path(__file__).parent.parent / "docs" / "home-assistant.md").read_text()
    parts = introduction(BEDROOM, "0.1.0", quiet_please=True)["cmps"].values()
    there = {part["default_entity_id"] for part in parts}
    named = set(re.findall(r"(?:binary_sensor|sensor|button|event)\.unknot_\w+", guide))
    assert named <= there
    assert len(named) >= len(there) - 1
    for topic in re.findall(r"`((?:unknot|homeassistant)/\S+)`", guide):
        assert topic in {BEDROOM.discovery, *map(BEDROOM.base.__add__, TOPICS)}
    for word in (*HALTS, *(every.top for every in State)):
        assert f"`{word}`" in guide


def test_there_is_nothing_to_start_or_to_raise() -> None:
    parts = introduction(BEDROOM, "0.1.0")["cmps"].values()
    assert {part["p"] for part in parts} == {"sensor", "binary_sensor", "button", "event"}
    commands = [part for part in parts if any("command" in key for key in part)]
    assert [(part["command_topic"], part["payload_press"]) for part in commands] == [
        ("unknot/bedroom/stop", "STOP")
    ]


def test_quiet_is_asked_for_only_where_that_is_set_and_all_through_a_session() -> None:
    """Not only while it speaks: what others play also hides the person's words."""
    assert "quiet_please" not in introduction(BEDROOM, "0.1.0")["cmps"]
    assert "quiet_please" in introduction(BEDROOM, "0.1.0", quiet_please=True)["cmps"]
    wishes = {every: state(Board(state=every.value))["quiet_please"] for every in State}
    alone = {every for every, wish in wishes.items() if wish == "OFF"}
    assert alone == {State.IDLE, State.ENDED}


@in_loop
async def test_other_loudspeakers_are_asked_to_step_back_and_may_come_back(
    settings: Settings, folder: Path
) -> None:
    async with (
        broker(folder) as mosquitto,
        home(mosquitto.port) as seen,
        told(settings, table(mosquitto.port, quiet_please=True)) as session,
    ):
        await until(seen.states)
        assert "quiet_please" in json.loads(seen.on(BEDROOM.discovery)[0])["cmps"]
        assert seen.states()[0]["quiet_please"] == "ON"
        session.say(Intent.DIZZY)
        await until(lambda: seen.states()[-1]["state"] == "halted")
        assert seen.states()[-1]["quiet_please"] == "ON"


def test_every_value_that_is_told_is_one_that_was_announced() -> None:
    parts = introduction(BEDROOM, "0.1.0", quiet_please=True)["cmps"]
    keys = {key for key, part in parts.items() if "value_template" in part}
    for every in State:
        said = state(Board(state=every.value))
        assert keys <= set(said)
        assert said["state"] in parts["state"]["options"]
    for what in HALTS:
        assert event(Halt(what, "x", 1.0), 3.4)["event_type"] in parts["halt"]["event_types"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Living Room",), "living_room"),
        (("", "pi4"), "pi4"),
        (("+/#", "pi4"), "pi4"),
        (("", "Ω"), "room"),
        (("a" * 99,), "a" * 32),
    ],
)
def test_a_room_s_name_is_fit_for_a_topic(names: tuple[str, ...], expected: str) -> None:
    assert node(*names).id == expected
