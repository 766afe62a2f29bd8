"""What a check is, and the checks of the machine itself.

These must never need config/, sound or a library: they tell why nothing else works.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant import paths
from audio.errors import NotFit, UnknotError

DISK_NEEDED_MB = 200
"""The speech model unpacked (some 70 MB), its download, rendered prompts and the journal."""

EARLIEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this day the clock is certainly wrong: a Pi without network starts in the past."""

MEMORY_NEEDED_MB = 300
"""Session, ears and the rendering of the plain voice, without Vosk's model (bench/memory.py)."""

THROTTLING = ("too little power", "slowed down", "throttled", "too hot")
"""Bits 0 to 3 of `vcgencmd get_throttled`: under-voltage, frequency capped, throttled, soft
temperature limit."""

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


def answers(probes: Iterable[tuple[str, Callable[[], Check | None]]]) -> Iterator[Check]:
    """A check that meets a foreseeable error has found something, and the others go on."""
    for name, probe in probes:
        try:
            found = probe()
        except UnknotError as error:
            code = max(error.exit_code, NotFit.exit_code)
            found = Check(name, False, error.message, error.remedy or "mend that", code)
        except (OSError, subprocess.TimeoutExpired) as error:
            found = Check(name, False, str(error), "look into that", NotFit.exit_code)
        except ImportError as error:
            found = Check(name, False, str(error), "install unknot again", NotFit.exit_code)
        if found:
            yield found


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
    return time_of_day(time.time(), _answer("timedatectl", "show", "--property=NTPSynchronized"))


def time_of_day(now: float, answer: str) -> Check:
    """Judge seconds since 1970 and what `timedatectl show` says, "" where it cannot be asked."""
    when = datetime.fromtimestamp(now, UTC)
    value = when.isoformat(timespec="seconds")
    if when < EARLIEST_CLOCK:
        remedy = "connect to a network, or: sudo date --set"
        return Check("clock", False, f"{value} is in the past", remedy)
    if answer.strip() == "NTPSynchronized=no":
        value = f"{value}, not set by a time server"
        return Check("clock", False, value, "connect to a network, or: sudo timedatectl set-ntp on")
    told = ", set by a time server" if answer.strip() == "NTPSynchronized=yes" else ""
    return Check("clock", True, f"{value}{told}")


def memory() -> Check | None:
    """Room for the ears, the voice and the session; None where /proc does not tell."""
    try:
        return room(Path("/proc/meminfo").read_text(encoding="ascii"))
    except OSError:
        return None


def room(meminfo: str) -> Check | None:
    """Judge the text of /proc/meminfo (proc(5)); None when it does not hold both lines."""
    found = dict(re.findall(r"^(MemTotal|MemAvailable): +(\d+) kB$", meminfo, re.MULTILINE))
    if len(found) < 2:
        return None
    whole, free = (int(found[name]) // 1024 for name in ("MemTotal", "MemAvailable"))
    value = f"{free} of {whole} MB free"
    remedy = f"end other programs: a session needs {MEMORY_NEEDED_MB} MB"
    return Check("memory", free >= MEMORY_NEEDED_MB, value, remedy, 3)


def power() -> Check | None:
    """A Raspberry Pi that lacks power or is too hot is slow to hear; None on other machines."""
    return throttling(_answer("vcgencmd", "get_throttled"))


def throttling(answer: str) -> Check | None:
    """What `vcgencmd get_throttled` says, e.g. `throttled=0x50005` (its manual names the bits).

    Bits 0 to 3 are now, 16 to 19 the same since the start.
    """
    _, _, number = answer.strip().partition("=")
    try:
        bits = int(number, 16)
    except ValueError:
        return None
    now = [name for bit, name in enumerate(THROTTLING) if bits >> bit & 1]
    past = [name for bit, name in enumerate(THROTTLING) if bits >> 16 + bit & 1]
    told = now + [f"{name} since it was switched on" for name in past if name not in now]
    hot = THROTTLING[3] in now + past
    remedy = "cool it, with a heat sink or more air" if hot else "use the Pi's own power supply"
    return Check("power", bits == 0, ", ".join(told) or "enough power, cool", remedy)


def _answer(program: str, *words: str) -> str:
    """What a foreign program prints; "" where there is none. Raises `TimeoutExpired`."""
    if shutil.which(program) is None:
        return ""
    done = subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
    )
    return done.stdout


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder
