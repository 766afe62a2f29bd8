"""The embedded word ear: people's answers are heard, and nothing that makes no sense now."""

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.settings import Settings
from audio.echo import EchoCanceller
from audio.embedding import Floats
from audio.network import WeightsError
from audio.sound import BLOCK, RATE, Samples, blocks, read, to_int16
from audio.spelling import Spelling
from audio.transcriber import LEAST, Transcriber
from audio.words_ear import MADE_UP, EmbeddedRecogniser
from audio.words_network import OTHER, WEIGHTS_SHA256, WordsNetwork, load
from intents.intent import Intent
from intents.phrasebook import Phrasebook
from intents.plain import written
from training.words_list import CLASSES, DECOYS

CLIPS = Path(__file__).parent / "clips"
AFTER_ANY_QUESTION = frozenset({Intent.HELP, Intent.REPEAT})
YES_OR_NO = frozenset({Intent.YES, Intent.NO, Intent.UNSURE}) | AFTER_ANY_QUESTION
NUMBER = frozenset({Intent.NUMBER}) | AFTER_ANY_QUESTION
ANSWERS = [f"person{number}_{word}" for number in (1, 2, 3) for word in ("yes", "no")]
NUMBERS = [
    *("person1_one", "person1_three", "person1_six", "person2_four", "person2_six"),
    *("person3_four", "person3_six"),
]


@pytest.fixture(scope="module")
def network() -> WordsNetwork:
    return WordsNetwork(load(None))


@pytest.fixture(scope="module")
def ear(settings: Settings, network: WordsNetwork) -> EmbeddedRecogniser:
    return EmbeddedRecogniser(settings.phrasebook, network)


def texts(ear: EmbeddedRecogniser, sound: Samples) -> list[str]:
    """What is read in a recording in a quiet room, cleaned as in a session."""
    ear.reset()
    canceller, silence = EchoCanceller(), np.zeros(BLOCK, np.int16)
    noise = np.random.default_rng(2).standard_normal(round(0.6 * RATE)).astype(np.float32)
    quiet = to_int16(noise * np.float32(3e-4))
    whole = np.concatenate([quiet, sound, quiet])
    cleaned = [canceller.clean(block, silence).words for block in blocks(whole)]
    return [reading.text for block in cleaned for reading in ear.hear(block)]


def answers(ear: EmbeddedRecogniser, book: Phrasebook, name: str) -> list[str]:
    """What is read but for safety words, which only vote."""
    return [text for text in texts(ear, said(name)) if book.safety(text) is None]


def said(name: str) -> Samples:
    return read(CLIPS / f"{name}.flac")


@pytest.mark.parametrize(
    ("asked", "name"),
    [*((YES_OR_NO, name) for name in ANSWERS), *((NUMBER, name) for name in NUMBERS)],
    ids=[*ANSWERS, *NUMBERS],
)
def test_people_are_heard_saying_yes_no_or_a_number_when_asked_for_it(
    ear: EmbeddedRecogniser, settings: Settings, asked: frozenset[Intent], name: str
) -> None:
    ear.expect(asked)
    assert answers(ear, settings.phrasebook, name) == [name.split("_")[1]]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_word_that_was_not_asked_for_is_not_answered(
    ear: EmbeddedRecogniser, settings: Settings, name: str
) -> None:
    ear.expect(YES_OR_NO)
    meanings = [settings.phrasebook.match(text) for text in texts(ear, said(name))]
    assert Intent.NUMBER not in [meaning.intent for meaning in meanings if meaning]


@pytest.mark.parametrize("asked", [YES_OR_NO, NUMBER])
def test_stop_is_listened_for_whatever_was_asked(
    ear: EmbeddedRecogniser, settings: Settings, asked: frozenset[Intent]
) -> None:
    ear.expect(asked)
    heard = [text for p in (1, 2, 3) for text in texts(ear, said(f"person{p}_stop"))]
    assert any(settings.phrasebook.safety(text) for text in heard)


def test_silence_and_music_are_no_answer(ear: EmbeddedRecogniser, settings: Settings) -> None:
    ear.expect(YES_OR_NO)
    assert texts(ear, np.zeros(3 * RATE, np.int16)) == []
    assert answers(ear, settings.phrasebook, "piano_music") == []


class Writes:
    """A transcriber that writes the same whatever it hears."""

    def __init__(self, text: str, likely: float = -0.5) -> None:
        self.tokens = Transcriber().tokens
        self.text, self.likely = text, likely

    def listen(self, sound: Samples) -> "Writes":
        return self

    def chances(self, spelling: Spelling) -> Floats:
        return np.full(spelling.count, LEAST, np.float32)


def read_as(
    settings: Settings, network: WordsNetwork, asked: frozenset[Intent], writer: Writes
) -> list[str]:
    """What is read where the transcriber writes this; the sound is a bark, none of the words."""
    ear = EmbeddedRecogniser(settings.phrasebook, network, writer)
    ear.expect(asked)
    return texts(ear, said("dog_bark"))


@pytest.mark.parametrize("asked", [frozenset[Intent](), YES_OR_NO, NUMBER])
@pytest.mark.parametrize("phrase", ["I can't breathe.", "It's too hot!", "My face is numb"])
def test_a_safety_phrase_is_read_whatever_was_asked(
    settings: Settings, network: WordsNetwork, asked: frozenset[Intent], phrase: str
) -> None:
    assert written(phrase) in read_as(settings, network, asked, Writes(phrase))


class ComesNear(Writes):
    """Writes what means nothing, but comes near to one phrase."""

    def __init__(self, phrase: str) -> None:
        super().__init__("I can't dream.")
        self._near = self.tokens.spell(phrase)

    def chances(self, spelling: Spelling) -> Floats:
        found = super().chances(spelling)
        if (number := spelling.leads_to.get(self._near)) is not None:
            found[number] = -4.4
        return found


@pytest.mark.parametrize("asked", [frozenset[Intent](), YES_OR_NO, NUMBER])
def test_a_safety_phrase_that_is_near_to_what_was_written_is_read_whatever_was_asked(
    settings: Settings, network: WordsNetwork, asked: frozenset[Intent]
) -> None:
    near = ComesNear("I can't breathe")
    assert "i can't breathe" in read_as(settings, network, asked, near)


def test_a_sound_too_short_for_several_words_comes_near_to_none(
    settings: Settings, network: WordsNetwork
) -> None:
    ear = EmbeddedRecogniser(settings.phrasebook, network, ComesNear("I can't breathe"))
    beat = np.zeros(2 * RATE, np.int16)
    beat[RATE // 2 : RATE // 2 + RATE // 5] = said("dog_bark")[RATE : RATE + RATE // 5]
    assert texts(ear, beat) == []


@pytest.mark.parametrize("phrase", ["how long is left", "Why does it help?", "Skip this side."])
def test_a_phrase_and_a_question_are_read(
    settings: Settings, network: WordsNetwork, phrase: str
) -> None:
    assert written(phrase) in read_as(settings, network, frozenset(), Writes(phrase))


def test_a_word_is_read_however_its_sound_is_spelt(
    settings: Settings, network: WordsNetwork
) -> None:
    assert "knot" in read_as(settings, network, frozenset(), Writes("Not."))


@pytest.mark.parametrize("talk", ["You", "Thousie.", "The weather was fine on Sunday."])
def test_what_means_nothing_is_not_read(
    settings: Settings, network: WordsNetwork, talk: str
) -> None:
    assert read_as(settings, network, frozenset(), Writes(talk)) == []


def test_what_is_written_of_mere_noise_is_not_read(
    settings: Settings, network: WordsNetwork
) -> None:
    unlikely = Writes("I can't breathe.", likely=MADE_UP - 0.1)
    assert read_as(settings, network, frozenset(), unlikely) == []


def test_a_reset_forgets_half_a_word(ear: EmbeddedRecogniser) -> None:
    ear.expect(YES_OR_NO)
    word = said("person1_yes")
    ear.reset()
    for block in blocks(word[: len(word) // 2]):
        ear.hear(block)
    ear.reset()
    assert [ear.hear(np.zeros(BLOCK, np.int16)) for _ in range(50)] == [[]] * 50


def test_it_may_not_arm_a_massager(ear: EmbeddedRecogniser) -> None:
    assert ear.practice


def test_every_word_it_knows_means_something(network: WordsNetwork, settings: Settings) -> None:
    assert network.words == CLASSES
    known = set(network.words) - {OTHER} - DECOYS
    assert [word for word in known if settings.phrasebook.match(word) is None] == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["zeros", "noise", "loud", "clipped", "steady"]), st.booleans()),
        max_size=6,
    ),
    st.sets(st.sampled_from(list(Intent))),
)
def test_no_sound_and_no_question_breaks_it(
    ear: EmbeddedRecogniser, parts: list[tuple[str, bool]], asked: set[Intent]
) -> None:
    rng = np.random.default_rng(1)
    kinds = {
        "zeros": np.zeros(BLOCK, np.int16),
        "noise": rng.integers(-300, 300, BLOCK).astype(np.int16),
        "loud": rng.integers(-20_000, 20_000, BLOCK).astype(np.int16),
        "clipped": np.where(rng.random(BLOCK) < 0.5, -32_768, 32_767).astype(np.int16),
        "steady": np.full(BLOCK, 32_767, np.int16),
    }
    ear.expect(frozenset(asked))
    for kind, anew in parts:
        if anew:
            ear.reset()
        for _ in range(25):
            for reading in ear.hear(kinds[kind]):
                assert reading.final
                assert reading.text


@given(st.integers(0, 6 * RATE), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_an_utterance_of_any_length_gives_chances(
    network: WordsNetwork, length: int, seed: int
) -> None:
    sound = np.random.default_rng(seed).integers(-32_768, 32_767, length).astype(np.int16)
    chances = np.exp(network(sound))
    assert chances.shape == (len(CLASSES),)
    assert np.isfinite(chances).all()
    assert (chances >= 0).all()
    assert (chances <= 1).all()


def test_the_weights_are_those_of_the_model_card() -> None:
    weights = files("audio").joinpath("weights")
    digest = hashlib.sha256(weights.joinpath("words.npz").read_bytes()).hexdigest()
    assert digest == WEIGHTS_SHA256
    assert digest in weights.joinpath("MODEL_CARD.md").read_text("utf-8")


def test_weights_that_are_missing_or_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.npz"):
        load(tmp_path / "gone.npz")
    (tmp_path / "letter.npz").write_text("Dear Sir")
    with pytest.raises(WeightsError, match="no weights file"):
        load(tmp_path / "letter.npz")
    with pytest.raises(WeightsError, match="lack"):
        WordsNetwork({"words": np.array(CLASSES)})
