"""The practice ear answers the question that was asked, and says nothing to other sound."""

from pathlib import Path

import numpy as np
import pytest

from assistant.settings import Settings
from audio.cutter import END_BLOCKS, LONGEST_SECONDS, PRE_ROLL_BLOCKS, Cutter
from audio.echo import EchoCanceller
from audio.sound import BLOCK, RATE, Samples, blocks, read, to_int16
from audio.sphinx import SphinxRecogniser
from intents.intent import Intent
from intents.phrasebook import Phrasebook

CLIPS = Path(__file__).parent / "clips"
YES_OR_NO = frozenset({Intent.YES, Intent.NO, Intent.UNSURE})
PEOPLE = ("person1", "person2", "person3")


@pytest.fixture(scope="module")
def book(settings: Settings) -> Phrasebook:
    return settings.phrasebook


@pytest.fixture(scope="module")
def ear(book: Phrasebook) -> SphinxRecogniser:
    return SphinxRecogniser(book)


def quiet(seconds: float) -> Samples:
    noise = np.random.default_rng(2).standard_normal(round(seconds * RATE))
    return to_int16((noise * 3e-4).astype(np.float32))


def said(name: str) -> Samples:
    """A recording with a little of a quiet room around it."""
    return np.concatenate([quiet(0.5), read(CLIPS / f"{name}.flac"), quiet(0.6)])


def texts(ear: SphinxRecogniser, sound: Samples) -> list[str]:
    """What is read in a recording, cleaned as in a session."""
    ear.reset()
    canceller = EchoCanceller()
    cleaned = [canceller.clean(block, np.zeros(BLOCK, np.int16)).words for block in blocks(sound)]
    return [reading.text for block in cleaned for reading in ear.hear(block)]


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("word", ["yes", "no"])
def test_people_are_heard_saying_yes_and_no_when_asked(
    ear: SphinxRecogniser, book: Phrasebook, person: str, word: str
) -> None:
    ear.expect(YES_OR_NO)
    meanings = [book.match(text) for text in texts(ear, said(f"{person}_{word}"))]
    assert Intent(word) in [meaning.intent for meaning in meanings if meaning]


@pytest.mark.parametrize("person", PEOPLE)
def test_a_number_is_heard_when_a_number_is_asked_for(ear: SphinxRecogniser, person: str) -> None:
    ear.expect(frozenset({Intent.NUMBER}))
    assert "six" in texts(ear, said(f"{person}_six"))


def test_a_word_that_was_not_asked_for_is_not_answered(
    ear: SphinxRecogniser, book: Phrasebook
) -> None:
    ear.expect(YES_OR_NO)
    meanings = [book.match(text) for text in texts(ear, said("person2_six"))]
    assert Intent.NUMBER not in [meaning.intent for meaning in meanings if meaning]


def test_stop_is_listened_for_whatever_was_asked(ear: SphinxRecogniser, book: Phrasebook) -> None:
    ear.expect(frozenset({Intent.NUMBER}))
    heard = [text for p in PEOPLE for text in texts(ear, said(f"{p}_stop"))]
    assert any(book.safety(text) for text in heard)


def test_silence_is_no_word_and_music_no_safety_word(
    ear: SphinxRecogniser, book: Phrasebook
) -> None:
    ear.expect(YES_OR_NO)
    assert texts(ear, quiet(3.0)) == []
    heard = texts(ear, read(CLIPS / "piano_music.flac"))
    assert [text for text in heard if book.safety(text)] == []


def test_every_reading_is_a_phrase_of_the_book_and_final(
    ear: SphinxRecogniser, book: Phrasebook
) -> None:
    ear.expect(frozenset())
    ear.reset()
    sound = np.concatenate([said(f"{p}_{w}") for p in PEOPLE for w in ("yes", "no", "six")])
    readings = [reading for block in blocks(sound) for reading in ear.hear(block)]
    assert readings
    assert all(reading.final and reading.text in book.phrases() for reading in readings)


def test_a_reset_forgets_half_a_word(ear: SphinxRecogniser) -> None:
    ear.expect(YES_OR_NO)
    word = said("person1_yes")
    ear.reset()
    for block in blocks(word[: len(word) // 2]):
        ear.hear(block)
    ear.reset()
    assert [ear.hear(block) for block in blocks(quiet(1.0))] == [[]] * 50


def cut(sound: Samples) -> list[Samples]:
    cutter = Cutter()
    return [u for block in blocks(sound) if (u := cutter.hear(block)) is not None]


def test_an_utterance_is_cut_out_with_the_sound_before_it() -> None:
    loud = to_int16(np.full(RATE // 2, 0.2, np.float32))
    whole = np.concatenate([quiet(1.0), loud, quiet(1.0)])
    (utterance,) = cut(whole)
    onset = int(np.argmax(np.abs(utterance) > 3000))
    assert onset == PRE_ROLL_BLOCKS * BLOCK
    assert np.count_nonzero(np.abs(utterance) > 3000) == len(loud)


def test_a_click_is_no_utterance() -> None:
    click = to_int16(np.full(2 * BLOCK, 0.5, np.float32))
    assert cut(np.concatenate([quiet(1.0), click, quiet(1.0)])) == []


def test_a_short_gap_does_not_part_a_phrase_and_a_long_one_does() -> None:
    loud = to_int16(np.full(RATE // 4, 0.2, np.float32))
    assert len(cut(np.concatenate([quiet(1.0), loud, quiet(0.2), loud, quiet(1.0)]))) == 1
    assert len(cut(np.concatenate([quiet(1.0), loud, quiet(0.6), loud, quiet(1.0)]))) == 2


def test_a_word_over_music_is_cut_out_when_it_is_over() -> None:
    rng = np.random.default_rng(4)
    music = (rng.standard_normal(3 * RATE) * 0.01).astype(np.float32)
    word = (rng.standard_normal(RATE // 2) * 0.1).astype(np.float32)
    song = to_int16(np.concatenate([music[:RATE], word, music]))
    cutter = Cutter()
    ends = [
        number * BLOCK / RATE
        for number, block in enumerate(blocks(np.concatenate([quiet(1.0), song])))
        if cutter.hear(block) is not None
    ]
    assert ends[0] == pytest.approx(2.5 + END_BLOCKS * BLOCK / RATE, abs=0.1)


def test_talk_that_does_not_end_is_cut_into_pieces() -> None:
    rng = np.random.default_rng(3)
    talk = to_int16((rng.standard_normal(12 * RATE) * 0.1).astype(np.float32))
    pieces = cut(np.concatenate([quiet(1.0), talk]))
    assert pieces
    assert all(len(piece) <= LONGEST_SECONDS * RATE + BLOCK for piece in pieces)
