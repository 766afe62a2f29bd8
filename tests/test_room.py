"""The room's parts: what it does to sound, when the person speaks, and how a session is judged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.room.acoustics import (
    LOUDSPEAKER_DB,
    ROUND_TRIP_BLOCKS,
    Convolution,
    Microphone,
    Noise,
    echo_path,
    person_path,
)
from assistant.room.expectations import DeviceMoment, Event, Log, judge
from assistant.room.faults import Breakdowns, DeadProcess, LostMicrophone
from assistant.room.moments import Moments
from assistant.room.person import Cue, Person, Spoken
from assistant.room.scenario import Expect
from assistant.room.scenario import Fault as Planned
from assistant.room.sound import (
    BLOCK,
    PERSON_DB,
    RATE,
    Samples,
    active_level,
    decibels,
    sounding,
    utterance,
)
from assistant.room.trigger import Happening, Moment, parse_trigger
from audio.messages import Ear, Fault, Health, Heard, Level, Recovered, SayEnded
from intents.intent import Intent


def speechlike(seconds: float, seed: int = 1) -> Samples:
    """Noise with about the spectrum of speech, at full activity."""
    rng = np.random.default_rng(seed)
    size = int(seconds * RATE)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    shape = np.where(frequency < 100.0, 0.0, np.maximum(frequency / 500.0, 1.0) ** -1.5)
    sound = np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * shape, size)
    return np.asarray(sound / np.abs(sound).max() * 0.3, np.float32)


def through(path: Convolution, sound: Samples) -> Samples:
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return np.concatenate([path.block(block) for block in blocks])


def level(sound: Samples) -> float:
    return float(decibels(np.mean(sound**2)))


# Sound


@settings(max_examples=25, deadline=None)
@given(length=st.integers(1, 2000), silence=st.integers(0, 12), seed=st.integers(0, 9))
def test_the_stream_is_convolved_like_the_whole(length: int, silence: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    response = rng.standard_normal(length).astype(np.float32)
    sound = rng.standard_normal(8 * BLOCK).astype(np.float32)
    sound = np.concatenate((sound, np.zeros(silence * BLOCK, np.float32), sound))
    whole = np.convolve(sound, response)[: len(sound)]
    assert np.allclose(through(Convolution(response), sound), whole, atol=2e-3 * length**0.5)


def test_after_the_response_has_died_away_silence_is_exact() -> None:
    path = Convolution(np.ones(1000, np.float32))
    path.block(np.ones(BLOCK, np.float32))
    tail = [path.block(np.zeros(BLOCK, np.float32)) for _ in range(20)]
    assert tail[0].any()
    assert not tail[-1].any()


def test_the_response_keeps_the_persons_level() -> None:
    rng = np.random.default_rng(5)
    response = (rng.standard_normal(8000) * np.exp(-np.arange(8000) / 1500)).astype(np.float32)
    sound = speechlike(4.0)
    heard = through(person_path(response), sound)
    assert level(heard[RATE:]) == pytest.approx(level(sound[RATE:]), abs=1.0)


@pytest.mark.parametrize("echo_db", [-20.0, 0.0, 12.0])
def test_the_echo_has_its_level_against_the_person_and_comes_late(echo_db: float) -> None:
    sound = speechlike(4.0)
    sound *= np.float32(10.0 ** ((LOUDSPEAKER_DB - level(sound)) / 20.0))
    heard = through(echo_path(None, echo_db), sound)
    assert not heard[: ROUND_TRIP_BLOCKS * BLOCK].any()
    assert level(heard[RATE:]) == pytest.approx(PERSON_DB + echo_db, abs=0.5)


def test_noise_has_its_level_and_loops_without_a_click() -> None:
    tone = np.sin(np.arange(RATE) * 2 * np.pi * 100.3 / RATE).astype(np.float32)
    noise = Noise(tone, 15.0, np.random.default_rng(3))
    heard = np.concatenate([noise.block() for _ in range(200)])
    assert level(heard) == pytest.approx(PERSON_DB - 15.0, abs=0.7)
    assert np.abs(np.diff(heard)).max() < 2.0 * np.abs(np.diff(tone)).max() * np.abs(heard).max()


def test_a_live_microphone_is_never_perfectly_silent_and_clips() -> None:
    microphone = Microphone(np.random.default_rng(0))
    assert microphone.block().any()
    loud = microphone.block(np.full(BLOCK, 4.0, np.float32))
    assert loud.dtype == np.int16
    assert (loud == 32767).all()


@pytest.mark.parametrize("gain_db", [-6.0, 0.0, 6.0])
def test_an_utterance_is_trimmed_and_brought_to_the_persons_level(gain_db: float) -> None:
    word = speechlike(0.5)
    silence = np.zeros(RATE, np.float32)
    said = utterance("stop", np.concatenate((silence, word, silence)), gain_db)
    assert len(said.sound) < 0.7 * RATE
    assert (said.end - said.start) / RATE == pytest.approx(0.5, abs=0.03)
    assert active_level(said.sound) == pytest.approx(PERSON_DB + gain_db, abs=0.5)


def test_the_floor_of_a_recording_is_not_taken_for_a_word() -> None:
    hum = 0.002 * np.random.default_rng(2).standard_normal(RATE).astype(np.float32)
    hum[6400:9600] += speechlike(0.2)
    start, end = sounding(hum)
    assert (start, end) == (pytest.approx(6400, abs=330), pytest.approx(9600, abs=330))


# The person


def cue(on: str, text: str, *, repeat: bool = False, delay: float = 0.0) -> Cue:
    return Cue(parse_trigger(on), repeat, delay, (utterance(text, speechlike(0.3)),))


def live(person: Person, happenings: dict[float, str], until: float) -> list[tuple[float, str]]:
    """Let the person live and return when they began to say what."""
    said: list[Spoken] = []
    waiting = sorted(happenings.items())
    for number in range(int(until * RATE / BLOCK)):
        now = number * BLOCK / RATE
        while waiting and waiting[0][0] <= now:
            moment, _, name = waiting.pop(0)[1].partition(":")
            person.notice(Happening(Moment(moment), name), now)
        began = person.block(now)[1]
        said += [began] if began else []
    return [(round(words.start, 2), words.text) for words in said]


def test_a_person_answers_after_the_delay() -> None:
    person = Person([cue("start", "start neck massage", delay=0.8)])
    assert live(person, {0.0: "start"}, 3.0) == [(0.8, "start neck massage")]


def test_who_has_to_repeat_words_says_them_in_another_way() -> None:
    ways = (utterance("no", speechlike(0.3)), utterance("no!", speechlike(0.4)))
    person = Person([Cue(parse_trigger("asked:screening"), True, 0.0, ways)])
    happenings = {1.0: "asked:screening", 2.0: "asked:screening", 3.0: "asked:screening"}
    assert live(person, happenings, 5.0) == [(1.0, "no"), (2.0, "no!"), (3.0, "no")]


def test_an_entry_waits_for_the_one_above_it() -> None:
    person = Person([cue("asked:rating_before", "five"), cue("state:massage", "stop")])
    happenings = {0.5: "state:massage", 1.0: "asked:rating_before", 2.0: "state:massage"}
    assert live(person, happenings, 4.0) == [(1.0, "five"), (2.0, "stop")]


def test_one_moment_brings_only_one_of_two_entries_that_wait_for_the_same() -> None:
    person = Person([cue("asked:screening", "no"), cue("asked:screening", "yes")])
    happenings = {1.0: "asked:screening", 2.0: "asked:screening", 3.0: "asked:screening"}
    assert live(person, happenings, 5.0) == [(1.0, "no"), (2.0, "yes")]


def test_a_repeated_entry_answers_every_time_and_holds_up_nobody() -> None:
    person = Person([cue("asked:screening", "no", repeat=True), cue("state:massage.doing", "stop")])
    happenings = {1.0: "asked:screening", 2.0: "asked:screening", 3.0: "state:massage.doing"}
    assert live(person, happenings, 5.0) == [(1.0, "no"), (2.0, "no"), (3.0, "stop")]
    person = Person([cue("asked:screening", "no", repeat=True), cue("start", "stop")])
    assert live(person, {1.0: "start"}, 2.0) == [(1.0, "stop")]


def test_a_person_speaks_at_a_session_time_and_not_before_the_entry_above() -> None:
    person = Person([cue("at:1.0", "one"), cue("hold", "two"), cue("at:2.0", "three")])
    assert live(person, {3.0: "hold"}, 5.0)[:2] == [(1.0, "one"), (3.0, "two")]
    assert live(Person([cue("at:1.0", "one"), cue("at:0.5", "two")]), {}, 3.0)[0] == (1.0, "one")


def test_nobody_says_two_things_at_once() -> None:
    person = Person([cue("start", "one", repeat=True), cue("start", "two", repeat=True)])
    said = live(person, {1.0: "start"}, 4.0)
    assert [text for _, text in said] == ["one", "two"]
    assert said[1][0] - said[0][0] >= 0.5


def test_prompts_match_exactly_or_by_their_beginning() -> None:
    exact, begins = parse_trigger("prompt:screen.1"), parse_trigger("prompt:screen*")
    assert exact.matches(Happening(Moment.PROMPT, "screen.1"))
    assert not exact.matches(Happening(Moment.PROMPT, "screen.10"))
    assert not exact.matches(Happening(Moment.PROMPT_END, "screen.1"))
    assert begins.matches(Happening(Moment.PROMPT, "screen.10"))


# Moments: what a person can notice of the session


def moments_after(*happened: object, waiting: bool = False) -> list[Happening]:
    """What a person notices of published lines (dicts), commands ("speak") and one message."""
    moments = Moments(lambda: waiting)
    moments.handling()
    for one in happened:
        if isinstance(one, dict):
            moments.published(one)
        elif one == "speak":
            moments.sent(True)
        else:
            moments.handled(one)  # type: ignore[arg-type]
    return moments.take()


ASKED = Happening(Moment.ASKED, "screening")
SCREENING = {"kind": "state", "from": "idle", "to": "screening"}


def test_the_end_of_a_prompt_asks_when_nothing_more_is_said() -> None:
    ended = SayEnded("screening.injury.1", 1.0)
    assert ASKED in moments_after(SCREENING, ended)
    assert ASKED not in moments_after(SCREENING, "speak", ended)
    assert ASKED not in moments_after(SCREENING, SayEnded("screening.injury.1", 1.0, cut=True))


def test_an_instruction_asks_nothing_unless_a_question_is_open() -> None:
    doing = {"kind": "state", "from": "massage.speaking", "to": "massage.doing"}
    asked = Happening(Moment.ASKED, "massage")
    assert asked not in moments_after(doing, SayEnded("still_with_me.1", 1.0))
    assert asked in moments_after(doing, SayEnded("still_with_me.1", 1.0), waiting=True)


def test_a_state_is_entered_by_its_top_name_once_and_by_its_inner_name_each_time() -> None:
    speaking = {"kind": "state", "from": "preparing", "to": "massage.speaking"}
    doing = {"kind": "state", "from": "massage.speaking", "to": "massage.doing"}
    assert moments_after(speaking, doing) == [
        Happening(Moment.STATE, "massage"),
        Happening(Moment.STATE, "massage.speaking"),
        Happening(Moment.STATE, "massage.doing"),
    ]
    paused = {"kind": "state", "from": "massage.doing", "to": "paused"}
    assert moments_after(paused) == [Happening(Moment.STATE, "paused")]


def test_a_word_counts_as_acted_on_when_something_came_of_it() -> None:
    heard = Heard(Level.FINAL, Intent.PAUSE, "pause", Ear.WORDS, 1.0)
    after = Happening(Moment.AFTER, "pause")
    assert after in moments_after({"kind": "state", "from": "x", "to": "paused"}, heard)
    assert after not in moments_after({"kind": "heard"}, {"kind": "massager"}, heard)
    suspect = Heard(Level.SUSPECT, Intent.PAUSE, "pause", Ear.WORDS, 1.0)
    assert after not in moments_after({"kind": "state", "from": "x", "to": "paused"}, suspect)


# Faults


def test_a_lost_microphone_is_told_as_it_would_be_live() -> None:
    lost = LostMicrophone()
    told = [m for n in range(1, 250) for m in lost.gone(10.0, 10.0 + n * 0.02, 160_000)]
    ages = [m.block_age for m in told if isinstance(m, Health)]
    assert ages == sorted(ages)
    assert 4.5 < ages[-1] < 5.0
    assert [m for m in told if not isinstance(m, Health)] == [Fault("microphone_lost")]
    assert lost.back() == [Recovered("microphone_lost")]
    assert lost.back() == []


def test_a_short_gap_in_the_sound_is_no_fault() -> None:
    lost = LostMicrophone()
    assert all(isinstance(m, Health) for n in range(50) for m in lost.gone(1.0, 1 + n * 0.02, 0))
    assert lost.back() == []


def test_a_dead_process_is_noticed_after_a_second_once() -> None:
    dead = DeadProcess()
    told = [m for n in range(200) for m in dead.gone(5.0, 5.0 + n * 0.02)]
    assert told == [Fault("audio_process_died")]
    assert dead.back() == [Recovered("audio_process_died")]


def test_a_fault_without_an_end_stays() -> None:
    broken = Breakdowns([Planned(at=5.0, kind="device_silent")])
    assert [broken.on("device_silent", at) for at in (4.9, 5.0, 900.0)] == [False, True, True]
    ends = Breakdowns([Planned(at=5.0, kind="broker_lost", seconds=2.0)])
    assert [ends.on("broker_lost", at) for at in (5.0, 6.9, 7.0)] == [True, True, False]
    assert not ends.on("device_silent", 6.0)


# Expectations


def word(text: str, start: float, end: float) -> Event:
    return {"at": start, "kind": "person", "text": text, "start": start, "end": end}


STOP = word("stop", 10.0, 10.4)
ON = DeviceMoment(5.0, True, 1)


def held(expect: Expect, events: list[Event], *device: DeviceMoment) -> tuple[bool, str]:
    verdict = judge([expect], Log(events, device))[0]
    return verdict.held, verdict.seen


@pytest.mark.parametrize(
    ("off_at", "good", "seen"),
    [
        (10.5, True, 'off 0.10 s after "stop"'),
        (10.2, True, 'off -0.20 s after "stop"'),
        (10.8, False, 'off 0.40 s after "stop"'),
        (8.0, True, 'was off before "stop"'),
    ],
)
def test_the_delay_from_word_to_off_is_measured(off_at: float, good: bool, seen: str) -> None:
    expect = Expect(massager_off_within=0.3)
    assert held(expect, [STOP], ON, DeviceMoment(off_at, False, 0)) == (good, seen)


def test_a_massager_that_stays_on_fails() -> None:
    expect = Expect(massager_off_within=0.3)
    assert held(expect, [STOP], ON) == (False, 'it was still on at the end, after "stop"')


def test_a_massager_that_comes_on_again_by_itself_fails() -> None:
    device = (ON, DeviceMoment(10.5, False, 0), DeviceMoment(12.0, True, 1))
    good, seen = held(Expect(massager_off_within=0.3), [STOP], *device)
    assert not good
    assert "on again at 12.00 s" in seen


def test_the_latest_word_counts_unless_another_is_named() -> None:
    events = [STOP, word("continue", 20.0, 20.5)]
    device = (ON, DeviceMoment(10.5, False, 0), DeviceMoment(21.0, True, 1))
    assert not held(Expect(massager_off_within=0.3), events, *device)[0]
    assert held(Expect(massager_off_within=0.3, after="stop"), events, *device)[0]
    assert not held(Expect(massager_off_within=0.3, after="halt"), events, *device)[0]


def test_a_massager_that_was_never_on_is_off_and_the_verdict_says_so() -> None:
    assert held(Expect(massager_off_within=0.3), [STOP]) == (True, "the massager was never on")
    assert not held(Expect(massager_was_on=True), [STOP])[0]


EVENTS: list[Event] = [
    {"at": 1.0, "kind": "state", "from": "idle", "to": "screening"},
    {"at": 2.0, "kind": "say", "prompt": "screen.1", "text": "Were you hurt?"},
    STOP,
    {"at": 10.3, "kind": "heard", "level": "confirmed", "intent": "stop", "text": "stop"},
    {"at": 10.4, "kind": "state", "from": "massage.doing", "to": "halted"},
    {"at": 10.6, "kind": "say", "prompt": "stopped", "text": "All still."},
    {"at": 40.0, "kind": "fault", "what": "microphone_lost"},
    {"at": 60.0, "kind": "end", "why": "stopped"},
]


@pytest.mark.parametrize(
    ("good", "expect"),
    [
        (True, Expect(said="stopped")),
        (True, Expect(said="stop*")),
        (False, Expect(said="goodbye")),
        (False, Expect(said="stopped", before=10.0)),
        (True, Expect(never_said="goodbye")),
        (False, Expect(never_said="stopped")),
        (True, Expect(never_said="screen.1", after="stop")),
        (True, Expect(state="halted")),
        (True, Expect(state="halted", after="stop")),
        (False, Expect(state="massage")),
        (True, Expect(never_state="massage")),
        (False, Expect(never_state="halted")),
        (True, Expect(heard="stop")),
        (False, Expect(heard="dizzy")),
        (True, Expect(fault="microphone_lost")),
        (False, Expect(fault="device_silent")),
        (True, Expect(ended="stopped")),
        (False, Expect(ended="finished")),
        (False, Expect(massager_never_on=True)),
        (True, Expect(massager_never_on=True, after=20.0)),
        (True, Expect(massager_was_on=True)),
        (False, Expect(said="stopped", after="halt")),
    ],
)
def test_every_claim_can_hold_and_can_fail(good: bool, expect: Expect) -> None:
    device = (ON, DeviceMoment(10.5, False, 0))
    assert held(expect, EVENTS, *device)[0] is good


def test_a_session_that_never_ended_says_so() -> None:
    assert held(Expect(ended="finished"), EVENTS[:3]) == (
        False,
        "the session did not end in its time",
    )


def test_claims_of_one_expectation_are_judged_one_by_one() -> None:
    verdicts = judge([Expect(said="stopped", state="closing")], Log(EVENTS))
    assert [verdict.held for verdict in verdicts] == [True, False]
    assert "entered" in str(verdicts[1])
