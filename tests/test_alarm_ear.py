"""The alarm ear on people's recordings, on other sounds, and on what nobody should send it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.alarm_ear import AlarmEar
from audio.embedding import TRUNK_LAYERS, packaged_layers
from audio.network import WeightsError, upper_layers
from audio.sound import BLOCK, RATE, Samples, read
from intents.intent import Intent
from intents.spotter import BARS, Bars, Clue, EarName, Spotter
from training.export import LEVELS
from training.export import upper_layers as upper_layers_of

CLIPS = Path(__file__).parent / "clips"
STOPS = sorted(path.name for path in CLIPS.glob("person*_stop*.flac"))
MEANS_STOP = "stop", "off"
OTHERS = sorted(
    p.name for p in CLIPS.glob("person*.flac") if not any(w in p.name for w in MEANS_STOP)
)
"""Words that halt nothing; "off" does."""
SYNTHETIC = {
    "dizzy": Intent.DIZZY,
    "tingling": Intent.TINGLING,
    "pause": Intent.PAUSE,
    "start": Intent.START,
}
SPOKEN = sorted(path.name for path in CLIPS.glob("synthetic*.flac"))
"""By voices that no training heard; nobody recorded these words often enough."""


@pytest.fixture(scope="module")
def ear() -> AlarmEar:
    return AlarmEar()


def hiss(seconds: float, level: float = 3.0) -> Samples:
    """A quiet room: `level` is in steps of a 16-bit microphone."""
    noise = np.random.default_rng(3).normal(0, level, int(seconds * RATE))
    return noise.astype(np.int16)


def in_a_room(name: str, decibels: float = 0.0, response: str | None = None) -> Samples:
    """A clip with a second of hiss before and after it; with a response, reverberant."""
    word = read(CLIPS / name) * 10 ** (decibels / 20)
    if response is not None:
        wet = np.convolve(word, read(CLIPS / response).astype(np.float32))
        word = wet * loudness(word) / loudness(wet[: len(word)])
    return np.concatenate([hiss(1.0), pcm(word), hiss(1.0)])


DECIBELS = {"far": 25.0, "noisy": 15.0}
"""The word above white noise, which covers a word more than most noises do."""


def pcm(sound: NDArray[np.floating]) -> Samples:
    return np.clip(sound, -32768, 32767).astype(np.int16)


def loudness(sound: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def _word(name: str) -> str:
    return name.removesuffix(".flac").partition("_")[2]


def blocks(sound: Samples, size: int = BLOCK) -> Iterator[Samples]:
    return (sound[at : at + size] for at in range(0, len(sound), size))


def clues(ear: AlarmEar, sound: Samples, size: int = BLOCK) -> list[Clue]:
    ear.reset()
    return [clue for block in blocks(sound, size) for clue in ear.hear(block)]


def verdicts(
    ear: AlarmEar, sound: Samples, bars: dict[EarName, Bars] | None = None
) -> list[tuple[str, Intent, float]]:
    spotter = Spotter(bars or BARS)
    heard = [verdict for clue in clues(ear, sound) for verdict in spotter.hear(clue)]
    return [(verdict.level, verdict.intent, verdict.at) for verdict in heard]


def surely(ear: AlarmEar, sound: Samples) -> set[Intent]:
    return {intent for level, intent, _ in verdicts(ear, sound) if level == "confirmed"}


@pytest.mark.parametrize("name", STOPS)
def test_a_persons_stop_is_suspected_and_sure_within_a_second(ear: AlarmEar, name: str) -> None:
    over = 1.0 + len(read(CLIPS / name)) / RATE
    heard = verdicts(ear, in_a_room(name))

    assert [v for v in heard if v[:2] == ("suspect", Intent.STOP) and v[2] < over + 0.35]
    assert [v for v in heard if v[:2] == ("confirmed", Intent.STOP) and v[2] < over + 0.35]


@pytest.mark.parametrize("name", STOPS)
def test_a_word_that_begins_is_told_step_by_step(ear: AlarmEar, name: str) -> None:
    """The ear is patient, three steps at once, only while nothing is like a word."""
    ear.reset()
    at_once = [
        sum(clue.intent is Intent.STOP for clue in ear.hear(block))
        for block in blocks(in_a_room(name))
    ]

    assert sum(at_once) > 3
    assert max(at_once) <= 2


@pytest.mark.parametrize("name", OTHERS)
def test_another_word_is_never_sure(ear: AlarmEar, name: str) -> None:
    assert surely(ear, in_a_room(name)) == set()


@pytest.mark.parametrize("name", [name for name in SPOKEN if _word(name) in SYNTHETIC])
def test_a_synthetic_voices_word_is_heard(ear: AlarmEar, name: str) -> None:
    assert SYNTHETIC[_word(name)] in surely(ear, in_a_room(name))


@pytest.mark.parametrize("name", [name for name in SPOKEN if _word(name) not in SYNTHETIC])
@pytest.mark.parametrize("response", [None, "small_room.flac"], ids=["near", "in a room"])
def test_a_synthetic_voices_other_word_is_never_sure(
    ear: AlarmEar, name: str, response: str | None
) -> None:
    assert surely(ear, in_a_room(name, response=response)) == set()


@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize("condition", ["far", "noisy"])
def test_a_persons_stop_is_suspected_in_a_room_and_in_noise(
    ear: AlarmEar, name: str, condition: str
) -> None:
    sound = in_a_room(name, response="seminar_room.flac").astype(np.float32)
    sound += hiss(len(sound) / RATE, loudness(sound) * 10 ** (-DECIBELS[condition] / 20))

    assert ("suspect", Intent.STOP) in [verdict[:2] for verdict in verdicts(ear, pcm(sound))]


@pytest.mark.parametrize("name", ["dog_bark.flac", "baby_cry.flac"])
def test_a_noise_alone_is_never_sure(ear: AlarmEar, name: str) -> None:
    assert surely(ear, in_a_room(name)) == set()


def test_music_alone_is_never_sure(ear: AlarmEar) -> None:
    assert surely(ear, read(CLIPS / "piano_music.flac")) == set()


def test_with_the_bars_raised_nothing_is_heard(ear: AlarmEar) -> None:
    deaf: dict[EarName, Bars] = {**BARS, "alarm": Bars(1.1, 1.1)}

    assert verdicts(ear, in_a_room(STOPS[0]), deaf) == []


@pytest.mark.parametrize("decibels", [-30.0, -15.0, 6.0])
def test_a_stop_is_heard_soft_and_loud(ear: AlarmEar, decibels: float) -> None:
    assert Intent.STOP in surely(ear, in_a_room(STOPS[0], decibels))


@pytest.mark.parametrize("size", [1, 7, 160, 1000, 5000])
def test_blocks_of_any_length_give_the_same_scores(ear: AlarmEar, size: int) -> None:
    sound = in_a_room(STOPS[0])[RATE // 2 : -RATE // 2]
    usual = [clue.score for clue in clues(ear, sound)]

    assert [clue.score for clue in clues(ear, sound, size)] == pytest.approx(usual, abs=0.05)


def test_a_stop_after_an_hours_silence_is_heard_from_its_first_sound(ear: AlarmEar) -> None:
    ear.reset()
    for block in blocks(hiss(20.0, 1.0)):
        assert ear.hear(block) == []
    spotter = Spotter()
    heard = [
        verdict
        for block in blocks(in_a_room(STOPS[0])[RATE:])
        for clue in ear.hear(block)
        for verdict in spotter.hear(clue)
    ]

    assert "confirmed" in [verdict.level for verdict in heard]


def test_a_stop_in_steady_noise_is_heard(ear: AlarmEar) -> None:
    word = in_a_room(STOPS[0]).astype(np.float32)
    loudest = np.sqrt(np.mean(read(CLIPS / STOPS[0]).astype(np.float32) ** 2))
    noise = hiss(8.0, 1.0).astype(np.float32) * 0
    noise += np.random.default_rng(4).normal(0, loudest * 0.3, len(noise))
    noise[-len(word) :] += word

    assert Intent.STOP in surely(ear, noise.astype(np.int16))


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(3 * RATE, np.int16),
        np.full(3 * RATE, 20_000, np.int16),
        np.tile(np.array([32_767, -32_768], np.int16), RATE),
        np.random.default_rng(1).integers(-32_768, 32_767, 3 * RATE).astype(np.int16),
        (np.sin(np.arange(3 * RATE) * 0.3) > 0).astype(np.int16) * 32_767,
    ],
    ids=["nothing", "direct current", "full scale", "white noise", "square wave"],
)
def test_sound_that_is_no_speech_is_no_word(ear: AlarmEar, sound: Samples) -> None:
    assert surely(ear, sound) == set()


def test_values_that_are_no_numbers_are_silence(ear: AlarmEar) -> None:
    ear.reset()
    broken = np.full(BLOCK, np.nan, np.float32)

    for _ in range(50):
        assert ear.hear(broken) == []  # type: ignore[arg-type]
    assert Intent.STOP in surely(ear, in_a_room(STOPS[0]))


def test_clues_tell_the_time_in_seconds_of_sound_heard(ear: AlarmEar) -> None:
    heard = clues(ear, in_a_room(STOPS[0]))

    assert all(1.0 < clue.at < len(in_a_room(STOPS[0])) / RATE for clue in heard)
    assert [clue.at for clue in heard] == sorted(clue.at for clue in heard)


def test_the_persons_own_sample_raises_the_score_of_their_next_stop() -> None:
    ear = AlarmEar()
    first, second = STOPS[0], STOPS[1]
    before = max(clue.score for clue in clues(ear, in_a_room(second)))
    ear.enrol(on=True)
    clues(ear, in_a_room(first))
    raised = max(clue.score for clue in clues(ear, in_a_room(second)))
    ear.enrol(on=False)
    after = max(clue.score for clue in clues(ear, in_a_room(second)))

    assert raised > before
    assert after == before


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"alarm\.npz"):
        AlarmEar(tmp_path / "alarm.npz")


def test_upper_layers_are_read_as_they_were_trained() -> None:
    chance = np.random.default_rng(1)
    packaged = packaged_layers()[TRUNK_LAYERS:]
    trained = [
        {"kernel": kernel + chance.normal(0, 0.01, kernel.shape), "bias": bias + 1}
        for kernel, bias in packaged
    ]
    weights = upper_layers_of(1, {"packaged": False, "top": trained}, LEVELS)

    sets, used = upper_layers(weights, [0, 1])
    alone, used_alone = upper_layers(weights, [1])

    assert used == [0, 1]
    assert (len(alone), used_alone) == (1, [0])
    assert all(one is other for one, other in zip(sets[0], packaged, strict=True))
    for (kernel, bias), wanted in zip(sets[1], trained, strict=True):
        step = np.abs(wanted["kernel"]).max(0) / LEVELS
        assert (np.abs(kernel - wanted["kernel"]) <= 0.51 * step).all()
        assert np.array_equal(bias, wanted["bias"])


def test_a_file_that_holds_no_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "alarm.npz").write_bytes(b"not weights")

    with pytest.raises(WeightsError, match=r"alarm\.npz"):
        AlarmEar(tmp_path / "alarm.npz")
