"""What may be set, and how the layers of it become one: config/, the person's own, by voice, asked.

It must never let a file weaken a limit of `safety`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from assistant.problem import Problem, problem
from assistant.quiet_hours import PATTERN as QUIET_HOURS
from assistant.safety import GENTLE_SECONDS, REST_SECONDS, SESSION_SECONDS, Limits
from assistant.shape import Flag, Number, Table, Text, Whole, read_table
from assistant.stage import LOUDEST_DB, QUIETEST_DB
from assistant.toml_file import Keys, TomlFile

SHORTEST_MINUTES, LONGEST_MINUTES = 5, 15
"""The article: 5 to 15 minutes a session."""


class SessionTable(Table):
    """How the session treats a person; times in seconds unless named otherwise."""

    screening: Flag = True
    default_tool: Literal["", "hands", "balls", "massager"] = ""
    default_routine: Text = ""
    minutes: Annotated[Whole, Field(ge=0, le=LONGEST_MINUTES)] = 0
    """0 is as long as the routine says."""
    talk: Literal["full", "brief"] = "full"
    answer_seconds: Annotated[Number, Field(ge=2.0, le=60.0)] = 8.0
    tries: Annotated[Whole, Field(ge=1, le=3)] = 3
    still_with_me_seconds: Annotated[Number, Field(ge=0.0, le=900.0)] = 300.0
    """0 never asks."""
    pause_seconds: Annotated[Number, Field(ge=10.0, le=900.0)] = 60.0
    chime: Flag = False
    quiet_hours: Annotated[Text, Field(pattern=QUIET_HOURS)] = ""
    """As "22:00-07:00"; empty is never."""


class VoiceTable(Table):
    """How unknot speaks."""

    engine: Literal["auto", "pyttsx3", "hibari"] = "auto"
    """auto: hibari where it is installed and has the voice `name`, else pyttsx3."""
    name: Text = ""
    rate: Annotated[Whole, Field(ge=60, le=300)] = 140
    """Words a minute."""
    volume_db: Annotated[Number, Field(ge=QUIETEST_DB, le=LOUDEST_DB)] = 0.0
    gap_seconds: Annotated[Number, Field(ge=0.0, le=5.0)] = 0.35
    pace: Annotated[Whole, Field(ge=0, le=4)] = 2
    """0 is the slowest, 4 the fastest."""
    tones: Flag = True


class HearingTable(Table):
    """What listens, and where."""

    engine: Literal["auto", "vosk", "embedded", "sphinx"] = "auto"
    model: Text = ""
    microphone: Text = ""
    loudspeaker: Text = ""


class MassagerTable(Table):
    """Which massager, and limits stricter than the program's own."""

    name: Annotated[Text, Field(min_length=1)] = "simulated"
    longest_minutes: Annotated[Number, Field(ge=1.0, le=SESSION_SECONDS / 60)] = (
        SESSION_SECONDS / 60
    )
    gentle_seconds: Annotated[Number, Field(ge=GENTLE_SECONDS, le=SESSION_SECONDS)] = GENTLE_SECONDS
    rest_minutes: Annotated[Number, Field(ge=REST_SECONDS / 60, le=60.0)] = REST_SECONDS / 60
    highest_level: Annotated[Whole, Field(ge=1, le=99)] = 99

    @property
    def limits(self) -> Limits:
        """The limits in force, as the governor takes them."""
        return Limits(
            session_seconds=self.longest_minutes * 60,
            gentle_seconds=self.gentle_seconds,
            rest_seconds=self.rest_minutes * 60,
            max_level=self.highest_level,
        )


class EmergencyTable(Table):
    """Whom to call. Never guessed: an empty number is spoken as "your emergency number"."""

    number: Annotated[Text, Field(pattern=r"^[0-9 +-]*$")] = ""


class JournalTable(Table):
    """Whether sessions are written down, and where."""

    keep: Flag = True
    path: Text = ""


class PageTable(Table):
    """The helper's page: watch and STOP, from a browser."""

    enabled: Flag = False
    lan: Flag = False
    """Also for other machines of the home's network."""
    port: Annotated[Whole, Field(ge=0, le=65535)] = 8790
    """0 is any that is free."""


class HomeAssistantTable(Table):
    """Home Assistant over MQTT; file names are relative to the person's settings folder."""

    enabled: Flag = False
    broker: Text = "homeassistant.local"
    port: Annotated[Whole, Field(ge=0, le=65535)] = 0
    """0 is 1883, or 8883 with TLS."""
    user: Text = ""
    password_file: Text = ""
    tls: Flag = False
    ca_file: Text = ""
    quiet_please: Flag = False
    """Tell when other loudspeakers should be low."""
    node: Text = ""
    """The room's name on the broker; empty is the machine's."""


class ButtonTable(Table):
    """A button that stops, wired between a pin of a Raspberry Pi and ground."""

    pin: Annotated[Whole, Field(ge=0, le=27)] = 0
    """The BCM number; 0 is none."""


class SettingsTable(Table):
    """Everything in settings.toml; each key has its usual value, so a file may hold any part."""

    language: Text = "en"
    """Which folder of words is spoken and understood."""
    session: SessionTable = SessionTable()
    voice: VoiceTable = VoiceTable()
    hearing: HearingTable = HearingTable()
    massager: MassagerTable = MassagerTable()
    emergency: EmergencyTable = EmergencyTable()
    journal: JournalTable = JournalTable()
    page: PageTable = PageTable()
    home_assistant: HomeAssistantTable = HomeAssistantTable()
    button: ButtonTable = ButtonTable()


@dataclass(frozen=True)
class Layers:
    """Layers of settings, the later ones over the earlier ones."""

    files: tuple[TomlFile, ...]

    def settings(self) -> tuple[SettingsTable, list[Problem]]:
        """All layers as one, and every problem in any of them."""
        problems: list[Problem] = []
        merged: dict[str, Any] = {}
        for file in self.files:
            _, found = read_table(SettingsTable, file, file.data)
            found += _minutes(file)
            problems += found
            sound = file.data
            for told in found:
                sound = _without(sound, told.where.split("."))
            merged = _over(merged, sound)
        return SettingsTable.model_validate(merged), problems

    def complain(self, where: Keys, value: object, remedy: str) -> Problem:
        """A problem with a setting, told where it was last set."""
        named = [file for file in self.files if where in file.lines]
        file = named[-1] if named else self.files[0]
        return problem(file.path, file.line(where), where, value, remedy)


def nested(path: str, dotted: Mapping[str, Any]) -> TomlFile:
    """Dotted keys ("session.talk": "brief") as if they were a settings file called `path`."""
    data: dict[str, Any] = {}
    lines: dict[Keys, int] = {(): 0}
    for name, value in dotted.items():
        *tables, key = name.split(".")
        place = data
        for table in tables:
            place = place.setdefault(table, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict):
            place[key] = value
        lines[(*tables, key)] = 0
    return TomlFile(Path(path), data, lines)


def _without(data: Mapping[str, Any], where: list[str]) -> Mapping[str, Any]:
    """The data without the broken value at `where`, so that the rest can still be judged."""
    first, *rest = where
    under = data.get(first)
    kept = {key: value for key, value in data.items() if key != first}
    if rest and isinstance(under, dict):
        return {**kept, first: _without(under, rest)}
    return kept


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = _over(under, value)
        else:
            merged[key] = value
    return merged


def _minutes(file: TomlFile) -> Iterator[Problem]:
    """1 to 4 minutes are neither the routine's own length nor one that the article names."""
    session = file.data.get("session")
    minutes = session.get("minutes") if isinstance(session, dict) else None
    if isinstance(minutes, int) and 0 < minutes < SHORTEST_MINUTES:
        where: Keys = ("session", "minutes")
        remedy = f"use {SHORTEST_MINUTES} to {LONGEST_MINUTES}, or 0 for the routine's own length"
        yield problem(file.path, file.line(where), where, minutes, remedy)
