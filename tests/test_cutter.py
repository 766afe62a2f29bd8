"""Utterances are cut out whole, and nothing else is."""

import numpy as np
import pytest

from audio.cutter import END_BLOCKS, LONGEST_SECONDS, PRE_ROLL_BLOCKS, Cutter
from audio.sound import BLOCK, RATE, Samples, blocks, to_int16


def quiet(seconds: float) -> Samples:
    noise = np.random.default_rng(2).standard_normal(round(seconds * RATE))
    return to_int16((noise * 3e-4).astype(np.float32))


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
