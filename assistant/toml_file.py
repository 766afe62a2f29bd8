"""A TOML file and the line on which each of its values stands, which tomllib does not tell.

It must never change a file, and never judge what a value means.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.problem import ConfigError, problem

Keys = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[\s,]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*(\.?)""")
_PLAIN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|[^,\]}\n#]+",
    re.DOTALL,
)


@dataclass(frozen=True)
class TomlFile:
    """What a file holds. `lines` gives the line, from 1, of each path of keys."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[Keys, int] = field(repr=False)

    def line(self, where: Sequence[str | int]) -> int:
        """The line of a value, or of the nearest thing around it; 1 when nothing is."""
        keys = tuple(where)
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 1)


def read_toml(path: Path) -> TomlFile:
    """Read a file. Raises `ConfigError` with the one problem that keeps it from being read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return TomlFile(path, tomllib.loads(text), _Scanner(text).lines())
    except FileNotFoundError:
        trouble = problem(path, 0, (), None, "there is no such file; create it or name another")
    except IsADirectoryError:
        trouble = problem(path, 0, (), None, "this is a folder; name a file in it")
    except UnicodeDecodeError:
        trouble = problem(path, 0, (), None, "this is not UTF-8 text; save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        trouble = problem(path, line, (), None, f"this is not TOML: {error}")
    except OSError as error:
        trouble = problem(path, 0, (), None, f"cannot read it: {error.strerror}")
    raise ConfigError([trouble])


class _Scanner:
    """Walks over text that tomllib has accepted and notes where each value begins."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._ends = [found.start() for found in re.finditer("\n", self._text)]
        self._at = 0
        self._lines: dict[Keys, int] = {}
        self._arrays: dict[Keys, int] = {}

    def lines(self) -> dict[Keys, int]:
        """The line of each path of keys."""
        table: Keys = ()
        while self._skip(_GAP) is not None and self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _skip(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found.group()

    def _note(self, keys: Keys) -> None:
        self._lines.setdefault(keys, bisect_left(self._ends, self._at) + 1)

    def _keys(self) -> Keys:
        keys: list[str] = []
        more = True
        while more and (found := _KEY.match(self._text, self._at)):
            keys.append(next(part for part in found.groups()[:3] if part is not None))
            self._at, more = found.end(), bool(found.group(4))
        return tuple(keys)

    def _header(self) -> Keys:
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        table = self._inside(self._keys(), last=not array)
        if array:
            index = self._arrays.get(table, -1) + 1
            self._arrays[table] = index
            self._note(table)
            table = (*table, index)
        self._note(table)
        self._at += 2 if array else 1
        return table

    def _inside(self, keys: Keys, last: bool) -> Keys:
        """The path of a header, with the index of the newest element of each array it enters."""
        path: Keys = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            if path in self._arrays and (last or position < len(keys) - 1):
                path = (*path, self._arrays[path])
        return path

    def _pair(self, table: Keys) -> None:
        self._skip(_GAP)
        begins = self._at
        keys = self._keys()
        self._at, after = begins, self._at
        for length in range(1, len(keys) + 1):
            self._note(table + keys[:length])
        self._at = self._text.index("=", after) + 1
        self._value(table + keys)

    def _value(self, where: Keys) -> None:
        self._skip(_BLANK)
        opening = self._text[self._at]
        if opening not in "[{":
            self._skip(_PLAIN)
            return
        self._at += 1
        index = 0
        while self._skip(_GAP) is not None and self._text[self._at] not in "]}":
            if opening == "{":
                self._pair(where)
            else:
                self._note((*where, index))
                self._value((*where, index))
                index += 1
        self._at += 1
