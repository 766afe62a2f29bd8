"""The session: every state with every intent, every row of the table, and what comes of it."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from walking import walk

from assistant.build import make_rehearsal, make_session, manners, simulated
from assistant.conductor import Conductor
from assistant.course import LONGEST_HOLD_SECONDS
from assistant.machine import machine
from assistant.massager import Capabilities
from assistant.messages import (
    Begin,
    Effect,
    Ended,
    Event,
    MassagerLease,
    MassagerOff,
    MassagerReport,
    Remember,
    Say,
    StateChanged,
    Tick,
)
from assistant.rehearsal import WILLING, Rehearsal
from assistant.routine import NECK_SECONDS
from assistant.safety import Governor
from assistant.session import CONVERSATION_SECONDS, Session
from assistant.settings import Settings
from assistant.stage import PENDING_SECONDS
from assistant.state import EVERY, LOCKED, MASSAGE, TABLE, Row, State, Trigger
from audio.messages import (
    Ear,
    Fault,
    Health,
    Heard,
    Level,
    Ready,
    Recovered,
    SayEnded,
    SpeakCommand,
    ToAudio,
)
from intents.intent import SAFETY, Intent, Meaning
from intents.phrasebook import ELSEWHERE, UNKNOWN

DEVICE = Capabilities(levels=5, holds_lease=True, real=False)


def kinds(rehearsal: Rehearsal, kind: str) -> list[dict[str, object]]:
    return [line for line in rehearsal.lines if line["kind"] == kind]


def prompts(rehearsal: Rehearsal) -> list[object]:
    return [line["prompt"] for line in kinds(rehearsal, "say")]


@pytest.fixture
def make(settings: Settings) -> Callable[[State], Rehearsal]:
    def made(state: State) -> Rehearsal:
        needed = {State.WAITING: "screen-break", State.COUNTING: "biofeedback"}.get(state)
        if needed and needed not in settings.routines:
            pytest.skip(f"no routine {needed}")
        rehearsal = make_rehearsal(settings)
        rehearsal.begin()
        return walk(rehearsal, state)

    return made


# The table


def test_every_state_can_be_left_by_each_kind_of_halt() -> None:
    for trigger in (Trigger.HALT, Trigger.WARN, Trigger.ALARM):
        sources = {source for row in TABLE if row.trigger is trigger for source in row.sources}
        assert sources == set(EVERY)


def test_nothing_leads_from_a_locked_state_back_to_massage() -> None:
    onward = {row.dest for row in TABLE if set(row.sources) & set(LOCKED)} - {None}
    assert onward <= {*LOCKED, State.CLOSING, State.ENDED}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.trigger.value}-{row.dest}")
def test_every_row_of_the_table_fires(row: Row) -> None:
    for source in row.sources:
        position = type("Position", (), {})()
        built = machine(position, lambda dest: lambda: dest is row.dest)
        built.set_state(source)
        built.dispatch(row.trigger.value)
        assert position.state is (row.dest or source)


def test_no_method_of_the_session_jumps_past_the_table(settings: Settings) -> None:
    session = make_session(settings, DEVICE)
    assert not [name for name in dir(session) if name.startswith("to_")]


# Every state with every intent


@pytest.mark.parametrize("state", EVERY, ids=lambda s: s.value)
@pytest.mark.parametrize("intent", sorted(SAFETY, key=lambda i: i.value), ids=lambda i: i.value)
def test_a_safety_word_in_any_state_switches_off_before_anything_else(
    make: Callable[[State], Rehearsal], state: State, intent: Intent
) -> None:
    rehearsal = make(state)
    heard = Heard(Level.CONFIRMED, intent, intent.value, Ear.ALARM, rehearsal.now)
    effects = rehearsal.session.handle(heard, rehearsal.now)
    assert isinstance(effects[0], MassagerOff)
    assert not [e for e in effects if isinstance(e, MassagerLease)]
    assert rehearsal.session.state not in MASSAGE


@pytest.mark.parametrize("state", EVERY, ids=lambda s: s.value)
@pytest.mark.parametrize(
    "intent", sorted(set(Intent) - SAFETY, key=lambda i: i.value), ids=lambda i: i.value
)
def test_a_known_word_in_any_state_is_never_met_with_silence(
    make: Callable[[State], Rehearsal], state: State, intent: Intent
) -> None:
    rehearsal = make(state)
    value = 5 if intent is Intent.NUMBER else None
    heard = Heard(Level.FINAL, intent, intent.value, Ear.WORDS, rehearsal.now, value)
    effects = rehearsal.session.handle(heard, rehearsal.now)
    speaks = any(isinstance(effect, Say | StateChanged | Ended) for effect in effects)
    assert speaks or state is State.ENDED


# Choosing and screening


def test_start_without_a_tool_asks_once_which(rehearsal: Rehearsal) -> None:
    rehearsal.say(Intent.START)
    assert rehearsal.session.state is State.CHOOSING
    assert prompts(rehearsal)[-1] == "choosing.ask.1"
    rehearsal.say(Intent.TOOL, topic="balls")
    assert rehearsal.session.routine is not None
    assert rehearsal.session.routine.name == "roll-out"


def test_a_default_tool_is_taken_without_asking(settings: Settings) -> None:
    chosen = Session(
        settings.routines,
        settings.script,
        settings.advice,
        replace(manners(settings), default_tool="hands"),
        Governor(),
    )
    chosen.handle(Begin(), 0.0)
    chosen.handle(Heard(Level.FINAL, Intent.START, "start", Ear.WORDS, 1.0), 1.0)
    assert chosen.routine is not None
    assert chosen.routine.name == "hands-on"


def test_all_six_reasons_are_asked_one_at_a_time(rehearsal: Rehearsal) -> None:
    rehearsal.say(Intent.START, topic="hands-on")
    rehearsal.run_until(State.RATING_BEFORE)
    asked = [p for p in prompts(rehearsal) if str(p).startswith("screening.") and str(p)[-1] == "1"]
    assert len(asked) == 6


@pytest.mark.parametrize("noes", range(6))
def test_a_yes_to_any_reason_ends_kindly_without_massage(rehearsal: Rehearsal, noes: int) -> None:
    rehearsal.say(Intent.START, topic="neck-massager")
    for _ in range(noes):
        rehearsal.say(Intent.NO)
    rehearsal.say(Intent.YES)
    assert str(prompts(rehearsal)[-1]).endswith(".declined")
    assert rehearsal.run_to_the_end()
    assert rehearsal.conductor.ended == "declined"
    assert not [line for line in kinds(rehearsal, "massager") if line["on"]]


def test_three_unclear_answers_end_the_screening_each_prompt_clearer(settings: Settings) -> None:
    rehearsal = Rehearsal(make_session(settings, DEVICE), simulated, answers={})
    rehearsal.begin()
    rehearsal.say(Intent.START, topic="hands-on")
    assert rehearsal.run_to_the_end()
    tries = [p for p in prompts(rehearsal) if str(p).startswith("screening.injury")]
    assert tries == [f"screening.injury.{n}" for n in (1, 2, 3)]
    assert rehearsal.conductor.ended == "unanswered"


# The hearing check


def test_a_person_not_heard_in_three_tries_gets_no_massager_but_may_go_on_by_hand(
    settings: Settings,
) -> None:
    answers = {s: m for s, m in WILLING.items() if s is not State.HEARING_CHECK}
    rehearsal = Rehearsal(make_session(settings, DEVICE), simulated, answers)
    rehearsal.begin()
    rehearsal.say(Intent.START, topic="neck-massager")
    assert rehearsal.run_to_the_end()
    told = prompts(rehearsal)
    assert [f"hearing_check.ask.{n}" in told for n in (1, 2, 3)] == [True] * 3
    assert "hearing_check.failed" in told
    assert "hands-on.intro" in told
    assert not [line for line in kinds(rehearsal, "massager") if line["on"]]


def test_the_same_word_heard_twice_passes_the_check_and_halts_nothing(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.HEARING_CHECK)
    for level, later in ((Level.CONFIRMED, 0.0), (Level.FINAL, 0.6)):
        rehearsal.now += later
        rehearsal.tell(Heard(level, Intent.STOP, "stop", Ear.ALARM, rehearsal.now))
    assert rehearsal.session.state is State.RATING_BEFORE


def test_a_suspected_word_does_not_pass_the_check(make: Callable[[State], Rehearsal]) -> None:
    rehearsal = make(State.HEARING_CHECK)
    rehearsal.tell(Heard(Level.SUSPECT, Intent.STOP, "stop", Ear.ALARM, rehearsal.now))
    assert rehearsal.session.state is State.HEARING_CHECK


def test_a_passed_check_is_not_called_a_promise(settings: Settings) -> None:
    text = " ".join(settings.script.line("hearing_check.passed")).lower()
    assert "if i ever" in text
    assert not {"always", "promise", "every time"} & set(text.split())


def test_a_practice_ear_does_not_get_a_real_massager(settings: Settings) -> None:
    real = Capabilities(levels=3, holds_lease=True, real=True)
    session = make_session(settings, real)
    now = 0.0
    session.handle(Health(now, 0.0, -50.0, 0, practice=True), now)
    session.handle(Begin("neck-massager"), now)
    said: list[str] = []
    for _ in range(6):
        now += 1.0
        effects = session.handle(Heard(Level.FINAL, Intent.NO, "no", Ear.WORDS, now), now)
        said += [effect.prompt for effect in effects if isinstance(effect, Say)]
    assert "hearing_check.practice" in said
    assert session.state is State.HANDS_ONLY


# The massage


def test_the_massager_runs_gently_for_a_minute_and_rises_only_when_asked(
    in_massage: Rehearsal,
) -> None:
    in_massage.say(Intent.STRONGER)
    assert prompts(in_massage)[-1] == "massager.gentle_minute"
    in_massage.run_for(100.0)
    levels = {line["level"] for line in kinds(in_massage, "massager") if line["on"]}
    assert levels == {1}
    in_massage.say(Intent.STRONGER)
    assert kinds(in_massage, "massager")[-1]["level"] == 2
    in_massage.say(Intent.SOFTER)
    in_massage.run_for(5.0)
    assert kinds(in_massage, "massager")[-1]["level"] == 1


def test_a_hold_keeps_the_steps_time(in_massage: Rehearsal) -> None:
    left = _seconds_left(in_massage)
    in_massage.say(Intent.HOLD)
    assert kinds(in_massage, "hold")[-1]["seconds"] == 10
    in_massage.run_until(State.DOING)
    assert _seconds_left(in_massage) == pytest.approx(left, abs=0.01)


def test_release_ends_a_hold_and_longer_adds_to_it(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.HOLD)
    in_massage.say(Intent.LONGER)
    in_massage.run_for(15.0)
    assert in_massage.session.state is State.HOLDING
    in_massage.say(Intent.RELEASE)
    assert in_massage.session.state is State.DOING


def test_a_knot_found_while_the_step_is_spoken_is_held_and_the_step_told_again(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.SPEAKING)
    told = prompts(rehearsal)[-1]
    rehearsal.say(Intent.HOLD)
    assert rehearsal.session.state is State.HOLDING
    rehearsal.run_until(State.SPEAKING)
    rehearsal.run_until(State.DOING)
    assert prompts(rehearsal)[-1] == told


def _seconds_left(rehearsal: Rehearsal) -> float:
    return rehearsal.session.step_seconds_left


@pytest.mark.parametrize("pause_seconds", [1.0, 20.0, 50.0])
def test_a_pause_changes_nothing_but_time(in_massage: Rehearsal, pause_seconds: float) -> None:
    left = _seconds_left(in_massage)
    in_massage.say(Intent.PAUSE)
    assert kinds(in_massage, "massager")[-1]["on"] is False
    in_massage.run_for(pause_seconds)
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.DOING
    assert _seconds_left(in_massage) == pytest.approx(left, abs=0.01)
    assert kinds(in_massage, "massager")[-1]["on"] is True


def test_the_next_step_is_announced_and_the_end_counted_by_tones(settings: Settings) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin("hands-on")
    rehearsal.run_to_the_end()
    routine = settings.routines["hands-on"]
    told = prompts(rehearsal)
    for step in routine.steps[1:]:
        assert f"hands-on.{step.id}.coming" in told
    order = [told.index(f"hands-on.{step.id}") for step in routine.steps]
    assert order == sorted(order)


def test_next_and_back_move_and_a_skipped_last_step_ends_the_massage(
    in_massage: Rehearsal,
) -> None:
    assert in_massage.session.routine is not None
    many = len(in_massage.session.routine.steps)
    in_massage.say(Intent.NEXT)
    in_massage.say(Intent.NEXT)
    in_massage.say(Intent.BACK)
    assert [line["index"] for line in kinds(in_massage, "step")] == [1, 2, 3, 2]
    for _ in range(many - 1):
        in_massage.say(Intent.SKIP)
    assert in_massage.session.state is State.RATING_AFTER


def test_long_silence_in_a_massage_is_asked_twice_then_pauses_then_ends(
    settings: Settings,
) -> None:
    silent = {s: m for s, m in WILLING.items() if s not in (State.DOING, State.PAUSED)}
    rehearsal = Rehearsal(make_session(settings, DEVICE), simulated, silent)
    rehearsal.begin("neck-massager")
    assert rehearsal.run_until(State.PAUSED)
    told = prompts(rehearsal)
    assert "still_with_me.1" in told
    assert "still_with_me.2" in told
    assert rehearsal.run_to_the_end()
    assert rehearsal.conductor.ended == "stopped"


# Suspicion


def test_a_suspicion_pauses_the_massager_for_a_moment_and_costs_nothing(
    in_massage: Rehearsal,
) -> None:
    left = _seconds_left(in_massage)
    in_massage.tell(Heard(Level.SUSPECT, Intent.STOP, "stop", Ear.ALARM, in_massage.now))
    assert kinds(in_massage, "massager")[-1]["why"] == "suspect"
    in_massage.run_for(1.4)
    assert kinds(in_massage, "massager")[-1]["on"] is False
    in_massage.run_for(0.2)
    assert kinds(in_massage, "massager")[-1]["on"] is True
    assert in_massage.session.state is State.DOING
    assert _seconds_left(in_massage) == pytest.approx(left - 0.1, abs=0.05)


def test_other_peoples_talk_is_passed_over_in_a_massage(in_massage: Rehearsal) -> None:
    before = len(in_massage.lines)
    in_massage.tell(Heard(Level.FINAL, None, "pass me the salt", Ear.WORDS, in_massage.now))
    in_massage.tell(Heard(Level.VOICE, None, "", Ear.WORDS, in_massage.now))
    assert [line["kind"] for line in in_massage.lines[before:]] in ([], ["heard"])


# Halts


def test_continue_undoes_a_plain_stop(in_massage: Rehearsal) -> None:
    left = _seconds_left(in_massage)
    in_massage.say(Intent.STOP)
    assert in_massage.session.state is State.HALTED
    assert prompts(in_massage)[-1] == "stopped"
    in_massage.run_for(10.0)
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.DOING
    assert _seconds_left(in_massage) == pytest.approx(left, abs=0.01)


@pytest.mark.parametrize("intent", [Intent.DIZZY, Intent.TINGLING, Intent.EMERGENCY])
def test_continue_undoes_nothing_more_serious(in_massage: Rehearsal, intent: Intent) -> None:
    in_massage.say(intent)
    before = in_massage.session.state
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is before
    assert "halted.locked" in prompts(in_massage)


def test_a_stop_after_a_warning_does_not_unlock_it(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.DIZZY)
    in_massage.run_for(30.0)
    in_massage.say(Intent.STOP)
    in_massage.say(Intent.CONTINUE)
    in_massage.run_for(5.0)
    assert in_massage.session.state.top == "halted"


def test_a_no_to_the_one_question_is_rest_and_the_end(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.TINGLING)
    in_massage.run_for(20.0)
    in_massage.say(Intent.NO)
    assert "advice.tingling.if_no" in prompts(in_massage)
    assert in_massage.run_to_the_end()
    assert in_massage.conductor.ended == "halted"
    assert "closing.signs" in prompts(in_massage)


@pytest.mark.parametrize("answer", [Intent.YES, Intent.UNSURE, None])
def test_yes_unsure_or_silence_is_an_emergency(
    in_massage: Rehearsal, answer: Intent | None
) -> None:
    in_massage.say(Intent.DIZZY)
    in_massage.run_for(20.0)
    if answer is not None:
        in_massage.say(answer)
    assert in_massage.run_until(State.HALTED_EMERGENCY, 120.0)
    tiers = [line["tier"] for line in kinds(in_massage, "advice")]
    assert tiers == ["warning", "emergency"]


def test_an_emergency_is_repeated_until_answered(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.EMERGENCY)
    in_massage.run_for(300.0)
    repeats = [p for p in prompts(in_massage) if p == "advice.emergency.repeat"]
    assert len(repeats) > 5
    assert in_massage.session.state is State.HALTED_EMERGENCY
    in_massage.say(Intent.YES)
    assert in_massage.run_to_the_end()


def test_a_sore_spot_pauses_and_offers_lighter_skip_or_finish(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.PAIN, topic="sore")
    assert in_massage.session.state is State.PAUSED_SORE
    in_massage.say(Intent.SOFTER)
    assert in_massage.session.state is State.DOING


def test_a_hot_device_is_off_and_stays_off_for_today(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.DEVICE, topic="hot")
    assert "advice.hot.say" in prompts(in_massage) or in_massage.run_for(10.0) is None
    assert in_massage.run_to_the_end()
    assert in_massage.conductor.ended == "halted"


def test_a_headache_is_asked_for_the_signs_of_danger_first(rehearsal: Rehearsal) -> None:
    rehearsal.say(Intent.START, topic="headache")
    assert "idle.red_flags.1" in prompts(rehearsal)
    rehearsal.say(Intent.YES)
    assert rehearsal.session.state is State.HALTED_EMERGENCY


# Faults


@pytest.mark.parametrize(
    "what", ["microphone_lost", "microphone_muted", "audio_process_died", "alarm_ear_failed"]
)
def test_a_fault_switches_off_says_so_and_waits_for_the_persons_word(
    in_massage: Rehearsal, what: str
) -> None:
    left = _seconds_left(in_massage)
    effects: tuple[Effect, ...] = in_massage.session.handle(Fault(what), in_massage.now)
    assert isinstance(effects[0], MassagerOff)
    assert in_massage.session.state is State.PAUSED_FAULT
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.PAUSED_FAULT
    in_massage.tell(Recovered(what))
    assert in_massage.session.state is State.PAUSED_FAULT
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.DOING
    assert _seconds_left(in_massage) == pytest.approx(left, abs=0.01)


@pytest.mark.parametrize("gone", ["audio_process_died", "audio_process_hangs"])
def test_what_a_dead_audio_process_told_is_over_unless_the_next_one_tells_it_again(
    in_massage: Rehearsal, gone: str
) -> None:
    for what in ("loudspeaker_lost", gone):
        in_massage.tell(Fault(what))
    in_massage.tell(Recovered(gone))
    in_massage.tell(Fault("loudspeaker_lost"))
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.PAUSED_FAULT
    in_massage.tell(Fault(gone))
    in_massage.tell(Recovered(gone))
    assert in_massage.session.state is State.PAUSED_FAULT
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.DOING


def test_of_several_deaths_of_the_audio_process_the_end_of_the_last_one_is_enough(
    in_massage: Rehearsal,
) -> None:
    for what in ("audio_process_died", "audio_process_hangs"):
        in_massage.tell(Fault(what))
    in_massage.tell(Recovered("audio_process_hangs"))
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.DOING


@pytest.mark.parametrize("what", ["disk_full", "voice_failed", "device_silent", "whatever"])
def test_after_a_fault_of_the_moment_the_persons_word_is_enough(
    in_massage: Rehearsal, what: str
) -> None:
    in_massage.tell(Fault(what))
    assert in_massage.session.state is State.PAUSED_FAULT
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.DOING


def test_another_voice_is_explained_and_nothing_rests_for_it(in_massage: Rehearsal) -> None:
    in_massage.tell(Fault("voice_changed"))
    in_massage.run_for(10.0)
    assert "fault.voice_changed" in prompts(in_massage)
    assert in_massage.session.state is State.DOING
    assert kinds(in_massage, "fault") == []


def test_the_pauses_are_twice_as_long_between_the_sentences_of_the_routine(
    settings: Settings,
) -> None:
    sent: list[ToAudio] = []
    session = make_session(settings, None)
    conductor = Conductor(session, None, sent.append, lambda _: None, gap_seconds=0.3)
    conductor.handle(Begin("square-breathing"), 0.0)
    for now in range(1, 200):
        for said in [each for each in sent if isinstance(each, SpeakCommand)][-1:]:
            conductor.handle(SayEnded(said.prompt, float(now)), float(now))
        word = WILLING.get(session.state, Meaning(Intent.READY))
        heard = Heard(Level.FINAL, word.intent, "", Ear.KEYBOARD, float(now), word.value)
        conductor.handle(heard, float(now))
    spoken = [each for each in sent if isinstance(each, SpeakCommand)]
    own = {each.gap_seconds for each in spoken if each.prompt.startswith("square-breathing.")}
    assert own == {0.6}
    assert {each.gap_seconds for each in spoken} == {0.3, 0.6}


def test_a_fault_that_is_told_again_and_again_is_said_once(in_massage: Rehearsal) -> None:
    for _ in range(50):
        in_massage.tell(Fault("voice_failed"))
    assert len(kinds(in_massage, "fault")) == 1
    assert prompts(in_massage).count("fault.voice_failed") == 1


def test_ears_that_fall_silent_are_a_fault_within_three_seconds(in_massage: Rehearsal) -> None:
    in_massage.hears = False
    deaf_at = in_massage.now
    assert in_massage.run_until(State.PAUSED_FAULT, 10.0)
    assert in_massage.now - deaf_at <= 3.01
    assert "fault.microphone_lost" in prompts(in_massage)


def test_a_fault_that_lasts_ends_the_session(in_massage: Rehearsal) -> None:
    in_massage.tell(Fault("microphone_lost"))
    assert in_massage.run_to_the_end(200.0)
    assert in_massage.conductor.ended == "faulted"


def test_a_device_that_does_not_obey_is_named_and_never_used_again(
    in_massage: Rehearsal,
) -> None:
    in_massage.say(Intent.STOP)
    in_massage.tell(MassagerReport(True, 1, in_massage.now + 3.0))
    assert "fault.device_failed" in prompts(in_massage)
    in_massage.tell(Recovered("device_failed"))
    in_massage.say(Intent.CONTINUE)
    in_massage.run_for(10.0)
    assert not [line for line in kinds(in_massage, "massager")[-3:] if line["on"]]


def test_a_voice_that_never_finishes_is_a_fault(settings: Settings) -> None:
    session = make_session(settings, DEVICE)
    session.handle(Begin(), 0.0)
    session.handle(Heard(Level.FINAL, Intent.START, "start", Ear.WORDS, 0.0), 0.0)
    session.handle(Tick(), 400.0)
    assert session.state is State.PAUSED_FAULT


# Invariants

INTENTS = sorted(Intent, key=lambda intent: intent.value)
TOPICS: dict[Intent, tuple[str | None, ...]] = {
    Intent.START: (None, "neck-massager", "hands-on", "headache", "nonsense"),
    Intent.TOOL: ("massager", "hands", "balls", "nonsense", None),
    Intent.PAIN: ("sore", "sharp_pain", None),
    Intent.DEVICE: ("hot", "caught"),
    Intent.QUESTION: ("how_long", "nonsense", None),
}


@st.composite
def happenings(draw: st.DrawFn) -> tuple[object, ...]:
    kind = draw(st.sampled_from(["say", "say", "say", "wait", "wait", "fault", "deaf", "device"]))
    if kind == "say":
        intent = draw(st.sampled_from(INTENTS))
        topic = draw(st.sampled_from(TOPICS.get(intent, (None,))))
        level = draw(st.sampled_from([Level.FINAL, Level.CONFIRMED, Level.SUSPECT]))
        return kind, intent, topic, level, draw(st.integers(0, 10))
    if kind == "wait":
        return kind, draw(st.floats(0.0, 90.0))
    if kind == "fault":
        what = draw(st.sampled_from(["microphone_lost", "voice_failed", "device_silent"]))
        return kind, what, draw(st.booleans())
    return kind, draw(st.booleans())


def _live(rehearsal: Rehearsal, happening: tuple[object, ...]) -> None:
    match happening:
        case ("say", Intent() as intent, topic, Level() as level, int(value)):
            number = value if intent is Intent.NUMBER else None
            heard = Heard(level, intent, "", Ear.WORDS, rehearsal.now, number, topic)  # type: ignore[arg-type]
            rehearsal.tell(heard)
        case ("wait", float(seconds)):
            rehearsal.run_for(seconds)
        case ("fault", str(what), bool(over)):
            rehearsal.tell(Fault(what))
            if over:
                rehearsal.tell(Recovered(what))
        case ("deaf", bool(hears)):
            rehearsal.hears = hears
        case ("device", bool(silent)):
            rehearsal.massager.silent = silent  # type: ignore[union-attr]


@hypothesis_settings(max_examples=120, deadline=None)
@given(
    start=st.sampled_from([State.IDLE, State.SCREENING, State.DOING]),
    happened=st.lists(happenings(), max_size=25),
)
def test_nothing_leaves_the_massager_on_outside_massage_or_raises_it_by_more_than_one(
    settings: Settings, start: State, happened: list[tuple[object, ...]]
) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin()
    walk(rehearsal, start)
    for happening in happened:
        _live(rehearsal, happening)
        device_on = rehearsal.massager.on  # type: ignore[union-attr]
        assert not device_on or rehearsal.session.state in MASSAGE
    levels = [line["level"] for line in kinds(rehearsal, "massager") if line["on"]]
    previous = [0, *levels]
    assert all(int(b) - int(a) <= 1 for a, b in itertools.pairwise(previous))  # type: ignore[call-overload]


def test_time_that_goes_by_in_one_leap_or_in_many_is_the_same(settings: Settings) -> None:
    def lived(ticks: int) -> list[object]:
        rehearsal = make_rehearsal(settings)
        rehearsal.begin("hands-on")
        rehearsal.run_until(State.DOING)
        for _ in range(ticks):
            rehearsal.run_for(60.0 / ticks)
        return prompts(rehearsal)

    assert lived(1) == lived(60)


def test_a_prompt_cut_short_is_not_taken_for_spoken(make: Callable[[State], Rehearsal]) -> None:
    rehearsal = make(State.SPEAKING)
    prompt = prompts(rehearsal)[-1]
    rehearsal.tell(SayEnded(str(prompt), rehearsal.now, cut=True))
    assert rehearsal.session.state is State.SPEAKING


# Going on, and what is hard to undo


def test_forgetting_the_settings_waits_for_a_yes(in_massage: Rehearsal) -> None:
    def remembered(intent: Intent) -> list[Effect]:
        heard = Heard(Level.FINAL, intent, "", Ear.WORDS, in_massage.now)
        effects = in_massage.session.handle(heard, in_massage.now)
        return [effect for effect in effects if isinstance(effect, Remember)]

    assert remembered(Intent.FORGET_SETTINGS) == []
    assert remembered(Intent.NO) == []
    assert remembered(Intent.YES) == []
    assert remembered(Intent.FORGET_SETTINGS) == []
    assert remembered(Intent.YES) == [Remember(None, None)]


def test_a_session_that_broke_goes_on_from_its_step_after_all_the_questions(
    settings: Settings,
) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.tell(Begin(unfinished=("neck-massager", 3)))
    assert prompts(rehearsal) == ["ended.unclean"]
    rehearsal.say(Intent.YES)
    assert rehearsal.session.state is State.SCREENING
    rehearsal.run_until(State.DOING)
    assert kinds(rehearsal, "step")[0]["index"] == 3
    assert "hearing_check.passed" in prompts(rehearsal)


def test_a_no_to_going_on_leaves_it(settings: Settings) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.tell(Begin(unfinished=("neck-massager", 3)))
    rehearsal.say(Intent.NO)
    assert prompts(rehearsal)[-1] == "ended.declined"
    assert rehearsal.session.state is State.IDLE


def test_an_emergency_that_hears_its_own_word_neither_starts_again_nor_gives_way(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.HALTED_EMERGENCY)
    rehearsal.run_for(1.0)
    told = prompts(rehearsal)
    for intent in (Intent.EMERGENCY, Intent.DIZZY, Intent.DEVICE):
        rehearsal.say(intent)
    assert prompts(rehearsal) == told
    assert rehearsal.session.state is State.HALTED_EMERGENCY


def test_a_warning_that_becomes_an_emergency_is_one(make: Callable[[State], Rehearsal]) -> None:
    rehearsal = make(State.HALTED_ASKING)
    rehearsal.say(Intent.EMERGENCY, topic="speech")
    assert rehearsal.session.state is State.HALTED_EMERGENCY


def test_a_headache_told_in_a_massage_is_a_sign_and_no_wish(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.START, topic="headache")
    assert in_massage.session.state is State.HALTED_ASKING


@pytest.mark.parametrize(
    ("intent", "value", "topic", "kept"),
    [
        (Intent.LENGTH, 12, None, Remember("session.minutes", 12)),
        (Intent.USUAL_TOOL, None, "balls", Remember("session.default_tool", "balls")),
        (Intent.USUAL_TOOL, None, "ask", Remember("session.default_tool", "")),
        (Intent.QUIETER, None, None, Remember("voice.volume_db", -4.0)),
        (Intent.SLOWER, None, None, Remember("voice.pace", 1)),
        (Intent.LESS_TALK, None, None, Remember("session.talk", "brief")),
    ],
)
def test_a_setting_changed_by_voice_is_kept(
    in_massage: Rehearsal, intent: Intent, value: int | None, topic: str | None, kept: Remember
) -> None:
    heard = Heard(Level.FINAL, intent, "", Ear.WORDS, in_massage.now, value, topic)
    assert kept in in_massage.session.handle(heard, in_massage.now)


def test_the_end_of_a_confirmed_word_is_not_taken_for_another_word(in_massage: Rehearsal) -> None:
    now = in_massage.now
    in_massage.tell(Heard(Level.CONFIRMED, Intent.STOP, "stop", Ear.ALARM, now))
    in_massage.run_for(0.5)
    in_massage.tell(Heard(Level.FINAL, Intent.CONTINUE, "continue", Ear.WORDS, in_massage.now))
    assert in_massage.session.state is State.HALTED
    in_massage.run_for(1.5)
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state is State.DOING


def test_in_a_loud_room_the_word_is_asked_for_twice(make: Callable[[State], Rehearsal]) -> None:
    rehearsal = make(State.HEARING_CHECK)
    for _ in range(300):
        rehearsal.tell(Health(rehearsal.now, 0.0, -30.0, 0))
    rehearsal.say(Intent.STOP)
    rehearsal.say(Intent.STOP)
    assert rehearsal.session.state is State.HEARING_CHECK
    assert prompts(rehearsal)[-1] == "hearing_check.again"
    rehearsal.run_for(3.0)
    rehearsal.say(Intent.STOP)
    assert rehearsal.session.state is State.RATING_BEFORE


def test_the_sound_of_pause_rests_the_massager_at_once_and_then_the_session(
    in_massage: Rehearsal,
) -> None:
    now = in_massage.now
    in_massage.tell(Heard(Level.CONFIRMED, Intent.PAUSE, "pause", Ear.ALARM, now))
    assert kinds(in_massage, "massager")[-1]["on"] is False
    assert in_massage.run_until(State.PAUSED, 2.0)
    assert in_massage.now - now <= 1.01


def test_a_word_that_only_sounded_like_pause_is_obeyed_for_what_it_is(
    in_massage: Rehearsal,
) -> None:
    in_massage.tell(Heard(Level.CONFIRMED, Intent.PAUSE, "pause", Ear.ALARM, in_massage.now))
    in_massage.run_for(0.6)
    in_massage.tell(Heard(Level.FINAL, Intent.HOLD, "hold", Ear.WORDS, in_massage.now))
    assert in_massage.session.state is State.HOLDING
    in_massage.run_for(3.0)
    assert in_massage.session.state is State.HOLDING


def test_a_number_that_sounds_like_pause_is_no_pause(make: Callable[[State], Rehearsal]) -> None:
    rehearsal = make(State.RATING_BEFORE)
    rehearsal.tell(Heard(Level.CONFIRMED, Intent.PAUSE, "pause", Ear.ALARM, rehearsal.now))
    rehearsal.run_for(0.5)
    assert rehearsal.session.state is State.RATING_BEFORE


@pytest.mark.parametrize("intent", [Intent.DEVICE, Intent.PAIN, Intent.EMERGENCY])
def test_what_only_a_poor_ear_can_know_of_rests_until_the_persons_word(
    in_massage: Rehearsal, intent: Intent
) -> None:
    def suspect() -> None:
        in_massage.tell(Heard(Level.SUSPECT, intent, "too hot", Ear.WORDS, in_massage.now))

    in_massage.tell(Ready("embedded", ""))
    suspect()
    in_massage.run_for(5.0)
    assert in_massage.session.state is State.PAUSED
    assert kinds(in_massage, "massager")[-1]["on"] is False
    suspect()
    assert in_massage.session.state.top == "halted" or in_massage.session.state is State.PAUSED_SORE


def test_a_halt_takes_the_place_of_a_pause_that_was_only_perhaps_meant(
    in_massage: Rehearsal,
) -> None:
    in_massage.tell(Heard(Level.CONFIRMED, Intent.PAUSE, "pause", Ear.ALARM, in_massage.now))
    in_massage.run_for(0.4)
    in_massage.tell(Heard(Level.CONFIRMED, Intent.EMERGENCY, "help", Ear.WORDS, in_massage.now))
    told = prompts(in_massage)
    in_massage.run_for(1.5)
    assert in_massage.session.state is State.HALTED_EMERGENCY
    assert prompts(in_massage) == told


# Questions that no phrase knows


def asks(rehearsal: Rehearsal, topic: str, ear: Ear = Ear.WORDS) -> list[object]:
    before = len(prompts(rehearsal))
    rehearsal.tell(Heard(Level.FINAL, Intent.QUESTION, "", ear, rehearsal.now, topic=topic))
    return prompts(rehearsal)[before:]


@pytest.mark.parametrize("state", [s for s in EVERY if s is not State.ENDED], ids=lambda s: s.value)
def test_an_unknown_question_about_massage_gets_an_honest_answer_in_every_state(
    make: Callable[[State], Rehearsal], state: State
) -> None:
    assert asks(make(state), UNKNOWN)[0] == "answer.unknown"


def test_what_people_in_the_room_ask_each_other_is_not_answered(settings: Settings) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin()
    assert asks(rehearsal, ELSEWHERE) == []
    assert asks(walk(rehearsal, State.DOING), ELSEWHERE, Ear.KEYBOARD)[0] == "answer.unknown"
    rehearsal.say(Intent.TIME_LEFT)
    assert asks(rehearsal, ELSEWHERE)[0] == "answer.unknown"
    rehearsal.run_for(CONVERSATION_SECONDS)
    assert "answer.unknown" not in asks(rehearsal, ELSEWHERE)


def test_questions_of_others_do_not_keep_a_conversation_going(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.TIME_LEFT)
    in_massage.run_for(CONVERSATION_SECONDS * 0.7)
    assert asks(in_massage, ELSEWHERE)[0] == "answer.unknown"
    in_massage.run_for(CONVERSATION_SECONDS * 0.7)
    assert "answer.unknown" not in asks(in_massage, ELSEWHERE)


# What waits for a yes


def test_starting_over_loses_the_place_so_it_waits_for_a_yes(in_massage: Rehearsal) -> None:
    in_massage.say(Intent.NEXT)
    in_massage.run_until(State.DOING)
    in_massage.say(Intent.START_OVER)
    assert "start_over.ask" in prompts(in_massage)[-2:]
    in_massage.say(Intent.NO)
    assert "start_over.kept" in prompts(in_massage)
    assert kinds(in_massage, "step")[-1]["index"] == 2
    in_massage.say(Intent.START_OVER)
    in_massage.say(Intent.YES)
    assert kinds(in_massage, "step")[-1]["index"] == 1


@pytest.mark.parametrize("intent", [Intent.START_OVER, Intent.FORGET_SETTINGS])
def test_a_late_yes_is_an_answer_to_something_else(in_massage: Rehearsal, intent: Intent) -> None:
    in_massage.say(intent)
    in_massage.run_for(PENDING_SECONDS + 1.0)
    before = len(kinds(in_massage, "step"))
    in_massage.say(Intent.YES)
    assert len(kinds(in_massage, "step")) == before
    assert "forget.done" not in prompts(in_massage)


def test_a_broken_session_that_must_rest_first_is_offered_again_when_it_has_rested(
    settings: Settings,
) -> None:
    session = make_session(settings, DEVICE, rest_until=300.0)
    rehearsal = Rehearsal(session, simulated)
    rehearsal.tell(Begin(unfinished=("neck-massager", 3)))
    rehearsal.say(Intent.YES)
    assert prompts(rehearsal)[-1] == "rest.wait"
    rehearsal.run_for(290.0)
    assert prompts(rehearsal)[-1] == "rest.wait"
    rehearsal.run_for(20.0)
    assert prompts(rehearsal)[-1] == "rest.over"
    rehearsal.say(Intent.CONTINUE)
    assert rehearsal.session.state is State.SCREENING


def test_what_waits_in_idle_does_not_wait_elsewhere(settings: Settings) -> None:
    rehearsal = Rehearsal(make_session(settings, DEVICE, rest_until=300.0), simulated)
    rehearsal.tell(Begin(unfinished=("neck-massager", 3)))
    rehearsal.say(Intent.YES)
    rehearsal.say(Intent.START, topic="hands-on")
    rehearsal.run_for(400.0)
    assert "rest.over" not in prompts(rehearsal)


@pytest.mark.parametrize("asks", [Intent.START_OVER, Intent.FORGET_SETTINGS])
def test_a_yes_to_the_question_about_danger_answers_nothing_that_was_asked_before(
    in_massage: Rehearsal, asks: Intent
) -> None:
    in_massage.say(asks)
    in_massage.run_for(3.0)
    in_massage.say(Intent.DIZZY)
    in_massage.say(Intent.YES)
    assert in_massage.session.state is State.HALTED_EMERGENCY
    assert not {"start_over.done", "forget.done"} & set(prompts(in_massage))


@pytest.mark.parametrize("asks", [Intent.START_OVER, Intent.FORGET_SETTINGS])
def test_a_yes_after_a_fault_is_the_word_to_go_on(in_massage: Rehearsal, asks: Intent) -> None:
    in_massage.say(asks)
    in_massage.tell(Fault("clock_jumped"))
    in_massage.say(Intent.YES)
    assert in_massage.session.state is State.DOING


# Words that get lost on their way to the loudspeaker


def _wanted_unspoken(rehearsal: Rehearsal, *events: Event) -> tuple[State, list[str]]:
    """These events, then an hour in which nothing is ever said to its end."""
    session, now, wanted = rehearsal.session, rehearsal.now, list[str]()
    for event in events:
        wanted += [e.prompt for e in session.handle(event, now) if isinstance(e, Say)]
    end = now + 3600.0
    while (at := session.deadline) is not None and at < end:
        now = max(now, at)
        wanted += [e.prompt for e in session.handle(Tick(), now) if isinstance(e, Say)]
    return session.state, wanted


LOST = {
    "its end is never told": (),
    "the voice fails": (Fault("voice_failed"),),
    "the audio process dies": (Fault("audio_process_died"), Recovered("audio_process_died")),
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("intent", [Intent.EMERGENCY, Intent.DIZZY])
def test_an_emergency_that_loses_its_words_is_said_again_until_it_is_answered(
    in_massage: Rehearsal, intent: Intent, how: str
) -> None:
    heard = Heard(Level.CONFIRMED, intent, "", Ear.WORDS, in_massage.now)
    state, wanted = _wanted_unspoken(in_massage, heard, *LOST[how])
    assert state is State.HALTED_EMERGENCY
    assert len([prompt for prompt in wanted if prompt.endswith(".repeat")]) > 10


@pytest.mark.parametrize("how", LOST)
def test_a_session_that_loses_its_last_words_ends_all_the_same(
    in_massage: Rehearsal, how: str
) -> None:
    heard = Heard(Level.CONFIRMED, Intent.DEVICE, "", Ear.WORDS, in_massage.now)
    assert _wanted_unspoken(in_massage, heard, *LOST[how])[0] is State.ENDED


def test_a_voice_that_fails_in_an_emergency_goes_on_with_the_next_words_at_once(
    in_massage: Rehearsal,
) -> None:
    now = in_massage.now
    session = in_massage.session
    session.handle(Heard(Level.CONFIRMED, Intent.EMERGENCY, "", Ear.WORDS, now), now)
    effects = session.handle(Fault("voice_failed"), now + 1.0)
    assert [effect for effect in effects if isinstance(effect, Say)]


# What still stands


def _says_sore(rehearsal: Rehearsal) -> None:
    rehearsal.say(Intent.PAIN, topic="sore")


ROUND_ABOUT: dict[str, Callable[[Rehearsal], None]] = {
    "stop": lambda rehearsal: rehearsal.say(Intent.STOP),
    "sore": _says_sore,
    "another fault": lambda rehearsal: rehearsal.tell(Fault("disk_full")),
    "a clock that jumps": lambda rehearsal: rehearsal.tell(Fault("clock_jumped")),
}


@pytest.mark.parametrize(
    "what", ["microphone_clipped", "microphone_gaps", "loudspeaker_lost", "microphone_muted"]
)
@pytest.mark.parametrize("way", ROUND_ABOUT)
def test_no_way_leads_into_a_massage_past_a_fault_that_stands(
    in_massage: Rehearsal, what: str, way: str
) -> None:
    in_massage.tell(Fault(what))
    ROUND_ABOUT[way](in_massage)
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state not in MASSAGE
    assert in_massage.massager is not None
    assert not in_massage.massager.on
    in_massage.tell(Recovered(what))
    in_massage.say(Intent.CONTINUE)
    in_massage.run_for(2.0)
    assert in_massage.session.state in MASSAGE


def test_a_fault_from_before_the_start_is_told_before_the_massage(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.IDLE)
    rehearsal.tell(Fault("loudspeaker_lost"))
    rehearsal.say(Intent.START, topic="neck-massager")
    assert rehearsal.run_until(State.PAUSED_FAULT)
    assert not [line for line in kinds(rehearsal, "massager") if line["on"]]


@pytest.mark.parametrize("state", [State.IDLE, State.SCREENING, State.HEARING_CHECK])
def test_a_device_that_failed_once_is_not_armed_by_any_later_word(
    make: Callable[[State], Rehearsal], state: State
) -> None:
    rehearsal = make(state)
    rehearsal.tell(Fault("device_failed"))
    rehearsal.say(Intent.CONTINUE)
    if state is State.IDLE:
        rehearsal.say(Intent.START, topic="neck-massager")
    assert rehearsal.run_until(State.DOING)
    rehearsal.run_for(30.0)
    assert not [line for line in kinds(rehearsal, "massager") if line["on"]]


def test_a_device_that_failed_is_named_at_the_hearing_check_and_hands_are_offered(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.SCREENING)
    rehearsal.tell(Fault("device_failed"))
    rehearsal.say(Intent.CONTINUE)
    assert rehearsal.run_until(State.HANDS_ONLY)
    assert prompts(rehearsal).count("fault.device_failed") == 2


# Words that grow worse


def test_a_sore_spot_that_becomes_a_sharp_pain_a_second_later_is_a_warning(
    in_massage: Rehearsal,
) -> None:
    for topic in ("sore", "sharp_pain"):
        heard = Heard(Level.CONFIRMED, Intent.PAIN, "", Ear.WORDS, in_massage.now, topic=topic)
        in_massage.tell(heard)
        in_massage.run_for(1.0)
    assert in_massage.session.state is State.HALTED_ASKING


def test_a_sharp_pain_that_another_ear_hears_as_a_sore_spot_stays_a_warning(
    in_massage: Rehearsal,
) -> None:
    for topic in ("sharp_pain", "sore"):
        heard = Heard(Level.CONFIRMED, Intent.PAIN, "", Ear.WORDS, in_massage.now, topic=topic)
        in_massage.tell(heard)
        in_massage.run_for(1.0)
    assert in_massage.session.state is State.HALTED_ASKING


# Limits of time


def _asks_for_longer(rehearsal: Rehearsal, times: int) -> None:
    for _ in range(times):
        rehearsal.say(Intent.LONGER)
        rehearsal.run_for(8.0)


def test_one_hold_is_a_minute_long_at_most_however_often_it_is_made_longer(
    in_massage: Rehearsal,
) -> None:
    in_massage.say(Intent.HOLD)
    began = in_massage.now
    while in_massage.session.state is State.HOLDING and in_massage.now < began + 300.0:
        _asks_for_longer(in_massage, 1)
    assert in_massage.now - began < LONGEST_HOLD_SECONDS + 10.0
    assert "time.longest" in prompts(in_massage)


@pytest.mark.parametrize("routine", ["hands-on", "neck-massager"])
def test_no_longer_makes_a_massage_longer_than_its_limit(settings: Settings, routine: str) -> None:
    rehearsal = make_rehearsal(settings)
    rehearsal.begin()
    rehearsal.say(Intent.START, topic=routine)
    ran = 0.0
    while rehearsal.run_until(State.DOING, 200.0) and ran < 3000.0:
        began = rehearsal.now
        _asks_for_longer(rehearsal, 1)
        ran += rehearsal.now - began
    assert ran <= NECK_SECONDS + 60.0  # some of it was speech


def test_a_reminder_of_one_state_wakes_no_other(in_massage: Rehearsal) -> None:
    in_massage.run_for(in_massage.session.deadline or 0.0)
    last = in_massage.now
    in_massage.say(Intent.CONTINUE)
    in_massage.run_for(295.0)
    in_massage.say(Intent.HOLD)
    turns = 0
    while in_massage.now < last + 400.0 and in_massage.session.state is State.HOLDING:
        in_massage.run_for(0.5)
        deadline = in_massage.session.deadline
        turns += deadline is not None and deadline <= in_massage.now
    assert turns < 5


# Instead of a massage


def test_what_is_offered_in_place_of_the_massage_can_be_taken(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.SCREENING)
    rehearsal.say(Intent.YES)
    rehearsal.run_for(9.0)
    rehearsal.say(Intent.START, topic="paced-breathing")
    assert rehearsal.run_until(State.DOING)
    assert rehearsal.session.routine is not None
    assert rehearsal.session.routine.name == "paced-breathing"


@pytest.mark.parametrize(
    "topic", ["hands-on", "neck-massager", "gentle-movement", None, "nonsense"]
)
def test_no_massage_is_begun_after_a_reason_against_it(
    make: Callable[[State], Rehearsal], topic: str | None
) -> None:
    rehearsal = make(State.SCREENING)
    rehearsal.say(Intent.YES)
    rehearsal.say(Intent.START, topic=topic)
    assert rehearsal.session.state is State.CLOSING
    assert rehearsal.run_to_the_end()


def test_a_sign_of_danger_takes_back_what_was_offered_in_place_of_the_massage(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.SCREENING)
    rehearsal.say(Intent.YES)
    rehearsal.say(Intent.DIZZY)
    rehearsal.say(Intent.NO)
    rehearsal.run_until(State.CLOSING)
    rehearsal.say(Intent.START, topic="paced-breathing")
    assert rehearsal.session.state in (State.CLOSING, State.ENDED)


def test_a_broken_session_whose_routine_is_gone_is_no_error(settings: Settings) -> None:
    rehearsal = Rehearsal(make_session(settings, DEVICE, rest_until=300.0), simulated)
    rehearsal.tell(Begin(unfinished=("my-own", 3)))
    rehearsal.say(Intent.YES)
    assert prompts(rehearsal)[-1] == "choosing.unknown"


def test_a_room_that_was_loud_from_the_first_is_asked_for_the_word_twice(
    settings: Settings,
) -> None:
    quick = replace(manners(settings), screening=False)
    session = Session(
        settings.routines, settings.script, settings.advice, quick, Governor(levels=5, real=False)
    )
    session.handle(Health(0.0, 0.0, -30.0, 0), 0.0)
    session.handle(Begin("neck-massager"), 0.0)
    session.handle(Heard(Level.CONFIRMED, Intent.STOP, "stop", Ear.ALARM, 5.0), 5.0)
    assert session.state is State.HEARING_CHECK


@pytest.mark.parametrize("word", [Intent.FINISH, Intent.NOT_NOW])
def test_enough_said_at_the_number_before_ends_the_asking(
    make: Callable[[State], Rehearsal], word: Intent
) -> None:
    rehearsal = make(State.RATING_BEFORE)
    rehearsal.say(word)
    assert rehearsal.session.state is State.CLOSING


def test_where_no_neck_was_touched_no_sign_is_spoken_of(
    make: Callable[[State], Rehearsal],
) -> None:
    rehearsal = make(State.SCREENING)
    rehearsal.say(Intent.YES)
    rehearsal.say(Intent.TIME_LEFT)
    rehearsal.say(Intent.CONTINUE)
    assert rehearsal.run_to_the_end()
    assert "closing.signs_brief" not in prompts(rehearsal)


def test_how_long_is_answered_before_anything_has_begun(rehearsal: Rehearsal) -> None:
    rehearsal.say(Intent.TIME_LEFT)
    assert prompts(rehearsal)[-1] == "faq.how_long"
