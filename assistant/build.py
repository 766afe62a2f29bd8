"""Makes a session out of the settings. It must never open a device, a sound card or a journal."""

from collections.abc import Callable

from assistant.massager import Capabilities, Massager
from assistant.massager.simulated import SimulatedMassager
from assistant.quiet_hours import quiet_hours
from assistant.rehearsal import Rehearsal
from assistant.safety import Governor
from assistant.session import Session
from assistant.settings import Settings
from assistant.stage import Manners

NEVER = float("-inf")


def manners(settings: Settings) -> Manners:
    """How the session treats a person, as set."""
    session = settings.session
    return Manners(
        screening=session.screening,
        default_tool=session.default_tool,
        brief=session.talk == "brief",
        answer_seconds=session.answer_seconds,
        tries=session.tries,
        still_with_me_seconds=session.still_with_me_seconds or float("inf"),
        pause_seconds=session.pause_seconds,
        volume_db=settings.voice.volume_db,
        pace=settings.voice.pace,
        chime=session.chime,
        quiet=quiet_hours(session.quiet_hours),
    )


def make_session(
    settings: Settings, device: Capabilities | None, rest_until: float = NEVER
) -> Session:
    """A session in its first state, for a device with these capabilities or for none.

    `rest_until` is the session time until which the massager rests after an unclean end.
    """
    governor = Governor(
        settings.massager.limits,
        device.levels if device else 0,
        real=device.real if device else True,
        rest_until=rest_until,
    )
    return Session(settings.routines, settings.script, settings.advice, manners(settings), governor)


def simulated(clock: Callable[[], float]) -> Massager:
    """The massager that ships with the product, on this clock."""
    return SimulatedMassager(clock)


def make_rehearsal(settings: Settings) -> Rehearsal:
    """A session as text, with a simulated massager on virtual time."""
    device = SimulatedMassager(lambda: 0.0).capabilities
    return Rehearsal(make_session(settings, device), simulated)
