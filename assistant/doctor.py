"""Looks whether this machine is fit for a session; it must never change anything.

Every check says what it found and, where that is not right, the one thing to do about it.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant import paths
from audio.errors import AudioMissing, NotFit, UnknotError

DISK_NEEDED_MB = 200
"""The speech model unpacked (some 70 MB), its download, rendered prompts and the journal."""

EARLIEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this day the clock is certainly wrong: a Pi without network starts in the past."""

ANSWER_SECONDS = 10.0
"""How long a foreign program may take to answer a check."""


@dataclass(frozen=True)
class Check:
    """What one check found."""

    check: str
    ok: bool
    value: str
    remedy: str = ""
    exit_code: int = 0
    """What a failure means: 3 not fit for a session, 5 no audio, 0 worth knowing."""


Probe = Callable[[], Check | None]
"""One check; None where there is nothing to check on this machine."""


def python() -> Check:
    """The interpreter: 64 bits and new enough."""
    value = f"{platform.python_version()} on {platform.machine()}"
    fits = sys.version_info >= (3, 11) and sys.maxsize > 2**32
    return Check("python", fits, value, "use a 64-bit system with Python 3.11 or newer", 3)


def disk() -> Check:
    """Room for the model, the rendered prompts and the journal, where they are kept."""
    folder = _existing(paths.state_folder())
    if not os.access(folder, os.W_OK):
        return Check("disk", False, f"{folder} is read-only", f"make {folder} writable", 3)
    free_mb = shutil.disk_usage(folder).free // 10**6
    remedy = f"free {DISK_NEEDED_MB} MB below {folder}"
    return Check("disk", free_mb >= DISK_NEEDED_MB, f"{free_mb} MB free at {folder}", remedy, 3)


def journal() -> Check:
    """The journal can be read and is whole; nothing is made where there is none."""
    from assistant.journal import Journal

    file = paths.journal_file()
    if not file.exists():
        return Check("journal", True, "empty")
    with Journal(file) as kept:
        damage = kept.damage()
        value = damage or f"whole, {len(kept.sessions())} sessions"
    return Check("journal", damage is None, value, f"move {file} away", 3)


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
    before = [
        f"{name} since it was switched on" for bit, name in names.items() if bits >> 16 + bit & 1
    ]
    value = ", ".join(now or before) or "enough power, cool"
    return Check("power", bits == 0, value, "use the Pi's own power supply, and cool it")


def sound() -> list[Check]:
    """The sound library, a microphone, a loudspeaker."""
    try:
        import sounddevice
    except OSError:
        missing = "sudo apt install libportaudio2"
        return [
            Check("sound library", False, "PortAudio is missing", missing, AudioMissing.exit_code)
        ]
    devices = list(sounddevice.query_devices())
    return [
        Check("sound library", True, sounddevice.get_portaudio_version()[1]),
        _device(devices, "microphone", "max_input_channels"),
        _device(devices, "loudspeaker", "max_output_channels"),
    ]


def _device(devices: Iterable[dict[str, object]], name: str, channels: str) -> Check:
    found = [str(device["name"]) for device in devices if device[channels]]
    value = ", ".join(found[:3]) or f"no {name}"
    return Check(name, bool(found), value, f"plug in a {name}", AudioMissing.exit_code)


PROBES: tuple[Probe, ...] = (python, disk, journal, clock, power)


def examine(*, sound_only: bool = False) -> list[Check]:
    """Every check that this machine knows, in the order in which a person would mend them."""
    found = [] if sound_only else [check for probe in PROBES if (check := _safely(probe))]
    return found + sound()


def exit_code(checks: Iterable[Check]) -> int:
    """0, or what the worst failure means: a set-up that is not fit comes before missing sound."""
    failed = {check.exit_code for check in checks if not check.ok}
    return next((code for code in (NotFit.exit_code, AudioMissing.exit_code) if code in failed), 0)


def _safely(probe: Probe) -> Check | None:
    """A check that finds a foreseeable error has found something, and the others go on."""
    name = probe.__name__
    try:
        return probe()
    except UnknotError as error:
        return Check(name, False, error.message, error.remedy, NotFit.exit_code)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, False, str(error), "look into that", NotFit.exit_code)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder
