"""Sound that nobody should send: it ends nothing, halts nothing, and the next stop is heard."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.settings import Settings
from audio import alarm_network
from audio.alarm_ear import AlarmEar
from audio.echo import EchoCanceller
from audio.messages import Level
from audio.microphone import Microphone
from audio.network import WeightsError
from audio.pipeline import Ears, Pipeline
from audio.sound import BLOCK, RATE, Samples, blocks, read
from intents.intent import Intent

CLIPS = Path(__file__).parent / "clips"
STOP = read(CLIPS / "person1_stop.flac")
SILENCE = np.zeros(BLOCK, np.int16)
HISS = np.random.default_rng(3).normal(0, 3, RATE).astype(np.int16)
FULL = 32_767


@pytest.fixture(scope="module")
def ear() -> AlarmEar:
    return AlarmEar()


@pytest.fixture
def pipeline(ear: AlarmEar, settings: Settings) -> Iterator[Pipeline]:
    """Ears from a fresh state; whatever was heard, none of them broke."""
    fresh = Pipeline(Ears(ear, None), EchoCanceller(), settings.phrasebook)
    fresh.reset()
    yield fresh
    assert fresh.ears_answer
    assert fresh.take_faults() == []


def sure(pipeline: Pipeline, *sounds: Samples) -> list[Intent | None]:
    heard = [h for b in blocks(np.concatenate(sounds)) for h in pipeline.hear(b, SILENCE)]
    return [one.intent for one in heard if one.level is Level.CONFIRMED]


def worse(sound: Samples, gain_db: float = 0.0, offset: int = 0) -> Samples:
    """Louder or softer, off the middle, and cut at full scale."""
    changed = sound * 10 ** (gain_db / 20) + offset
    return np.clip(changed, -FULL - 1, FULL).astype(np.int16)


@pytest.mark.parametrize(
    "sound",
    [
        worse(STOP, gain_db=20.0),
        worse(STOP, gain_db=-20.0),
        worse(STOP, offset=12_000),
        worse(STOP, gain_db=12.0, offset=-8_000),
    ],
    ids=["20 dB too loud", "20 dB too soft", "direct current", "clipped on one side"],
)
def test_a_stop_that_a_poor_microphone_brings_is_heard_once(
    pipeline: Pipeline, sound: Samples
) -> None:
    before, after = (worse(HISS, offset=int(sound[end])) for end in (0, -1))
    assert sure(pipeline, before, sound, after) == [Intent.STOP]


@pytest.mark.parametrize(
    "sound",
    [
        np.full(2 * RATE, FULL, np.int16),
        np.where(np.arange(2 * RATE) // 4000 % 2, FULL, -FULL - 1).astype(np.int16),
        np.where(np.arange(2 * RATE) % 8000 < 3, FULL, 0).astype(np.int16),
        np.random.default_rng(1).choice([-FULL, FULL], 2 * RATE).astype(np.int16),
    ],
    ids=["stuck at full scale", "a loose plug", "clicks", "noise at full scale"],
)
def test_a_broken_microphone_halts_nothing_and_a_stop_after_it_is_heard(
    pipeline: Pipeline, sound: Samples
) -> None:
    assert sure(pipeline, sound) == []
    assert sure(pipeline, HISS, HISS, STOP, HISS) == [Intent.STOP]


def test_after_an_hour_of_silence_a_stop_is_heard(ear: AlarmEar) -> None:
    ear.reset()
    for second in range(3600):
        assert ear.hear(HISS // 3 if second % 2 else np.zeros(RATE, np.int16)) == []
    scores = [clue.score for block in blocks(STOP) for clue in ear.hear(block)]
    scores += [clue.score for block in blocks(HISS) for clue in ear.hear(block)]
    assert max(scores) > 0.9


def test_a_stream_that_stalls_in_a_word_and_floods_after_it_loses_only_that_word(
    pipeline: Pipeline,
) -> None:
    half = len(STOP) // 2
    microphone = Microphone()
    receive = microphone.callback(RATE)
    receive(np.concatenate([HISS, STOP[:half]]).tobytes(), 0, None, None)
    receive(np.tile(HISS, 5).tobytes(), 0, None, "overflow")
    assert microphone.dropped > 0
    late = [microphone.take(0.0) for _ in range(microphone.waiting)]
    pipeline.reset()
    assert sure(pipeline, *(block for block in late if block is not None)) == []
    assert sure(pipeline, STOP, HISS) == [Intent.STOP]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_pieces_of_any_length_half_samples_too_never_raise_in_the_sound_cards_thread(
    rate: int,
) -> None:
    microphone = Microphone()
    receive = microphone.callback(rate)
    for length in (0, 1, 2, 3, 641, 1280, 7, 4096, 2 * rate):
        receive(bytes(length), 0, None, None)
    assert microphone.blocks >= 50


def test_altered_weights_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_network, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(WeightsError, match="was altered"):
        AlarmEar()
