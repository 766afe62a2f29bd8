"""The transcriber writes down people's words, weighs phrases, and refuses any other model."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.sound import RATE, read
from audio.spelling import Spelling, Tokens
from audio.transcriber import LEAST, SHA256, TOKENS, Transcriber, TranscriberError
from intents.plain import written

CLIPS = Path(__file__).parent / "clips"
WORDS = ("stop", "yes", "no", "six", "start neck massage")


@pytest.fixture(scope="module")
def writer() -> Transcriber:
    return Transcriber()


@pytest.fixture(scope="module")
def folder() -> Path:
    package = find_spec("moonshine_voice")
    assert package is not None
    (place,) = package.submodule_search_locations or ()
    return Path(place) / "assets" / "tiny-en"


@pytest.fixture(scope="module")
def words(writer: Transcriber) -> Spelling:
    return Spelling(writer.tokens, [{word, word.capitalize()} for word in WORDS])


@pytest.mark.parametrize("word", ["stop", "yes", "no", "six"])
@pytest.mark.parametrize("person", ["person1", "person2", "person3"])
def test_people_are_written_down(
    writer: Transcriber, words: Spelling, person: str, word: str
) -> None:
    page = writer.listen(read(CLIPS / f"{person}_{word}.flac"))
    assert written(page.text) == word
    chances = page.chances(words)
    assert WORDS[int(chances.argmax())] == word
    assert chances.max() == pytest.approx(0.0, abs=1.0)


def test_a_phrase_is_weighed_as_a_whole(writer: Transcriber, words: Spelling) -> None:
    chances = writer.listen(read(CLIPS / "synthetic2_start.flac")).chances(words)
    assert WORDS[int(chances.argmax())] == "start neck massage"


def test_what_begins_with_a_word_and_goes_on_is_not_that_word(writer: Transcriber) -> None:
    begins = Spelling(writer.tokens, [{"Start", "start"}, {"Start neck massage"}])
    chances = writer.listen(read(CLIPS / "synthetic2_start.flac")).chances(begins)
    assert chances[0] < chances[1] - 3


def test_loudness_changes_nothing(writer: Transcriber, words: Spelling) -> None:
    sound = read(CLIPS / "person1_stop.flac")
    soft = np.rint(sound / 16).astype(np.int16)
    assert written(writer.listen(soft).text) == "stop"


def test_the_same_sound_gives_the_same_chances(writer: Transcriber, words: Spelling) -> None:
    sound = read(CLIPS / "person2_no.flac")
    first, again = (writer.listen(sound).chances(words) for _ in range(2))
    assert np.array_equal(first, again)


@given(st.integers(0, 5 * RATE), st.sampled_from(["zeros", "noise", "clipped", "steady"]))
@settings(max_examples=12, deadline=None)
def test_no_sound_breaks_it(writer: Transcriber, words: Spelling, length: int, kind: str) -> None:
    rng = np.random.default_rng(length)
    sound = {
        "zeros": np.zeros(length),
        "noise": rng.integers(-300, 300, length),
        "clipped": np.where(rng.random(length) < 0.5, -32_768, 32_767),
        "steady": np.full(length, 32_767),
    }[kind].astype(np.int16)
    page = writer.listen(sound)
    chances = page.chances(words)
    assert np.isfinite(chances).all()
    assert (chances >= LEAST).all()
    assert (chances <= 0.01).all()
    assert page.likely <= 0
    assert len(page.text) < 400


def test_a_word_has_the_one_spelling_that_the_model_learned(folder: Path) -> None:
    tokens = Tokens((folder / TOKENS).read_bytes())
    for text in ("Stop", "tingling", "How long is left", "I don't know", "7", "Mäuschen ✓ 按"):
        assert tokens.text(tokens.spell(text)) == text
    assert len(tokens.spell("Stop")) == 1
    assert len(tokens.spell("How long is left")) == 4


def test_phrases_that_share_their_beginning_are_one_way_until_they_part(folder: Path) -> None:
    tokens = Tokens((folder / TOKENS).read_bytes())
    spelt = Spelling(tokens, [["go on"], ["go back"]])
    assert len(spelt.onward[()]) == 1
    assert len(spelt.onward[tokens.spell("go")]) == 2


@pytest.mark.parametrize("name", SHA256)
def test_a_file_that_is_altered_or_missing_is_refused(
    tmp_path: Path, folder: Path, name: str
) -> None:
    copy = shutil.copytree(folder, tmp_path / "tiny-en")
    with (copy / name).open("r+b") as file:
        file.write(b"something else")
    with pytest.raises(TranscriberError, match=f"{name} was altered"):
        Transcriber(copy)
    (copy / name).unlink()
    with pytest.raises(TranscriberError, match=f"{name}: No such file"):
        Transcriber(copy)
