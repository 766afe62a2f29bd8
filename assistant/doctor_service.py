"""Looks whether the service is there, runs, and is watched; it must never start or stop it."""

import shutil
import subprocess
from collections.abc import Mapping

from assistant.machine_checks import ANSWER_SECONDS, Check
from assistant.service import NAME
from audio.errors import NotFit

SHOWN = ("LoadState", "ActiveState", "UnitFileState", "NRestarts", "WatchdogUSec")
OFTEN = 3
"""Restarts since the machine started that are more than chance."""


def service() -> Check:
    """The machine's service, or this user's; none is no fault. Raises `TimeoutExpired`."""
    if shutil.which("systemctl") is None:
        return Check("service", True, "no systemd here: start unknot by hand")
    for who in ((), ("--user",)):
        told = _show(*who)
        if told.get("LoadState") not in (None, "not-found"):
            return judged(told, *who)
    return Check("service", True, "not installed: unknot starts when you start it")


def judged(told: Mapping[str, str], *who: str) -> Check:
    """What `systemctl show` told of a service that is there; `who` is --user, or nothing."""
    systemctl, journal = " ".join(("systemctl", *who)), " ".join(("journalctl", *who))
    state, restarts = told.get("ActiveState", ""), int(told.get("NRestarts") or 0)

    def poor(what: str, remedy: str) -> Check:
        return Check("service", False, what, remedy, NotFit.exit_code)

    if told.get("LoadState") != "loaded":
        return poor(f"its unit is {told.get('LoadState')}", "run: unknot service install")
    if state not in ("active", "activating"):
        return poor(f"it is {state}", f"{journal} -u {NAME}; then: {systemctl} restart {NAME}")
    if told.get("WatchdogUSec", "0") in ("0", "infinity"):
        return poor("nobody watches its loop", "run: unknot service install")
    if told.get("UnitFileState") != "enabled":
        return poor("it will not start with the machine", f"{systemctl} enable {NAME}")
    if restarts >= OFTEN:
        return poor(f"it was started again {restarts} times", f"see why: {journal} -u {NAME}")
    return Check("service", True, f"{state}, watched every {told['WatchdogUSec']}")


def _show(*who: str) -> Mapping[str, str]:
    """What systemd knows of it; nothing where systemd does not run."""
    command = ["systemctl", *who, "show", NAME, *(f"--property={name}" for name in SHOWN)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
    )
    if done.returncode:
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
