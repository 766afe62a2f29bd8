"""What the doctor asks of the machine itself; it must never need config/, sound or a library."""

import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant import paths

DISK_NEEDED_MB = 200
"""The speech model unpacked (some 70 MB), its download, rendered prompts and the journal."""

EARLIEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this day the clock is certainly wrong: a Pi without network starts in the past."""

ANSWER_SECONDS = 10.0
"""How long a foreign program may take to answer."""


@dataclass(frozen=True)
class Check:
    """What one check found."""

    check: str
    ok: bool
    value: str
    remedy: str = ""
    exit_code: int = 0
    """What a failure means: 3 not fit for a session, 4 massager, 5 no audio, 0 worth knowing."""


def python() -> Check:
    """The interpreter: 64 bits and new enough."""
    value = f"{platform.python_version()} on {platform.machine()}"
    fits = sys.version_info >= (3, 11) and sys.maxsize > 2**32
    return Check("python", fits, value, "use a 64-bit system with Python 3.11 to 3.13", 3)


def disk() -> Check:
    """Room for the model, the rendered prompts and the journal, where they are kept."""
    folder = _existing(paths.state_folder())
    if not os.access(folder, os.W_OK):
        return Check("disk", False, f"{folder} is read-only", f"make {folder} writable", 3)
    free_mb = shutil.disk_usage(folder).free // 10**6
    remedy = f"free {DISK_NEEDED_MB} MB below {folder}"
    return Check("disk", free_mb >= DISK_NEEDED_MB, f"{free_mb} MB free at {folder}", remedy, 3)


def clock() -> Check:
    """The time of day, which the journal shows and the rest after an unclean end counts by."""
    now = datetime.fromtimestamp(time.time(), UTC)
    value = now.isoformat(timespec="seconds")
    return Check("clock", now >= EARLIEST_CLOCK, value, "connect to a network, or: sudo date --set")


def power() -> Check | None:
    """A Raspberry Pi that lacks power or is too hot is slow to hear; None on other machines."""
    if shutil.which("vcgencmd") is None:
        return None
    answer = subprocess.run(
        ["vcgencmd", "get_throttled"],
        capture_output=True,
        text=True,
        timeout=ANSWER_SECONDS,
        check=False,
    )
    return throttling(answer.stdout)


def throttling(answer: str) -> Check | None:
    """What `vcgencmd get_throttled` says, e.g. `throttled=0x50005` (its manual names the bits)."""
    _, _, number = answer.strip().partition("=")
    try:
        bits = int(number, 16)
    except ValueError:
        return None
    names = {0: "too little power", 1: "slowed down", 2: "throttled", 3: "too hot"}
    now = [name for bit, name in names.items() if bits >> bit & 1]
    past = [
        f"{name} since it was switched on" for bit, name in names.items() if bits >> 16 + bit & 1
    ]
    value = ", ".join(now or past) or "enough power, cool"
    return Check("power", bits == 0, value, "use the Pi's own power supply, and cool it")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder
