"""Single controls that the promise hangs on and that no other test would miss."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assistant import safety
from assistant.app import Options, run_session
from assistant.messages import MassagerLease, MassagerOff, Say
from assistant.safety import Governor
from assistant.settings import Settings
from assistant.stage import Manners, Stage
from audio.echo import EchoCanceller
from audio.errors import MassagerUnsafe
from audio.headset import Headset
from audio.judge import Judge
from audio.messages import Fault, FromAudio, Health, Level, SpeakCommand
from audio.pipeline import Ears, Pipeline
from audio.recogniser import Reading, RecogniserFailed
from audio.sound import BLOCK, RATE, Samples, read
from audio.speaker import Player
from intents.intent import SAFETY, Intent
from intents.spotter import Clue, ClueKind

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
