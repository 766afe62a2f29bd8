"""Single controls that the promise hangs on and that no other test would miss."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from aiomqtt import Client, Message
from massager_rig import PASSWORD, USER, Broker, Plug, holds, in_loop, runner, until, write_devices

from assistant import safety
from assistant.app import Options, run_session
from assistant.massager.device import read_devices
from assistant.massager.opening import open_massager
from assistant.messages import Begin, Event, MassagerLease, MassagerOff, MassagerReport, Say
from assistant.rehearsal import Rehearsal
from assistant.safety import Change, Governor
from assistant.session import Session
from assistant.settings import Settings
from assistant.stage import Manners, Stage
from assistant.state import LOCKED, State
from audio.echo import EchoCanceller
from audio.errors import MassagerUnsafe
from audio.headset import Headset
from audio.judge import Judge
from audio.messages import Ear, Fault, FromAudio, Health, Heard, Level, SpeakCommand
from audio.pipeline import Ears, Pipeline
from audio.recogniser import Reading, RecogniserFailed
from audio.sound import BLOCK, RATE, Samples, read
from audio.speaker import Player
from intents.intent import SAFETY, Intent
from intents.spotter import Clue, ClueKind, Spotter

__all__ = ["runner"]
CLIPS = Path(__file__).parent / "clips"
SILENCE = np.zeros(BLOCK, np.int16)
OWN_DEVICE = """
[shoulders]
kind = "tasmota"
broker = "127.0.0.1"
topic = "shoulders"
"""


def test_the_limits_are_those_that_people_were_told() -> None:
    told = {
        "LEASE_SECONDS": 10.0,
        "RENEW_SECONDS": 4.0,
        "MICROPHONE_SECONDS": 3.0,
        "GENTLE_SECONDS": 60.0,
        "SESSION_SECONDS": 900.0,
        "REST_SECONDS": 300.0,
    }
    assert {name: getattr(safety, name) for name in told} == told


# What leaves the session


def stage(settings: Settings) -> Stage:
    return Stage(settings.routines, settings.script, settings.advice, Manners(), Governor())


def test_an_off_comes_first_and_takes_every_lease_with_it(settings: Settings) -> None:
    a_stage = stage(settings)
    a_stage.emit(MassagerLease(1, 10.0, "wanted"))
    a_stage.emit(Say("stopped", ("All is still.",)))
    a_stage.emit(MassagerOff("stop"))
    a_stage.emit(MassagerLease(2, 10.0, "renewed"))
    assert a_stage.take() == (MassagerOff("stop"), Say("stopped", ("All is still.",)))


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Heard(Level.CONFIRMED, Intent.DIZZY, "dizzy", Ear.ALARM, 0.0), "dizzy"),
        (Heard(Level.FINAL, Intent.STOP, "stop", Ear.WORDS, 0.0), "stop"),
        (Fault("microphone_lost"), "microphone_lost"),
        (Fault("loudspeaker_lost"), "loudspeaker_lost"),
    ],
)
def test_what_ends_a_massage_switches_off_itself_and_says_why(
    in_massage: Rehearsal, event: Event, why: str
) -> None:
    effects = in_massage.session.handle(event, in_massage.now)
    assert effects[0] == MassagerOff(why)


def test_a_stop_after_a_warning_does_not_lead_back_to_where_a_pause_came_from(
    in_massage: Rehearsal,
) -> None:
    for intent in (Intent.PAUSE, Intent.CONTINUE, Intent.DIZZY):
        in_massage.say(intent)
        in_massage.run_for(3.0)
    in_massage.say(Intent.STOP)
    assert in_massage.session.state in LOCKED
    in_massage.say(Intent.CONTINUE)
    assert in_massage.session.state in (*LOCKED, State.CLOSING)


def test_time_in_which_the_device_says_off_is_no_part_of_the_gentle_minute() -> None:
    governor = Governor(levels=5, real=False)
    governor.arm()
    for second in range(90):
        now = float(second)
        governor.hears(0.0, True, False, now)
        governor.reported(MassagerReport(False, 0, now))
        governor.want(True)
        assert not isinstance(governor.decide(now), MassagerOff)
    assert governor.stronger(90.0) is Change.GENTLE_MINUTE


def test_a_rest_is_kept_and_told_also_where_no_question_is_asked(settings: Settings) -> None:
    governor = Governor(levels=5, real=False, rest_until=250.0)
    manners = Manners(screening=False)
    session = Session(settings.routines, settings.script, settings.advice, manners, governor)
    effects = session.handle(Begin("neck-massager"), 0.0)
    assert [effect.prompt for effect in effects if isinstance(effect, Say)] == ["rest.wait"]


# Who may command a real massager


@pytest.mark.parametrize("microphone", ["keyboard", str(CLIPS / "person1_stop.flac")])
def test_nobody_gets_a_real_massager_where_nobody_listens(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, microphone: str
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CONFIGURATION_DIRECTORY", str(tmp_path))
    (tmp_path / "massagers.toml").write_text(OWN_DEVICE)
    options = Options("neck-massager", microphone, "none", "shoulders", str(tmp_path / "events"))
    with pytest.raises(MassagerUnsafe, match=r"nobody listens at a keyboard|a recording cannot"):
        run_session(settings, options)
    assert '"on": true' not in (tmp_path / "events").read_text()


@in_loop
async def test_off_is_repeated_until_the_device_confirms_it(tmp_path: Path) -> None:
    broker = await Broker(tmp_path / "broker").start()
    plug = await Plug("zigbee2mqtt", *broker.login()).begin()
    devices = read_devices(write_devices(tmp_path, "zigbee2mqtt", broker.port))
    massager = await open_massager("neck", devices, state=tmp_path / "state", proven=False)
    await plug.kill()
    assert await holds(lambda: True, 0.3)  # its last words have arrived
    offs: list[bytes] = []

    async def count() -> None:
        async with Client("127.0.0.1", broker.port, username=USER, password=PASSWORD) as ear:
            await ear.subscribe("+/+/set", qos=1)
            massager.off()
            async for message in ear.messages:
                offs.append(bytes(message.payload))  # noqa: PERF401, the test looks while it grows

    counting = asyncio.create_task(count())
    await until(lambda: offs.count(b'{"state": "OFF"}') >= 3)
    counting.cancel()
    massager.close()
    await broker.kill()


@in_loop
async def test_the_broker_keeps_no_word_of_ours_for_later(tmp_path: Path) -> None:
    broker = await Broker(tmp_path / "broker").start()
    plug = await Plug("zigbee2mqtt", *broker.login()).begin()
    devices = read_devices(write_devices(tmp_path, "zigbee2mqtt", broker.port))
    massager = await open_massager("neck", devices, state=tmp_path / "state", proven=False)
    massager.lease(1, 10.0)
    await until(lambda: plug.on)
    massager.off()
    await until(lambda: not plug.on)
    massager.close()
    await plug.kill()
    async with Client("127.0.0.1", broker.port, username=USER, password=PASSWORD) as late:
        await late.subscribe("#", qos=1)
        await late.publish("that/is/all", qos=1)
        kept = [str(m.topic) async for m in _before(late, "that/is/all")]
    assert not [topic for topic in kept if topic.endswith("/set")]
    await broker.kill()


async def _before(client: Client, last: str) -> AsyncIterator[Message]:
    async for message in client.messages:
        if str(message.topic) == last:
            return
        yield message


# Safety words are never filtered


@pytest.fixture
def judge(settings: Settings) -> Judge:
    """One that was told to heed only a yes, while we speak of stopping and feeling dizzy."""
    judge = Judge(settings.phrasebook, practice=False)
    judge.expect(frozenset({Intent.YES}))
    judge.saying(["You can say stop now.", "Do you feel dizzy?", "Does it hurt? Stop."])
    return judge


@pytest.mark.parametrize("text", ["stop", "i feel dizzy", "dizzy", "it hurts", "stop stop"])
@pytest.mark.parametrize("settled", [True, False])
def test_a_safety_word_counts_whatever_is_expected_or_being_said(
    judge: Judge, text: str, settled: bool
) -> None:
    heard = judge.read(Reading(text, final=True), 1.0, settled)
    assert [h.level for h in heard if h.intent in SAFETY][-1] is Level.CONFIRMED


def test_a_safety_word_by_its_sound_counts_whatever_is_expected_or_being_said(
    judge: Judge,
) -> None:
    clue = Clue("alarm", ClueKind.SCORE, Intent.STOP, 0.95, 1.0, "stop")
    assert judge.weigh([clue], 1.0)[-1].level is Level.CONFIRMED


def test_two_ears_that_suspect_the_same_moment_are_sure() -> None:
    spotter = Spotter()
    spotter.hear(Clue("alarm", ClueKind.SCORE, Intent.STOP, 0.6, 1.0, "stop"))
    verdicts = spotter.hear(Clue("words", ClueKind.PARTIAL, Intent.STOP, 1.0, 1.1, "stop"))
    assert [verdict.level for verdict in verdicts] == ["suspect", "confirmed"]


def test_an_ordinary_word_that_nobody_expects_is_passed_over(judge: Judge) -> None:
    assert judge.read(Reading("next step", final=True), 1.0, settled=True) == []


# Ears that break, and a mouth that gives way


class BrokenWords:
    """A word ear whose engine has died."""

    engine, model, practice = "none", "none", False

    def expect(self, intents: frozenset[Intent]) -> None:
        return

    def hear(self, block: Samples) -> list[Reading]:
        raise RecogniserFailed("the engine is gone", "start again")

    def reset(self) -> None:
        return


class BrokenAlarm:
    """An alarm ear that fails in a way that nobody foresaw."""

    def hear(self, block: Samples) -> list[Clue]:
        raise ZeroDivisionError

    def enrol(self, on: bool) -> None:
        return

    def reset(self) -> None:
        return


class Clips:
    """Every sentence is one second of a piano."""

    def clip(self, sentence: str) -> Samples:
        return read(CLIPS / "piano_music.flac")[:RATE]


def headset(settings: Settings, ears: Ears) -> Headset:
    return Headset(Pipeline(ears, EchoCanceller(), settings.phrasebook), Player(), Clips())


def live_through(headset: Headset, mic: Samples) -> list[FromAudio]:
    told: list[FromAudio] = []
    for start in range(0, len(mic) - BLOCK + 1, BLOCK):
        told += headset.hear(mic[start : start + BLOCK], headset.fill(BLOCK))
    return told


def hiss(seconds: float) -> Samples:
    """A quiet room."""
    rng = np.random.default_rng(0)
    return rng.integers(-3, 4, round(seconds * RATE)).astype(np.int16)


@pytest.mark.parametrize(
    ("ears", "what"),
    [
        (Ears(None, BrokenWords()), "recogniser_failed"),
        (Ears(BrokenAlarm(), None), "alarm_ear_failed"),
    ],
)
def test_an_ear_that_breaks_is_told_and_no_heartbeat_says_that_it_answers(
    settings: Settings, ears: Ears, what: str
) -> None:
    told = live_through(headset(settings, ears), hiss(1.0))
    assert [m.what for m in told if isinstance(m, Fault)] == [what]
    beats = [m for m in told if isinstance(m, Health)]
    assert beats
    assert not any(beat.ears_answer for beat in beats)


def test_perfect_silence_for_three_seconds_is_a_muted_microphone(settings: Settings) -> None:
    mouth = headset(settings, Ears(None, None))
    told = live_through(mouth, np.concatenate([hiss(0.5), np.zeros(3 * RATE + BLOCK, np.int16)]))
    assert [m.what for m in told if isinstance(m, Fault)] == ["microphone_muted"]


def test_the_voice_gives_way_to_somebody_who_talks(settings: Settings) -> None:
    mouth = headset(settings, Ears(None, None))
    live_through(mouth, hiss(2.0))
    mouth.do(SpeakCommand("idle.ready", ("one", "two", "three", "four"), 0.35))
    before, after = played(mouth, hiss(1.6)), played(mouth, person())
    assert before.any()
    assert not after[-RATE // 4 :].any()


def person() -> Samples:
    """The loud beginning of a person's word, and a quarter of a second after it."""
    word = read(CLIPS / "person1_stop.flac")
    loudest = int(np.argmax(np.abs(word.astype(np.int32))))
    start = max(0, loudest - RATE // 10)
    return np.concatenate([word[start : start + RATE // 2], hiss(0.3)])


def played(headset: Headset, mic: Samples) -> Samples:
    """What comes out of the loudspeaker while `mic` is heard."""
    out: list[Samples] = []
    for start in range(0, len(mic) - BLOCK + 1, BLOCK):
        out.append(headset.fill(BLOCK))
        headset.hear(mic[start : start + BLOCK], out[-1])
    return np.concatenate(out)


def test_our_own_voice_is_taken_out_before_any_ear_hears_it(settings: Settings) -> None:
    heard: list[Samples] = []

    class Listener(BrokenAlarm):
        def hear(self, block: Samples) -> list[Clue]:
            heard.append(block)
            return []

    pipeline = Pipeline(Ears(Listener(), None), EchoCanceller(), settings.phrasebook)
    music = np.tile(read(CLIPS / "piano_music.flac"), 4)[: 8 * RATE]
    echo = np.concatenate([np.zeros(RATE // 20, np.int16), music // 3])[: len(music)]
    for start in range(0, len(music) - BLOCK + 1, BLOCK):
        pipeline.hear(echo[start : start + BLOCK], music[start : start + BLOCK])
    assert power(heard[-100:]) < power([echo[-100 * BLOCK :]]) / 100


def power(blocks: Sequence[Samples]) -> float:
    return float(np.mean(np.concatenate(blocks).astype(np.float64) ** 2))
