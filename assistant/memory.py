"""Keeps settings changed by voice, for next time; it must never stop a session that fails to."""

import contextlib

from assistant.remembered import forget, remember, remembered_file
from audio.errors import UnknotError


class SettingsMemory:
    """The conductor's memory: the remembered settings of this user."""

    def remember(self, key: str | None, value: object) -> None:
        """Keep `value` under `key`; no key forgets everything. A full disk loses the wish only."""
        path = remembered_file()
        with contextlib.suppress(OSError, UnknotError):
            if key is None:
                forget(path)
            elif isinstance(value, str | int | float):
                remember(path, key, value)
