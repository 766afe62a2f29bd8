"""One JSON line for each value of audio/messages.py, and back; it must never raise for a bad line.

A line that is no JSON, cut short, too long or of the wrong type is a `Garbage` value that names the
reason. Fields that this version does not know are ignored.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from audio import messages
from audio.messages import FromAudio, ToAudio

LONGEST_LINE = 65_536
"""Bytes; an utterance or a prompt is far below."""

Value = FromAudio | ToAudio

_KINDS: Mapping[str, type] = MappingProxyType(
    {
        "heard": messages.Heard,
        "say_began": messages.SayBegan,
        "say_ended": messages.SayEnded,
        "health": messages.Health,
        "fault": messages.Fault,
        "recovered": messages.Recovered,
        "ready": messages.Ready,
    }
)
_ORDERS: Mapping[str, type] = MappingProxyType(
    {
        "speak": messages.SpeakCommand,
        "tone": messages.ToneCommand,
        "hush": messages.HushCommand,
        "expect": messages.ExpectCommand,
        "enrol": messages.EnrolCommand,
        "volume": messages.VolumeCommand,
    }
)
_NAMES = {
    kind: (key, name)
    for key, kinds in (("kind", _KINDS), ("do", _ORDERS))
    for name, kind in kinds.items()
}


@dataclass(frozen=True)
class Garbage:
    """A line that is no message; `start` is its beginning, for a log."""

    why: str
    start: str = ""


def encode(value: Value) -> str:
    """The value as one line of ASCII, with its line end."""
    key, name = _NAMES[type(value)]
    told = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return json.dumps({key: name, **told}) + "\n"


def from_audio(line: str | bytes) -> FromAudio | Garbage:
    """What the audio process says."""
    found: FromAudio | Garbage = _decode(line, "kind", _KINDS)
    return found


def to_audio(line: str | bytes) -> ToAudio | Garbage:
    """What the audio process is told."""
    found: ToAudio | Garbage = _decode(line, "do", _ORDERS)
    return found


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(str(_plain(item)) for item in value)
    return value


def _decode(line: str | bytes, key: str, kinds: Mapping[str, type]) -> Any:
    start = repr(line[:60])
    if len(line) > LONGEST_LINE:
        return Garbage(f"longer than {LONGEST_LINE} bytes", start)
    try:
        found = json.loads(line, parse_constant=_refuse)
        if not isinstance(found, dict):
            raise TypeError("not a JSON object")
        name = found.get(key)
        kind = kinds.get(name) if isinstance(name, str) else None
        if kind is None:
            raise TypeError(f"{key} {name!r:.40} is unknown")
        return _build(kind, found)
    except (ValueError, TypeError, RecursionError) as error:
        return Garbage(str(error)[:120], start)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _build(kind: type, found: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    given = {}
    for field in fields(kind):
        if field.name in found:
            given[field.name] = _typed(found[field.name], hints[field.name], field.name)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise TypeError(f"{field.name} is missing")
    return kind(**given)


def _typed(value: Any, wanted: Any, name: str) -> Any:
    """The value as the type that a field wants. Raises `TypeError` or `ValueError`."""
    if isinstance(wanted, UnionType):
        return _one_of(value, get_args(wanted), name)
    container: Callable[[Iterable[Any]], Any] | None = get_origin(wanted)
    if container is not None:
        if not isinstance(value, list):
            raise TypeError(f"{name} is no list")
        return container(_typed(item, get_args(wanted)[0], name) for item in value)
    if issubclass(wanted, Enum):
        return wanted(value)
    return _scalar(value, wanted, name)


def _one_of(value: Any, choices: tuple[Any, ...], name: str) -> Any:
    """`X | None`: the only union there is."""
    if value is None and NoneType in choices:
        return None
    return _typed(value, choices[0], name)


def _scalar(value: Any, wanted: type, name: str) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**53 else math.inf
    if type(value) is not wanted or (isinstance(value, float) and not math.isfinite(value)):
        raise TypeError(f"{name} is no {wanted.__name__}")
    if isinstance(value, str):
        value.encode()  # half a surrogate pair is JSON, but no text
    return value
