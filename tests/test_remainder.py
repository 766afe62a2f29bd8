"""The gate behind the canceller is shut to what is left of our voice and open to a person."""

import numpy as np
from echoes import SILENCE

from audio.remainder import HANG_BLOCKS, LINGER_BLOCKS, Remainder
from audio.sound import BLOCK


def test_what_is_left_of_our_voice_is_softened_and_a_person_opens_the_gate_at_once() -> None:
    remainder = Remainder()
    loud, soft = np.full(BLOCK, 3000, np.int16), np.full(BLOCK, 30, np.int16)
    for _ in range(2 * HANG_BLOCKS):
        rest = remainder.soften(loud, soft, soft, loud)
    assert int(np.abs(rest).max()) <= 1
    assert int(remainder.soften(loud, loud, loud, loud)[-1]) == 3000


def test_behind_the_shut_gate_a_remainder_is_softer_than_any_ear_needs() -> None:
    remainder, loud = Remainder(), np.full(BLOCK, 30000, np.int16)
    half = np.full(BLOCK, 3000, np.int16)
    for _ in range(2 * HANG_BLOCKS):
        rest = remainder.soften(loud, half, half, loud)
    assert 0 < int(np.abs(rest).max()) < 10


def test_the_gate_is_shut_from_our_first_block_on_after_a_quiet_time() -> None:
    remainder = Remainder()
    loud, soft = np.full(BLOCK, 3000, np.int16), np.full(BLOCK, 30, np.int16)
    for _ in range(2 * LINGER_BLOCKS):
        remainder.soften(soft, soft, soft, SILENCE)
    remainder.soften(loud, soft, soft, loud)
    assert int(np.abs(remainder.soften(loud, soft, soft, loud)).max()) <= 1


def test_the_soft_end_of_a_persons_word_is_heard_though_our_voice_begins() -> None:
    remainder = Remainder()
    loud, soft = np.full(BLOCK, 3000, np.int16), np.full(BLOCK, 30, np.int16)
    remainder.soften(loud, loud, loud, SILENCE)
    for _ in range(10):
        remainder.soften(soft, soft, soft, SILENCE)
    for _ in range(HANG_BLOCKS - 11):
        assert int(remainder.soften(loud, soft, soft, loud)[-1]) == 30


def test_the_end_of_a_long_rooms_echo_does_not_open_the_gate() -> None:
    """Our voice has just fallen silent: what is left is much of the little that still sounds."""
    remainder = Remainder()
    loud, soft, softer = (np.full(BLOCK, level, np.int16) for level in (9000, 300, 100))
    for _ in range(50):
        remainder.soften(loud, softer, softer, loud)
    for _ in range(22):
        rest = remainder.soften(soft, softer, softer, SILENCE)
    assert int(np.abs(rest).max()) <= 1
