"""Where a person's own files are; it must never create, read or write any of them.

systemd's folders come first, then the ones the desktop names (XDG, by platformdirs).
"""

import os
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("unknot", appauthor=False)


def state_folder() -> Path:
    """The journal and what the program remembers: $STATE_DIRECTORY, else the XDG state folder."""
    return _of_service("STATE_DIRECTORY") or _DIRS.user_state_path


def config_folder() -> Path:
    """The person's settings and routines: $CONFIGURATION_DIRECTORY, else the XDG config folder."""
    return _of_service("CONFIGURATION_DIRECTORY") or _DIRS.user_config_path


def data_folder() -> Path:
    """Speech models: a folder of $STATE_DIRECTORY, else the XDG data folder."""
    state = _of_service("STATE_DIRECTORY")
    return state / "data" if state else _DIRS.user_data_path


def cache_folder() -> Path:
    """Rendered prompts, which can be made again: $CACHE_DIRECTORY, else the XDG cache folder."""
    return _of_service("CACHE_DIRECTORY") or _DIRS.user_cache_path


def massagers_file() -> Path:
    """The person's own massagers, apart from all other settings."""
    return config_folder() / "massagers.toml"


def voice_folder() -> Path:
    """Rendered prompts."""
    return cache_folder() / "voice"


def journal_file(named: str = "") -> Path:
    """The journal of sessions; `named` is the setting, relative to the state folder."""
    return state_folder() / (Path(named).expanduser() if named else "journal.sqlite3")


def under_way_file() -> Path:
    """What stands in for the journal while a session lasts of which nobody wants one."""
    return state_folder() / "under-way.sqlite3"


def _of_service(variable: str) -> Path | None:
    """The first of the colon-separated folders that systemd.exec(5) puts into `variable`."""
    first = os.environ.get(variable, "").split(":")[0]
    return Path(first) if first else None
