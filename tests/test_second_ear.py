"""The second ear: one more vote where somebody installed it, and nothing where nobody did."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from assistant.__main__ import main
from assistant.doctor import second_ear
from assistant.settings import Settings
from audio.alarm_ear import AlarmEar
from audio.echo import EchoCanceller
from audio.engine import Engine, Listening, open_ears
from audio.errors import NotFit
from audio.messages import Ear, Heard, Level
from audio.model_install import ModelError, install_second_ear
from audio.models import Places, catalogue
from audio.pipeline import Ears, Pipeline, SoundEar
from audio.second_ear import SecondEar
from audio.sound import BLOCK, RATE, Samples, blocks, read
from intents.intent import Intent
from intents.spotter import BARS, Clue, ClueKind

CLIPS = Path(__file__).parent / "clips"
PEER = Path(__file__).parents[2] / "shared" / "peers" / "stop.tflite"
SILENCE = np.zeros(BLOCK, np.int16)


@pytest.fixture(scope="module")
def file() -> Path:
    """The real stop word, which does not ship with the program."""
    if not PEER.exists() and not (os.environ.get("CI") and PEER.parents[1].is_dir()):
        pytest.skip(f"there is no {PEER}")
    return PEER


@pytest.fixture(scope="module")
def ear(file: Path) -> Iterator[SecondEar]:
    return SecondEar(file)


def in_a_room(name: str) -> Samples:
    """A clip with a second of hiss before and after it."""
    hiss = np.random.default_rng(3).normal(0, 3, RATE).astype(np.int16)
    return np.concatenate([hiss, read(CLIPS / name), hiss])


def scores(ear: SoundEar, sound: Samples) -> list[Clue]:
    ear.reset()
    return [clue for block in blocks(sound) for clue in ear.hear(block)]


@pytest.mark.parametrize("person", ["person1", "person2", "person3"])
def test_a_persons_stop_is_worth_a_vote_soon_after_its_end(ear: SecondEar, person: str) -> None:
    word = read(CLIPS / f"{person}_stop.flac")
    end = 1.0 + np.flatnonzero(np.abs(word) > 1500)[-1] / RATE
    votes = [clue for clue in scores(ear, in_a_room(f"{person}_stop.flac")) if clue.score >= 0.5]
    assert {clue.intent for clue in votes} == {Intent.STOP}
    assert end - 0.3 < votes[0].at < end + 0.5


@pytest.mark.parametrize("name", ["person1_no.flac", "person2_four.flac", "piano_music.flac"])
def test_other_sounds_are_worth_none_not_even_at_its_beginning(ear: SecondEar, name: str) -> None:
    assert [clue for clue in scores(ear, in_a_room(name)) if clue.score >= 0.5] == []


def test_after_a_reset_it_hears_the_same_again(ear: SecondEar) -> None:
    first = scores(ear, in_a_room("person1_stop.flac"))
    assert scores(ear, in_a_room("person1_stop.flac")) == first


def test_an_altered_or_missing_file_is_never_run(file: Path, tmp_path: Path) -> None:
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    (tmp_path / "stop.tflite").write_bytes(content)
    with pytest.raises(NotFit, match=r"stop\.tflite: not the one that is pinned .*--second-ear"):
        SecondEar(tmp_path / "stop.tflite")
    with pytest.raises(NotFit, match="no such file"):
        SecondEar(tmp_path / "gone.tflite")


class Votes:
    """An ear for sounds that gives one clue, at its third block; or breaks there."""

    def __init__(self, score: float | None, name: str = "second") -> None:
        self.score, self.name, self.blocks = score, name, 0

    def hear(self, block: Samples) -> list[Clue]:
        self.blocks += 1
        if self.blocks != 3:
            return []
        if self.score is None:
            raise RuntimeError("broken")
        name = "second" if self.name == "second" else "alarm"
        return [Clue(name, ClueKind.SCORE, Intent.STOP, self.score, 0.0, "stop")]

    def enrol(self, on: bool) -> None:
        """Nobody's voice."""

    def reset(self) -> None:
        self.blocks = 0


def heard(ears: Ears, settings: Settings) -> list[tuple[Level, Ear]]:
    pipeline = Pipeline(ears, EchoCanceller(), settings.phrasebook)
    told = [one for _ in range(30) for one in pipeline.hear(SILENCE, SILENCE)]
    assert pipeline.ears_answer
    assert pipeline.take_faults() == []
    return [(one.level, one.ear) for one in told if isinstance(one, Heard)]


def test_alone_it_says_nothing(settings: Settings) -> None:
    ears = Ears(None, None, second=Votes(1.0))
    assert heard(ears, settings) == []


def test_with_the_alarm_ears_suspicion_it_is_sure(settings: Settings) -> None:
    ears = Ears(Votes(BARS["alarm"].low, "alarm"), None, second=Votes(BARS["second"].low))
    assert (Level.CONFIRMED, Ear.SECOND) in heard(ears, settings)


def test_where_the_alarm_ear_was_sure_the_same_word_is_not_told_twice(settings: Settings) -> None:
    """The stop that passes the hearing check must not halt what begins after it."""
    ears = Ears(Votes(BARS["alarm"].high, "alarm"), None, second=Votes(1.0))
    assert heard(ears, settings) == [(Level.SUSPECT, Ear.ALARM), (Level.CONFIRMED, Ear.ALARM)]


def test_when_it_breaks_the_others_go_on_and_nobody_is_deaf(settings: Settings) -> None:
    ears = Ears(Votes(BARS["alarm"].high, "alarm"), None, second=Votes(None))
    assert (Level.CONFIRMED, Ear.ALARM) in heard(ears, settings)


# Installing it


def unknot(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def summary() -> dict[str, Any]:
    """The last line of hearing a recording."""
    told: dict[str, Any] = json.loads(
        unknot("hear", CLIPS / "person1_stop.flac", "--json").stdout.splitlines()[-1]
    )
    return told


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


def test_it_is_installed_from_a_file_or_a_folder_heard_with_and_named(
    file: Path, state: Path, settings: Settings
) -> None:
    assert second_ear(settings).ok
    place = state / "data" / "second-ear" / "stop.tflite"
    for source in ([file], ["--from", file.parent]):
        assert unknot("model", "install", "--second-ear", *source).stdout == f"{place}\n"
        assert place.read_bytes() == file.read_bytes()
        assert list(place.parent.iterdir()) == [place]
    check = second_ear(settings)
    assert (check.ok, check.value) == (True, str(place))
    assert summary()["second_ear"] == catalogue().second_ear.name


def test_without_it_nothing_is_said_of_it(state: Path) -> None:
    assert "second_ear" not in summary()


def test_another_file_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    places = Places(tmp_path / "data")
    other = tmp_path / "stop.tflite"
    other.write_bytes(b"x" * catalogue().second_ear.size)
    with pytest.raises(ModelError, match="not the one that is pinned"):
        install_second_ear(places, other)
    with pytest.raises(ModelError, match="no such file"):
        install_second_ear(places, tmp_path / "gone")
    assert list(places.second_ear.parent.iterdir()) == []


def test_one_that_was_altered_is_named_and_left_out(
    state: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    places = Places(state / "data")
    places.second_ear.parent.mkdir(parents=True)
    places.second_ear.write_bytes(b"altered")
    ears = open_ears(Listening.ALL, Engine.EMBEDDED, places, settings.phrasebook)
    assert ears.second is None
    assert isinstance(ears.alarm, AlarmEar)
    assert "stop.tflite: 7 bytes" in caplog.text
    check = second_ear(settings)
    assert not check.ok
    assert "--second-ear" in check.remedy
    assert "7 bytes" in unknot("model", "verify").stdout
