"""A microphone or loudspeaker that fails is named, told, and over when it is over."""

import numpy as np
import pytest

from assistant.messages import FaultNoted, MassagerLease, MassagerOff, Say, Tick, Tone
from assistant.rehearsal import Rehearsal
from assistant.state import State
from audio.gaps import GAPS
from audio.messages import Ear, Fault, Health, Heard, Level, Recovered
from audio.microphone_watch import CLIPPED, MUTED, NOTICED_BLOCKS, MicrophoneWatch
from audio.sound import BLOCK, RATE, Samples
from intents.intent import Intent

LOST = "loudspeaker_lost"
NOTICED_SECONDS = 3.0


def talk(seconds: float, gain_db: float) -> Samples:
    """Somebody talks: syllables of noise with pauses; at 0 dB its peaks just reach full scale."""
    count = round(seconds * RATE)
    syllables = np.maximum(0.0, np.sin(2 * np.pi * 3.0 * np.arange(count) / RATE))
    noise = np.random.default_rng(1).normal(0.0, 1.0, count) * syllables
    loud = noise / np.abs(noise).max() * 10 ** (gain_db / 20) + 1e-3 * np.sin(np.arange(count))
    sound: Samples = np.rint(np.clip(loud, -1.0, 1.0) * 32767).astype(np.int16)
    return sound


def watched(sound: Samples) -> list[tuple[float, Fault | Recovered]]:
    """What is told of it, and after how many seconds."""
    watch, told = MicrophoneWatch(), []
    for number, block in enumerate(sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)):
        told += [((number + 1) * BLOCK / RATE, message) for message in watch.look(block)]
    return told


def test_a_microphone_turned_up_too_high_is_named_within_three_seconds_and_so_is_its_end() -> None:
    told = watched(np.concatenate([talk(6.0, 40.0), talk(6.0, -10.0)]))
    (noticed, fault), (over, end) = told
    assert isinstance(fault, Fault)
    assert (fault.what, end) == (CLIPPED, Recovered(CLIPPED))
    assert noticed < NOTICED_SECONDS
    assert 6.0 < over < 6.0 + NOTICED_SECONDS


@pytest.mark.parametrize("gain_db", [-30.0, 0.0, 6.0])
def test_a_person_who_talks_or_shouts_is_no_clipping(gain_db: float) -> None:
    assert watched(talk(20.0, gain_db)) == []


def test_one_shout_that_fills_the_scale_is_no_clipping() -> None:
    shout = np.concatenate([talk(3.0, -20.0), talk(1.0, 40.0), talk(3.0, -20.0)])
    assert watched(shout) == []


def room(seconds: float, level: float) -> Samples:
    """Steady noise with a standard deviation of `level` steps of the converter."""
    noise = np.random.default_rng(round(level)).normal(0.0, level, round(seconds * RATE))
    sound: Samples = np.rint(noise).astype(np.int16)
    return sound


def test_a_sound_card_whose_microphone_was_pulled_out_is_muted_each_time() -> None:
    """Its own hiss is left: blocks come, and change, and nobody is heard."""
    there = np.concatenate([room(6.0, 30.0), talk(6.0, -20.0)])
    told = watched(np.concatenate([there, room(5.0, 2.0), there, room(5.0, 2.0), there]))
    assert [message for _, message in told if isinstance(message, Recovered)] == [
        Recovered(MUTED),
        Recovered(MUTED),
    ]
    noticed = [at for at, message in told if isinstance(message, Fault) and message.what == MUTED]
    assert noticed == pytest.approx([12.0, 29.0], abs=NOTICED_SECONDS)


@pytest.mark.parametrize("level", [1.0, 4.0, 30.0, 300.0])
def test_a_room_that_is_quiet_for_long_is_not_muted(level: float) -> None:
    loud = (talk(8.0, -20.0) + room(8.0, level)).astype(np.int16)
    assert watched(np.concatenate([loud, room(60.0, level), loud, room(20.0, level)])) == []


def test_music_that_ends_is_taken_for_it_once_and_a_voice_ends_that() -> None:
    music, quiet = room(20.0, 1000.0), room(20.0, 20.0)
    told = watched(np.concatenate([music, quiet, talk(5.0, 0.0), quiet, music, quiet]))
    assert [type(message) for _, message in told] == [Fault, Recovered]
    assert told[1][0] == pytest.approx(40.0, abs=0.5)


def test_a_device_that_gives_only_zeros_is_muted_and_not_clipped() -> None:
    told = watched(np.zeros(NOTICED_BLOCKS * BLOCK * 2, np.int16))
    assert [getattr(message, "what", "") for _, message in told] == ["microphone_muted"]


def test_a_lost_loudspeaker_switches_off_and_a_tone_tells_that_it_is_back(
    in_massage: Rehearsal,
) -> None:
    session, now = in_massage.session, in_massage.now
    off, *_ = session.handle(Fault(LOST), now)
    assert off == MassagerOff(LOST)
    # Nothing can be spoken meanwhile: that is no second fault, and the first is not forgotten.
    later = [effect for s in range(1, 40) for effect in session.handle(Fault(LOST), now + s)]
    assert not [effect for effect in later if isinstance(effect, FaultNoted)]
    back = session.handle(Recovered(LOST), now + 40)
    assert [effect.name for effect in back if isinstance(effect, Tone)] == ["begin"]
    assert session.state is State.PAUSED_FAULT


@pytest.mark.parametrize("what", ["microphone_lost", "microphone_muted", CLIPPED, GAPS])
def test_a_microphone_that_fails_is_told_in_its_own_words_and_no_word_goes_on_before_its_end(
    in_massage: Rehearsal, what: str
) -> None:
    session, now = in_massage.session, in_massage.now
    first, *rest = session.handle(Fault(what), now)
    assert first == MassagerOff(what)
    assert [effect.prompt for effect in rest if isinstance(effect, Say)] == [f"fault.{what}"]
    assert not [e for e in session.handle(Recovered(what), now + 9) if isinstance(e, MassagerOff)]
    assert session.state is State.PAUSED_FAULT


def test_of_two_faults_the_one_that_stands_is_told_until_it_is_over_too(
    in_massage: Rehearsal,
) -> None:
    """A sound server that restarts takes microphone and loudspeaker with it."""
    in_massage.tell(Fault("microphone_lost"))
    in_massage.tell(Fault(LOST))
    in_massage.tell(Recovered(LOST))
    in_massage.say(Intent.CONTINUE)
    still = in_massage.session.state
    said = [line["prompt"] for line in in_massage.lines if line["kind"] == "say"]
    assert not {"fault.continue", "continued"} & set(said)
    in_massage.tell(Recovered("microphone_lost"))
    in_massage.say(Intent.CONTINUE)
    assert [still, in_massage.session.state] == [State.PAUSED_FAULT, State.DOING]


def test_beats_that_were_only_late_leave_nobody_stuck(in_massage: Rehearsal) -> None:
    """Nobody tells the end of a fault that only we noticed."""
    session, now = in_massage.session, in_massage.now
    session.handle(Tick(), now + 3.5)
    deaf = session.state
    back = session.handle(Health(now, 0.0, -50.0, 0), now + 4.0)
    assert [deaf, session.state] == 2 * [State.PAUSED_FAULT]
    assert not [effect for effect in back if isinstance(effect, MassagerLease)]
    session.handle(Heard(Level.FINAL, Intent.CONTINUE, "continue", Ear.WORDS, now), now + 5.0)
    assert in_massage.session.state.value == State.DOING.value
