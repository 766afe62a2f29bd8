"""What may never happen: limits, tiers of symptoms, and the governor of the massager.

Pure: time is an argument. Nothing here may be weakened by a file, a command line or a message; a
file can only make a limit stricter.

Rules of the governor
  1. On is a lease of 10 s, renewed every 4 s; nothing else switches on.
  2. A lease needs all of: a person heard saying the halting word today (`arm`), somebody who wants
     it on, a last microphone block younger than 3 s, ears that answer, and a device state that the
     device itself confirmed less than one lease ago.
  3. The first confirmed minute is at the gentlest level, and again after any unexpected off.
  4. One level up at a time, only when asked, never above the device's cap.
  5. Fifteen minutes a session, less one lease.
  6. Five minutes' rest after a session that did not end cleanly.
  7. After any off that the person did not ask for, only the person's word brings it on again.
"""

from dataclasses import dataclass
from enum import Enum

from assistant.messages import MassagerLease, MassagerOff, MassagerReport
from intents.intent import Intent, Meaning

LEASE_SECONDS = 10.0
"""How long the device stays on without hearing from us (docs/facts.md D1.2)."""
RENEW_SECONDS = 4.0
MICROPHONE_SECONDS = 3.0
"""Older than this, the last microphone block means deaf."""
GENTLE_SECONDS = 60.0
"""The article: the gentlest setting for one minute."""
SESSION_SECONDS = 900.0
"""The article: 5 to 15 minutes a session; a maker: no longer than 15 (docs/facts.md S8)."""
REST_SECONDS = 300.0
OFF_SECONDS = 2.0
"""A device that says on this long after it was told off does not obey."""
GENTLEST = 1
NEVER_REPORTED = MassagerReport(None, 0, float("-inf"))


class Tier(Enum):
    """How serious a complaint is, most serious first (config/advice.toml)."""

    EMERGENCY = "emergency"
    WARNING = "warning"
    DEVICE = "device"
    SORE = "sore"
    STOP = "stop"


@dataclass(frozen=True)
class Advice:
    """What is said about one complaint; prompts are `advice.<id>.heard`, `advice.<id>.say`."""

    id: str
    tier: Tier
    sources: tuple[str, ...]
    checked: str
    """The day the sources were read, as YYYY-MM-DD."""


DEFAULT_ADVICE = {
    Intent.DIZZY: "dizzy",
    Intent.TINGLING: "tingling",
    Intent.PAIN: "sharp_pain",
    Intent.EMERGENCY: "emergency",
    Intent.DEVICE: "hot",
}
"""The advice for a safety word heard by its sound alone: of two readings the more careful one."""

DEFAULT_TIER = {
    Intent.DIZZY: Tier.WARNING,
    Intent.TINGLING: Tier.WARNING,
    Intent.PAIN: Tier.WARNING,
    Intent.EMERGENCY: Tier.EMERGENCY,
    Intent.DEVICE: Tier.DEVICE,
    Intent.STOP: Tier.STOP,
}


def advice_id(meaning: Meaning) -> str:
    """Name the advice for a safety meaning; a plain stop is `stop`."""
    return meaning.topic or DEFAULT_ADVICE.get(meaning.intent, "stop")


@dataclass(frozen=True)
class Limits:
    """The limits in force; a value weaker than the constants raises ValueError."""

    session_seconds: float = SESSION_SECONDS
    gentle_seconds: float = GENTLE_SECONDS
    lease_seconds: float = LEASE_SECONDS
    rest_seconds: float = REST_SECONDS
    max_level: int = 99

    def __post_init__(self) -> None:
        for name, value, worst, ok in (
            ("session_seconds", self.session_seconds, SESSION_SECONDS, "at most"),
            ("lease_seconds", self.lease_seconds, LEASE_SECONDS, "at most"),
            ("gentle_seconds", self.gentle_seconds, GENTLE_SECONDS, "at least"),
            ("rest_seconds", self.rest_seconds, REST_SECONDS, "at least"),
        ):
            if (value > worst) if ok == "at most" else (value < worst):
                raise ValueError(f"{name} = {value}: must be {ok} {worst:g}")


class Change(Enum):
    """What came of a wish for more or less strength."""

    DONE = "done"
    GENTLE_MINUTE = "gentle_minute"
    STRONGEST = "strongest"
    GENTLEST = "gentlest"
    NONE = "none"


@dataclass
class _Known:
    """What the governor was last told."""

    block_at: float = float("-inf")
    ears_answer: bool = False
    practice: bool = True
    report: MassagerReport = NEVER_REPORTED


class Governor:
    """Decides what the massager may do. Feed it what is known; ask `decide` what to send.

    `levels` is how many the device has; 0 means that there is no device. `real` is False for a
    simulated one, which a practice ear may arm.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        levels: int = 0,
        *,
        real: bool = True,
        rest_until: float = float("-inf"),
    ) -> None:
        self.limits = limits or Limits()
        self._cap = min(levels, self.limits.max_level)
        self._real = real
        self._rest_until = rest_until
        self._known = _Known()
        self._armed = self._given_up = False
        self._wanted = False
        self._tripped = False
        self._level = self._leased_level = GENTLEST
        self._on = False
        self._renew_at = float("-inf")
        self._leased_at = float("-inf")
        self._told_off_at = float("-inf")
        self._confirmed_since: float | None = None
        self._gentle_banked = 0.0
        self._used = 0.0
        self._counted_to = float("-inf")

    # What is known

    def arm(self) -> None:
        """The person was heard saying the halting word, in this place, today."""
        self._armed = not self._given_up

    def disarm(self) -> None:
        """No massager until the person is heard again."""
        self._armed = False
        self._wanted = False

    def give_up(self) -> None:
        """No massager any more in this session, whoever is heard."""
        self._given_up = True
        self.disarm()

    def hears(self, block_age: float, ears_answer: bool, practice: bool, now: float) -> None:
        """Take the heartbeat: `block_age` seconds since the last microphone block.

        No block comes from the future: an age below 0 is taken for 0.
        """
        known = self._known
        known.block_at = now - max(0.0, block_age)
        known.ears_answer, known.practice = ears_answer, practice

    def reported(self, report: MassagerReport) -> None:
        """Take what the device itself confirms; one older than the last is ignored."""
        if report.on is None or report.at < self._known.report.at:
            return
        self._known.report = report
        if self._on and report.on and self._confirmed_since is None:
            self._confirmed_since = report.at

    # What is wanted

    def want(self, on: bool) -> None:
        """The massage needs the device on, or no longer does; no effect after a refusal."""
        self._wanted = on and not self._tripped

    def go_on(self) -> None:
        """The person said to go on after a refusal."""
        self._tripped = False

    def stronger(self, now: float) -> Change:
        """One level up, because the person asked."""
        if not self._cap or not self._armed:
            return Change.NONE
        if self._level >= self._cap:
            return Change.STRONGEST
        if self._gentle(now) < self.limits.gentle_seconds:
            return Change.GENTLE_MINUTE
        if self._level <= self._leased_level:  # heard twice before it was done: one wish
            self._level += 1
            self._renew_at = now
        return Change.DONE

    def softer(self, now: float) -> Change:
        """One level down."""
        if not self._cap or not self._armed:
            return Change.NONE
        if self._level <= GENTLEST:
            return Change.GENTLEST
        self._level -= 1
        self._renew_at = now
        return Change.DONE

    # What is so

    @property
    def level(self) -> int:
        """The level of the last or next lease, from 1."""
        return self._level

    @property
    def on(self) -> bool:
        """A lease was given and no off since."""
        return self._on

    @property
    def armed(self) -> bool:
        """A device is there and the person was heard."""
        return self._armed and self._cap > 0

    @property
    def practice_only(self) -> bool:
        """A real device is there, and the ears are known to be ones that may not arm it."""
        return self._real and self._cap > 0 and self._known.practice

    @property
    def given_up(self) -> bool:
        """The device failed, or the ears did, for this session."""
        return self._given_up

    @property
    def cap(self) -> int:
        """The highest level; 0 without a device."""
        return self._cap

    def rest_seconds(self, now: float) -> float:
        """Seconds of rest still due after an unclean end; 0 when none is."""
        return max(0.0, self._rest_until - now)

    def disobeys(self) -> bool:
        """The device says that it is on, well after it was told off."""
        report = self._known.report
        return not self._on and bool(report.on) and report.at > self._told_off_at + OFF_SECONDS

    @property
    def deadline(self) -> float | None:
        """When `decide` must be asked again at the latest; None while the device is off."""
        if not self._on:
            return None
        return min(self._renew_at, self._known.block_at + MICROPHONE_SECONDS)

    # What to do

    def off(self, why: str, now: float) -> MassagerOff:
        """Off, now, whatever was the case; the level is kept for going on."""
        self._count(now)
        self._wanted = False
        self._switch_off(now)
        return MassagerOff(why)

    def decide(self, now: float) -> MassagerOff | MassagerLease | None:
        """Return what to send now, if anything."""
        went_back = now < self._counted_to
        self._count(now)
        if not self._wanted:
            return self._end("not wanted", now) if self._on else None
        refusal = "clock went back" if went_back else self._refusal(now)
        if refusal:
            self._wanted, self._tripped = False, True
            self._switch_off(now)
            self._start_gently()
            return MassagerOff(refusal)
        if self._on and now < self._renew_at:
            return None
        why = "renewed" if self._on else "wanted"
        self._on, self._leased_at, self._renew_at = True, now, now + RENEW_SECONDS
        self._leased_level = self._level
        return MassagerLease(self._level, self.limits.lease_seconds, why)

    def _end(self, why: str, now: float) -> MassagerOff:
        self._switch_off(now)
        return MassagerOff(why)

    def _refusal(self, now: float) -> str | None:
        """Say why no lease may be given now, or None when one may be."""
        known, lease = self._known, self.limits.lease_seconds
        reasons = (
            (not self._cap, "no massager"),
            (not self._armed, "not armed"),
            (self._real and known.practice, "practice ear"),
            (self.rest_seconds(now) > 0, "resting"),
            (self._used >= self.limits.session_seconds - lease, "session limit"),
            (now - known.block_at >= MICROPHONE_SECONDS, "deaf"),
            (not known.ears_answer, "ears do not answer"),
            (now - known.report.at >= lease, "device silent"),
            (self._on and now - self._leased_at > lease, "lease ran out"),
            (self._went_off(), "unexpected off"),
        )
        return next((why for holds, why in reasons if holds), None)

    def _went_off(self) -> bool:
        """The device was confirmed on in this run, and now says off."""
        return self._on and self._confirmed_since is not None and not self._known.report.on

    def _count(self, now: float) -> None:
        """Count the seconds on; at most one lease for a silence, the device was off by then."""
        if self._on:
            passed = min(max(0.0, now - self._counted_to), self.limits.lease_seconds)
            self._used += passed
        self._counted_to = now

    def _switch_off(self, now: float) -> None:
        self._gentle_banked = self._gentle(now)
        self._confirmed_since = None
        if self._on or self._told_off_at == float("-inf"):
            self._told_off_at = now
        self._on = False

    def _start_gently(self) -> None:
        self._level, self._gentle_banked, self._confirmed_since = GENTLEST, 0.0, None

    def _gentle(self, now: float) -> float:
        since = self._confirmed_since
        return self._gentle_banked + (max(0.0, now - since) if since is not None else 0.0)
