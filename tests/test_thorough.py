"""The thorough canceller rests while nothing is played, and nobody hears that it does."""

import numpy as np
from echoes import CLIPS, SILENCE, echoed, room_noise, voice

from audio.aec3 import NOTHING_PLAYED, Aec3
from audio.echo import EchoCanceller
from audio.room_filter import RoomFilter
from audio.sound import RATE, Samples, blocks, level_db, read, to_int16
from audio.thorough import Thorough

A_THOUSANDTH = 33
"""Of full scale, in 16-bit samples."""


def a_session() -> tuple[Samples, Samples]:
    """Our voice, fourteen seconds in which people say words, our voice again: what the microphone
    hears in a noisy room, and what is played."""
    words = [read(clip) for clip in sorted(CLIPS.glob("person*"))]
    between = np.concatenate(words)[: 14 * RATE].astype(np.float64)
    ours = voice(4.0)
    played = np.concatenate([ours, np.zeros(len(between), np.int16), ours])
    mic = echoed(played).astype(np.float64)
    mic[len(ours) : len(ours) + len(between)] += between
    return to_int16(mic / 32768.0 + room_noise(len(mic) / RATE)[: len(mic)]), played


def both(mic: Samples, played: Samples) -> tuple[Samples, Samples, list[bool]]:
    """By a canceller that rests, by one that never does, and when the first one rested."""
    room, quick, restless, thorough = RoomFilter(), Aec3(), Aec3(), Thorough()
    some, other, rested = [], [], []
    for heard, ours in zip(blocks(mic), blocks(played), strict=True):
        rest = room.subtract(heard, ours)
        some.append(thorough.clean(rest, ours, quick.clean(heard, ours)))
        other.append(restless.clean(rest, ours))
        rested.append(thorough.rests)
    return np.concatenate(some), np.concatenate(other), rested


def test_ten_seconds_after_our_voice_it_rests_and_with_our_voice_it_works_again() -> None:
    mic, played = a_session()
    rested = both(mic, played)[2]
    working = [not at_rest for at_rest in rested]
    first, last = working.index(True), len(working) - working[::-1].index(True)
    rests = [n for n in range(first, last) if rested[n]]
    assert rests[0] == rests[-1] - len(rests) + 1
    assert 13.9 < rests[0] * 0.02 < 14.1
    assert 17.9 < rests[-1] * 0.02 < 18.1


def test_nobody_hears_that_it_rests_in_the_middle_of_peoples_words() -> None:
    mic, played = a_session()
    some, other, _ = both(mic, played)
    resting = slice(14 * RATE - RATE // 2, 18 * RATE)
    difference = np.abs(some[resting].astype(int) - other[resting])
    assert difference.max() < A_THOUSANDTH


def test_after_a_rest_it_leaves_as_little_of_our_voice_as_one_that_never_rests() -> None:
    mic, played = a_session()
    some, other, _ = both(mic, played)
    again = slice(18 * RATE + RATE // 5, None)
    assert level_db(some[again]) < level_db(other[again]) + 1.0


def test_until_our_voice_sounds_for_the_first_time_all_cancellers_say_the_same() -> None:
    """So scenes to train on in which nothing is played need one of them (training/scenes.py)."""
    mic = to_int16(read(CLIPS / "person1_stop.flac") / 32768.0)
    canceller, alone = EchoCanceller(), Aec3()
    for block in blocks(mic):
        sound = canceller.clean(block, SILENCE).sound
        assert np.array_equal(sound, alone.clean(block, NOTHING_PLAYED))
