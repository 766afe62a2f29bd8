"""A low-voltage massager on a Raspberry Pi pin; the kernel's own timer switches it off.

It must never drive mains, and never a pin without the kernel's one-shot timer: a Raspberry Pi
kernel leaves a pin as it was when a program dies.

Set up once, in config.txt: dtoverlay=gpio-led,gpio=17,label=massager; and load the timer with
`modprobe ledtrig-transient`. At the gate the hardware needs a pull-down resistor, so that a pin
that nobody drives means off. `led` is then /sys/class/leds/massager. Writing 1 to `activate` puts
the pin high for `duration` ms (kernel documentation, leds/ledtrig-transient).
"""

import os
from collections.abc import Callable
from pathlib import Path

from assistant.massager import Capabilities
from assistant.messages import MassagerReport
from assistant.safety import LEASE_SECONDS
from audio.errors import MassagerUnsafe

TRIGGER = "transient"


class PinMassager:
    """One pin, on or off. An off that the kernel did not take is repeated by every `report`.

    `longest_seconds` can only make the longest lease shorter. Raises MassagerUnsafe when the
    kernel does not offer, or does not take, its timer.
    """

    def __init__(
        self,
        name: str,
        led: Path,
        *,
        longest_seconds: float = LEASE_SECONDS,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.capabilities = Capabilities(levels=1, holds_lease=True, real=True)
        self.quiet = False
        self.trouble: MassagerUnsafe | None = None
        self._led = led
        self._longest = min(longest_seconds, LEASE_SECONDS)
        self._release = release
        self._off_due = True
        self._confirmed = MassagerReport(None, 0, float("-inf"))
        try:
            self._arm()
        except OSError as error:
            self._write("brightness", "0")
            raise _explain(led, error) from None
        self.off()

    def lease(self, level: int, seconds: float) -> None:
        """Have the kernel switch on for `seconds`; it ignores a second 1, so 0 goes before."""
        if level != 1 or not seconds > 0:
            return
        milliseconds = str(max(1, round(1000 * min(seconds, self._longest))))
        if self._write("duration", milliseconds) and self._read("duration") == milliseconds:
            self._off_due = False
            self._write("activate", "0")
            self._write("activate", "1")

    def off(self) -> None:
        """Stop the kernel's timer, which puts the pin low; put low a pin that has no timer.

        The kernel takes the trigger away when `brightness` becomes 0, so it is set again.
        """
        self._off_due = not self._write("activate", "0")
        if self._read("brightness") == "0":
            return
        try:
            _put(self._led / "brightness", "0")
            self._arm()
        except OSError:
            self._off_due = True

    def report(self, now: float) -> MassagerReport:
        """Read what the kernel says of the timer and of the pin; either one on means on."""
        if self._off_due and not self.quiet:
            self.off()
        active, brightness = self._read("activate"), self._read("brightness")
        if active is not None and brightness is not None:
            on = active != "0" or brightness != "0"
            self._confirmed = MassagerReport(on, int(on), now)
        return self._confirmed

    def close(self) -> None:
        """Switch off, and free the device for another session."""
        self.off()
        self._release()

    def _arm(self) -> None:
        if f"[{TRIGGER}]" not in (self._led / "trigger").read_text():
            _put(self._led / "trigger", TRIGGER)
        _put(self._led / "activate", "0")
        _put(self._led / "state", "1")

    def _write(self, name: str, text: str) -> bool:
        try:
            _put(self._led / name, text)
        except OSError:
            return False
        return True

    def _read(self, name: str) -> str | None:
        try:
            return (self._led / name).read_text().strip()
        except OSError:
            return None


def _put(file: Path, text: str) -> None:
    """Write to a file that the kernel made; never make one."""
    handle = os.open(file, os.O_WRONLY | os.O_TRUNC)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def _explain(led: Path, error: OSError) -> MassagerUnsafe:
    if not led.is_dir():
        remedy = "add dtoverlay=gpio-led,gpio=17,label=massager to config.txt and restart"
        return MassagerUnsafe(f"{led}: there is no such pin", remedy)
    if isinstance(error, PermissionError):
        remedy = "let your group write its trigger, duration, state, activate and brightness"
        return MassagerUnsafe(f"{error.filename}: not allowed", remedy)
    remedy = "sudo modprobe ledtrig-transient"
    return MassagerUnsafe(f"{led}: the kernel offers no one-shot timer for this pin", remedy)
