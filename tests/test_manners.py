"""Manners of a speaker that is always there: a chime, quiet hours, and "not now"."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.build import make_rehearsal, make_session, manners
from assistant.conductor import Conductor
from assistant.live import Live
from assistant.messages import Begin, Effect, Remember, Say, TimeOfDay, Tone, Volume
from assistant.problem import ConfigError
from assistant.quiet_hours import QUIET_DB, QuietHours, quiet_hours
from assistant.rehearsal import Rehearsal
from assistant.safety import Governor
from assistant.session import Session
from assistant.settings import Settings, load
from assistant.state import State
from audio.messages import Ear, Fault, Heard, Level, SayEnded, SpeakCommand, ToAudio, VolumeCommand
from intents.intent import Intent

NIGHT = quiet_hours("22:00-07:00")
MIDNIGHT, NOON = TimeOfDay(0), TimeOfDay(12 * 60)
BREAK = "screen-break"


def polite(settings: Settings, **more: object) -> Session:
    wanted = replace(manners(settings), **more)  # type: ignore[arg-type]
    return Session(settings.routines, settings.script, settings.advice, wanted, Governor())


def say(session: Session, intent: Intent, now: float, topic: str | None = None) -> list[Effect]:
    heard = Heard(Level.FINAL, intent, "", Ear.WORDS, now, topic=topic)
    return list(session.handle(heard, now))


def levels(effects: list[Effect] | tuple[Effect, ...]) -> list[float]:
    return [effect.level_db for effect in effects if isinstance(effect, Volume)]


@pytest.mark.parametrize(
    ("hours", "minutes", "quiet"),
    [
        ("22:00-07:00", 22 * 60 - 1, False),
        ("22:00-07:00", 22 * 60, True),
        ("22:00-07:00", 0, True),
        ("22:00-07:00", 7 * 60 - 1, True),
        ("22:00-07:00", 7 * 60, False),
        ("13:00-15:30", 15 * 60, True),
        ("13:00-15:30", 15 * 60 + 30, False),
        ("13:00-13:00", 13 * 60, False),
    ],
)
def test_quiet_hours_may_lie_over_midnight(hours: str, minutes: int, quiet: bool) -> None:
    told = quiet_hours(hours)
    assert told is not None
    assert told.hold(minutes) is quiet


@given(st.integers(0, 1439), st.integers(0, 1439))
def test_quiet_hours_last_as_long_as_they_say(begins: int, ends: int) -> None:
    hours = QuietHours(begins, ends)
    assert sum(hours.hold(minute) for minute in range(1440)) == (ends - begins) % 1440


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "22:00", "22:00-07:60", " 22:00-07:00"])
def test_hours_that_are_none_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="22:00-07:00"):
        quiet_hours(text)
    with pytest.raises(ConfigError, match="quiet_hours"):
        load(overrides={"session.quiet_hours": text}, personal=False)


def test_the_settings_as_they_come_have_no_chime_and_no_quiet_hours(settings: Settings) -> None:
    usual = manners(settings)
    assert not usual.chime
    assert usual.quiet is None
    session = make_session(settings, None)
    assert levels(session.handle(MIDNIGHT, 0.0)) == []


def test_in_quiet_hours_the_voice_is_low_and_afterwards_as_before(settings: Settings) -> None:
    session = polite(settings, quiet=NIGHT, volume_db=-4.0)
    session.handle(Begin(), 0.0)
    assert levels(session.handle(MIDNIGHT, 1.0)) == [-4.0 + QUIET_DB]
    assert levels(session.handle(TimeOfDay(1), 60.0)) == []
    assert levels(session.handle(NOON, 120.0)) == [-4.0]


def test_louder_in_quiet_hours_is_louder(settings: Settings) -> None:
    session = polite(settings, quiet=NIGHT, volume_db=-8.0)
    session.handle(MIDNIGHT, 0.0)
    effects = say(session, Intent.LOUDER, 1.0)
    assert levels(effects) == [-4.0 + QUIET_DB]
    assert Remember("voice.volume_db", -4.0) in effects


@pytest.mark.parametrize("intent", [Intent.DIZZY, Intent.EMERGENCY])
def test_a_sign_of_danger_is_spoken_of_aloud_at_any_hour(
    settings: Settings, intent: Intent
) -> None:
    session = polite(settings, quiet=NIGHT)
    session.handle(MIDNIGHT, 0.0)
    say(session, Intent.START, 1.0, "hands-on")
    assert levels(say(session, intent, 2.0)) == [0.0]


def test_a_fault_is_spoken_of_aloud_at_any_hour(settings: Settings) -> None:
    session = polite(settings, quiet=NIGHT)
    session.handle(MIDNIGHT, 0.0)
    say(session, Intent.START, 1.0, "hands-on")
    assert levels(session.handle(Fault("microphone_lost"), 2.0)) == [0.0]


def test_the_volume_that_was_remembered_is_there_from_the_first_word(settings: Settings) -> None:
    sent: list[ToAudio] = []
    session = polite(settings, volume_db=-8.0)
    Conductor(session, None, sent.append, lambda _: None).handle(Begin(), 0.0)
    assert VolumeCommand(-8.0) in sent


@pytest.mark.parametrize(
    ("chime", "hour", "heard"), [(True, NOON, 1), (True, MIDNIGHT, 0), (False, NOON, 0)]
)
def test_a_chime_answers_the_start_phrase_where_it_is_wanted(
    settings: Settings, chime: bool, hour: TimeOfDay, heard: int
) -> None:
    session = polite(settings, chime=chime, quiet=NIGHT)
    session.handle(Begin(), 0.0)
    session.handle(hour, 0.5)
    assert say(session, Intent.HELP, 1.0).count(Tone("begin")) == 0
    assert say(session, Intent.START, 2.0).count(Tone("begin")) == heard
    assert say(session, Intent.START, 3.0).count(Tone("begin")) == 0


def between_two_breaks(session: Rehearsal) -> Rehearsal:
    session.say(Intent.START, topic=BREAK)
    assert session.run_until(State.WAITING)
    session.run_for(5.0)
    return session


def breaks(session: Rehearsal) -> int:
    said = [line["prompt"] for line in session.lines if line["kind"] == "say"]
    return said.count("reminder.again")


def test_in_quiet_hours_nobody_is_called_to_a_break(settings: Settings) -> None:
    rehearsal = Rehearsal(polite(settings, quiet=NIGHT))
    rehearsal.begin()
    between_two_breaks(rehearsal)
    interval = 60.0 * settings.routines[BREAK].again_minutes
    rehearsal.tell(MIDNIGHT)
    rehearsal.run_for(3 * interval)
    assert breaks(rehearsal) == 0
    rehearsal.tell(NOON)
    rehearsal.run_for(interval + 10.0)
    assert breaks(rehearsal) == 1


def test_not_now_puts_a_break_off(settings: Settings) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin()
    between_two_breaks(rehearsal)
    interval = 60.0 * settings.routines[BREAK].again_minutes
    rehearsal.run_for(interval)
    assert breaks(rehearsal) == 1
    rehearsal.say(Intent.NOT_NOW)
    assert rehearsal.session.state is State.WAITING
    rehearsal.run_for(interval - 60.0)
    assert breaks(rehearsal) == 1
    rehearsal.run_for(120.0)
    assert breaks(rehearsal) == 2


def test_not_now_is_answered_politely_while_nothing_runs(rehearsal: Rehearsal) -> None:
    heard = Heard(Level.FINAL, Intent.NOT_NOW, "not now", Ear.WORDS, rehearsal.now)
    effects = rehearsal.session.handle(heard, rehearsal.now)
    assert [each.prompt for each in effects if isinstance(each, Say)] == ["not_now"]
    assert rehearsal.session.state is State.IDLE


def test_a_live_session_learns_the_time_of_day_before_its_first_word(settings: Settings) -> None:
    sent: list[ToAudio] = []
    session = polite(settings, quiet=NIGHT)
    conductor = Conductor(session, None, sent.append, lambda _: None)
    live = Live(conductor, lambda: 0.0, time_of_day=lambda: 0)
    live.tell(Begin())
    live.tell(SayEnded("idle.ready", 0.0))
    asyncio.run(quit_soon(live))
    spoken = next(at for at, each in enumerate(sent) if isinstance(each, SpeakCommand))
    assert VolumeCommand(QUIET_DB) in sent[:spoken]


async def quit_soon(live: Live) -> None:
    asyncio.get_running_loop().call_soon(live.quit)
    await live.run()
