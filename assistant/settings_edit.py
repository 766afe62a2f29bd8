"""Changes one setting in the person's own settings file; it must never lose a line that they wrote.

Comments, order and everything else stay. What cannot be changed surely is left as it is.
"""

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from audio.errors import UnknotError

_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?")
_VALUE = r"""("[^"\\]*"|'[^']*'|[^\s#"']+)"""


def change(path: Path, table: str, key: str, value: str) -> None:
    """Set `table.key` to `value`, in a file that is made where there is none. Raises UnknotError
    for a file that is broken, cannot be written, or is too unusual to be changed safely."""
    remedy = f"write {key} = {json.dumps(value)} under [{table}] there by hand"
    try:
        before = path.read_text("utf-8-sig") if path.exists() else ""
        old = tomllib.loads(before)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnknotError(f"{path}: is broken: {error}", "mend it first") from error
    except OSError as error:
        raise UnknotError(f"{path}: {error.strerror}", remedy) from error
    after = _changed(before, table, key, value)
    if not _is_that_change(after, old, table, key, value):
        raise UnknotError(f"{path}: cannot be changed without a risk", remedy)
    try:
        _write(path.resolve(), after)
    except OSError as error:
        raise UnknotError(f"{path}: {error.strerror}", remedy) from error


def _changed(text: str, table: str, key: str, value: str) -> str:
    lines = text.splitlines()
    new = f"{key} = {json.dumps(value)}"
    header = next((n for n, line in enumerate(lines) if _opens(line, table)), None)
    if header is None:
        gap = [""] if lines else []
        return "\n".join([*lines, *gap, f"[{table}]", new, ""])
    for number in range(header + 1, len(lines)):
        if _HEADER.fullmatch(lines[number]):
            break
        found = re.fullmatch(rf"(\s*{key}\s*=\s*){_VALUE}(.*)", lines[number])
        if found:
            lines[number] = f"{found[1]}{json.dumps(value)}{found[3]}"
            return "\n".join([*lines, ""])
    return "\n".join([*lines[: header + 1], new, *lines[header + 1 :], ""])


def _opens(line: str, table: str) -> bool:
    found = _HEADER.fullmatch(line)
    return found is not None and found[1].strip() == table


def _is_that_change(text: str, old: dict[str, Any], table: str, key: str, value: str) -> bool:
    """Whether the text says what it said before, but for the one setting."""
    try:
        new = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    under = old.get(table, {})
    return isinstance(under, dict) and new == {**old, table: {**under, key: value}}


def _write(path: Path, text: str) -> None:
    """Whole or not at all, as readable as it was."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
