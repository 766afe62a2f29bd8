"""Compares a text with the one that was read and approved; it must never approve by itself."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"


def check_snapshot(name: str, text: str) -> None:
    """Fail where `text` differs from `tests/snapshots/<name>`."""
    path = FOLDER / name
    if os.environ.get("UNKNOT_WRITE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    approved = path.read_text(encoding="utf-8")
    assert text.rstrip("\n") == approved.rstrip("\n")
