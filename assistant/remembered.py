"""Settings changed by voice, kept for next time; it must never hold anything else.

One small TOML file, written whole to a new file that then takes the old one's place, so that a
power cut leaves either the old or the new.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.paths import state_folder
from assistant.toml_file import read_toml

KEYS = (
    "session.talk",
    "session.default_tool",
    "session.minutes",
    "voice.rate",
    "voice.volume_db",
    "voice.pace",
)
"""The settings that can be changed by voice."""


def remembered_file() -> Path:
    """Where they are kept."""
    return state_folder() / "remembered.toml"


def remembered(path: Path) -> dict[str, Any]:
    """What is remembered, by dotted key; nothing when there is no file. Raises `ConfigError`."""
    return dict(read_toml(path).data) if path.exists() else {}


def remember(path: Path, key: str, value: str | int | float) -> None:
    """Keep one setting. Raises `KeyError` for a key that is not to be changed by voice."""
    if key not in KEYS:
        raise KeyError(key)
    _write(path, {**remembered(path), key: value})


def forget(path: Path) -> None:
    """Forget every setting changed by voice."""
    path.unlink(missing_ok=True)


def _write(path: Path, values: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = ["# Settings changed by voice. Delete this file to forget them."]
    lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in sorted(values.items())]
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
