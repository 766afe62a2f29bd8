"""An utterance that is only our voice dying away is known; a person's word is not taken for it."""

from collections.abc import Sequence

import numpy as np

from audio.cutter import END_BLOCKS, PRE_ROLL_BLOCKS
from audio.dying_away import LEARNED_BLOCKS, DyingAway
from audio.sound import BLOCK, Samples

SPOKEN_BLOCKS = 40


def block_at(level_db: float) -> Samples:
    """As loud as this, in dB full scale."""
    return np.full(BLOCK, round(10 ** (level_db / 20) * 32768), np.int16)


PLAYED = block_at(-20)
SILENT = np.zeros(BLOCK, np.int16)


def heard(after_db: Sequence[float], room: DyingAway | None = None) -> DyingAway:
    """Our voice at -20 dB for 0.8 s, then these loudnesses at the microphone, block by block."""
    room = room or DyingAway()
    for _ in range(SPOKEN_BLOCKS):
        room.hear(block_at(-20), PLAYED)
    for level_db in after_db:
        room.hear(block_at(level_db), SILENT)
    return room


def quiet(count: int = END_BLOCKS) -> list[float]:
    return [-70.0] * count


def falling(blocks: int, from_db: float = -22.0) -> list[float]:
    """A room that is quiet again after a while: a decibel and a half less with each block."""
    return [from_db - 1.5 * block for block in range(blocks)]


def test_what_only_grows_softer_after_our_voice_was_our_voice() -> None:
    tail = [*falling(15), *quiet()]
    assert heard(tail).explains(len(tail))
    assert heard(tail).explains(len(tail) + 10)


def test_a_word_that_begins_in_our_dying_voice_is_a_person() -> None:
    tail = [*falling(8), *[-28.0] * 10, *quiet()]
    assert not heard(tail).explains(len(tail))


def test_who_silenced_us_and_is_as_loud_as_we_were_is_a_person() -> None:
    tail = [-20.0, -20.0, -20.0, *falling(12, -20.5), *quiet()]
    assert not heard(tail).explains(len(tail))


def test_what_begins_long_after_our_voice_is_a_person() -> None:
    word = [*falling(10), *quiet()]
    room = heard([*quiet(PRE_ROLL_BLOCKS + 1), *word])
    assert not room.explains(len(word))


def test_what_ends_with_our_voice_was_our_voice() -> None:
    assert heard(quiet()).explains(END_BLOCKS + 20)


def test_silence_teaches_the_canceller_nothing() -> None:
    tail = [*falling(15), *quiet()]
    room = DyingAway()
    for _ in range(LEARNED_BLOCKS):
        room.hear(SILENT, SILENT)
    assert heard(tail, room).explains(len(tail))


def test_after_ten_seconds_of_our_voice_nothing_is_explained_so_until_the_room_is_new() -> None:
    tail = [*falling(15), *quiet()]
    room = DyingAway()
    for _ in range(LEARNED_BLOCKS):
        room.hear(PLAYED, PLAYED)
    assert not heard(tail, room).explains(len(tail))
    room.reset()
    assert heard(tail, room).explains(len(tail))


def test_an_engine_that_does_not_tell_when_an_utterance_began_is_never_doubted() -> None:
    assert not heard([*falling(15), *quiet()]).explains(0)
