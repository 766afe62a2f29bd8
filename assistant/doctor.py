"""Looks whether this machine is fit for a session; it must never change anything.

Every check says what it found and, where that is not right, the one thing to do about it.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from assistant import paths
from assistant.doctor_ears import ears
from assistant.doctor_echo import echo, loopback
from assistant.doctor_listening import record_echo
from assistant.doctor_massager import brokers, guarantees
from assistant.doctor_microphone import heard, microphone
from assistant.doctor_service import service
from assistant.hearing import make_voice, places
from assistant.machine_checks import Check, answers, clock, disk, memory, power, python
from assistant.problem import ConfigError
from assistant.settings import Settings, load
from audio.errors import AudioMissing, MassagerUnsafe, NotFit
from audio.models import REMEDY, catalogue, difference, find
from audio.second_ear import PACKAGE_REMEDY, package_is_there
from audio.second_ear import REMEDY as SECOND_EAR_REMEDY
from audio.sound import RATE
from audio.soundcard import sound_check


def voice(settings: Settings) -> Check:
    """A sentence can be rendered, into a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="unknot-doctor-") as folder:
        speaker = replace(make_voice(settings), folder=Path(folder))
        clip = speaker.clip("This is my voice.")
    who = f"{speaker.speaker.voice} ({speaker.speaker.engine})"
    return Check("voice", True, f"{who}, {len(clip) / RATE:.1f} s rendered")


def voice_cache(settings: Settings) -> Check:
    """How much of what may be said is rendered already; the rest is, before a session."""
    speaker = make_voice(settings)
    sentences = list(settings.script.every_sentence())
    ready = sum(speaker.is_ready(sentence) for sentence in sentences)
    value = f"{ready} of {len(sentences)} sentences rendered in {speaker.folder}"
    return Check("voice cache", True, value)


def model(settings: Settings) -> Check:
    """The speech model; without one the ear that comes with the program serves for practice."""
    folder = find(places(settings))
    value = str(folder or "none: words are heard by the practice ear, which hears less")
    return Check("model", folder is not None, value, REMEDY)


def second_ear(settings: Settings) -> Check:
    """The second opinion on "stop"; nobody needs one, but one that is there should be heard."""
    file = places(settings).second_ear
    if not file.exists():
        return Check("second ear", True, "none, and none is needed")
    trouble = difference(file, catalogue().second_ear)
    remedy = SECOND_EAR_REMEDY if trouble else PACKAGE_REMEDY
    ok = not trouble and package_is_there()
    return Check("second ear", ok, trouble or str(file), remedy, NotFit.exit_code)


def journal(settings: Settings) -> Check:
    """The journal can be read and is whole; nothing is made where there is none."""
    from assistant.journal import Journal

    file = paths.journal_file(settings.journal.path)
    if not file.exists():
        return Check("journal", True, "empty")
    with Journal(file) as kept:
        damage = kept.damage()
        value = damage or f"whole, {len(kept.sessions())} sessions"
    return Check("journal", damage is None, value, f"move {file} away", NotFit.exit_code)


MACHINE: tuple[Callable[[], Check | None], ...] = (python, disk, memory, clock, power, service)
SET_UP: tuple[Callable[[Settings], Check], ...] = (
    model,
    second_ear,
    ears,
    voice,
    voice_cache,
    journal,
)


def examine() -> Iterator[Check]:
    """Machine and set-up, in the order in which a person would mend them; sound comes after it."""
    yield from answers((probe.__name__, probe) for probe in MACHINE)
    loaded: list[Settings] = []
    yield from _config(loaded)
    for settings in loaded:
        named = {probe.__name__.replace("_", " "): probe for probe in SET_UP}
        yield from answers((name, partial(probe, settings)) for name, probe in named.items())
        yield from guarantees(settings)
        yield from brokers(settings)


def exit_code(checks: Iterable[Check]) -> int:
    """0, or what the worst failure means: an unsafe massager, a poor set-up, then missing sound."""
    failed = {check.exit_code for check in checks if not check.ok}
    worst_first = (MassagerUnsafe.exit_code, NotFit.exit_code, AudioMissing.exit_code)
    return next((code for code in worst_first if code in failed), 0)


def sound() -> Iterator[Check]:
    """Microphone and loudspeaker as set, opened for a moment."""
    try:
        wanted = load().hearing
    except ConfigError:
        yield Check("sound", False, "not looked at", "mend config first", NotFit.exit_code)
        return
    problems = sound_check(wanted.microphone, wanted.loudspeaker)
    for problem in problems:
        yield Check("sound", False, problem.what, problem.remedy, AudioMissing.exit_code)
    if not problems:
        yield Check("sound", True, "the microphone brings sound, the loudspeaker takes it")


def listening() -> Iterator[Check]:
    """What the microphone hears of the room and of a soft sound that is played for it.

    Played again where nothing, or only its beginning, came back: a busy machine may have lost it.
    Nothing is told where microphone or loudspeaker cannot be opened: `sound` does.
    """
    try:
        wanted = load().hearing
        recording = record_echo(wanted)
        found = echo(recording)
        if found.delay_seconds is None or found.broke_off:
            recording = record_echo(wanted)
            found = echo(recording)
    except (ConfigError, AudioMissing):
        return
    yield microphone(replace(heard(recording.mic), talk_db=None))
    yield loopback(found)


def _config(loaded: list[Settings]) -> Iterator[Check]:
    """What config/ says; it joins `loaded` unless it is broken."""

    def config() -> Check:
        loaded.append(load())
        value = f"{len(loaded[0].routines)} routines; your own go into {paths.config_folder()}"
        return Check("config", True, value)

    yield from answers([("config", config)])
