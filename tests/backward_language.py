"""Makes a language that nobody speaks: English with every word spelled backwards, and an x.

For the proof that a language is data alone. It must never leave a word of English as it was.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_APART = re.compile(r"(\{\w+\}|<\w+>)")
"""Blanks, slots and rules are names, not words."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_TEXTS = ("title", "name", "no_number")
_SENTENCES = (
    "say",
    "more",
    "intro",
    "setup",
    "closing",
    "brief",
    "avoid",
    "coming",
    "heard",
    "ask",
)
_SENTENCES += ("if_no", "if_yes_or_silent", "repeat", "answered")


def backwards(text: str) -> str:
    """Every word of the text: "stop it" is "xpots xti"."""
    parts = _APART.split(text)
    turned = (_WORD.sub(lambda found: f"x{found[0].lower()[::-1]}", part) for part in parts[::2])
    names = (*parts[1::2], "")
    return "".join(word + name for word, name in zip(turned, names, strict=True))


def write_backward_language(english: Path, folder: Path, voice: str = "gmw/en-us") -> None:
    """Write a whole language into `folder` out of the `english` config/."""
    changes: dict[str, Callable[[Any], Any]] = {
        "phrases.toml": _phrases,
        "prompts.toml": _all,
        "advice.toml": _spoken,
        "faq.toml": _spoken,
    }
    for path in sorted((english / "routines").glob("*.toml")):
        changes[f"routines/{path.name}"] = _spoken
    for name, change in changes.items():
        data = tomllib.loads((english / name).read_text("utf-8"))
        write_toml(folder / name, change(data))
    write_toml(folder / "settings.toml", {"voice": {"name": voice}})


def write_toml(path: Path, data: Mapping[str, Any]) -> None:
    """One line for each key; tables stand inside braces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(k)} = {_toml(v)}\n" for k, v in data.items()), "utf-8")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _all(value: Any) -> Any:
    """Every text in it, but what lists the numbers for a blank and what has a name of its own."""
    if isinstance(value, dict):
        return {key: item if key == "values" else _all(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_all(item) for item in value]
    return backwards(value) if isinstance(value, str) else value


def _spoken(value: Any) -> Any:
    """Only what is spoken or shown: an id, a tool or a source stays what it is."""
    if isinstance(value, list):
        return [_spoken(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _all(item) if _is_spoken(key, item) else _spoken(item) for key, item in value.items()
    }


def _is_spoken(key: str, item: Any) -> bool:
    return isinstance(item, str) if key in _TEXTS else key in _SENTENCES and isinstance(item, list)


def _phrases(data: dict[str, Any]) -> dict[str, Any]:
    """Phrases by their words; numbers and weights by their keys."""
    keyed = {
        name: {backwards(word): count for word, count in data[name].items()}
        for name in ("numbers", "sensitivity")
    }
    sounds = data["sounds_like"].items()
    keyed["sounds_like"] = {backwards(word): _all(others) for word, others in sounds}
    kept = {name: data[name] for name in ("slots", "unk")}
    return {name: _all(table) for name, table in data.items()} | keyed | kept
