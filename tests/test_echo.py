"""Our own voice is taken out of the microphone, and a person's is noticed."""

import numpy as np
import pytest
from echoes import CLIPS, SILENCE, echoed, in_a_large_room, room_noise, voice

from audio.echo import EchoCanceller, Played, Talk
from audio.remainder import Remainder
from audio.room_filter import RoomFilter
from audio.sound import BLOCK, RATE, Samples, blocks, level_db, read, to_int16


def cleaned(canceller: EchoCanceller, mic: Samples, played: Samples) -> Samples:
    pairs = zip(blocks(mic), blocks(played), strict=True)
    return np.concatenate([canceller.clean(m, p).sound for m, p in pairs])


def test_after_three_seconds_our_own_voice_is_a_hundred_times_softer() -> None:
    played = voice(6.0)
    mic = echoed(played)
    rest = cleaned(EchoCanceller(), mic, played)
    late = slice(3 * RATE, None)
    assert level_db(rest[late]) < level_db(mic[late]) - 20.0


def test_a_person_is_left_alone() -> None:
    mic = np.concatenate([to_int16(room_noise(2.0)), read(CLIPS / "person1_stop.flac")])
    rest = cleaned(EchoCanceller(), mic, np.zeros_like(mic))
    word = slice(2 * RATE, None)
    assert level_db(rest[word]) == pytest.approx(level_db(mic[word]), abs=3.0)


def test_the_canceller_is_settled_after_a_second_of_sound_and_not_of_silence() -> None:
    canceller = EchoCanceller()
    cleaned(canceller, np.zeros(2 * RATE, np.int16), np.zeros(2 * RATE, np.int16))
    assert not canceller.settled
    loud = np.full(RATE, 1000, np.int16)
    cleaned(canceller, loud, loud)
    assert canceller.settled
    canceller.reset()
    assert not canceller.settled


def test_what_sounds_as_soon_as_it_is_played_is_taken_out() -> None:
    """A loudspeaker beside the microphone: a reference any later than the sound is of no use."""
    played = voice(6.0)
    mic = to_int16(played / 32768.0 * 0.3 + room_noise(6.0))
    rest = cleaned(EchoCanceller(), mic, played)
    late = slice(3 * RATE, None)
    assert level_db(rest[late]) < level_db(mic[late]) - 30.0


def test_a_large_rooms_reverberation_is_taken_out_too() -> None:
    """What AEC3 alone leaves of it, ears hear words in."""
    played = voice(12.0)
    mic = in_a_large_room(played)
    rest = cleaned(EchoCanceller(), mic, played)
    late = slice(8 * RATE, None)
    assert level_db(rest[late]) < level_db(mic[late]) - 35.0


def test_in_a_large_room_nothing_of_our_first_words_is_taken_for_a_person() -> None:
    played = voice(3.0)
    mic = in_a_large_room(played)
    rest = cleaned(EchoCanceller(), mic, played)
    first = slice(RATE // 5, 2 * RATE)
    assert level_db(rest[first]) < level_db(mic[first]) - 40.0


def test_a_person_over_our_voice_is_neither_learned_nor_softened() -> None:
    word = read(CLIPS / "person1_stop.flac")
    played = voice(6.0)
    mic = echoed(played).astype(np.float64)
    at = 4 * RATE
    mic[at : at + len(word)] += word
    rest = cleaned(EchoCanceller(), to_int16(mic / 32768), played)
    loud = np.flatnonzero(np.abs(word) > 3000)
    spoken = slice(at + loud[0], at + loud[-1])
    assert level_db(rest[spoken]) > level_db(word[loud[0] : loud[-1]]) - 6.0


def test_a_word_over_our_voice_keeps_its_sound_once_the_room_is_known() -> None:
    """Our voice as loud as the person: AEC3 alone takes much of the word with it."""
    word = read(CLIPS / "person1_stop.flac")
    played = voice(10.0)
    echo = in_a_large_room(played).astype(np.float64)
    at = 8 * RATE
    loud = np.flatnonzero(np.abs(word) > 1500)
    spoken = slice(at + loud[0], at + loud[-1])
    echo *= 10 ** ((level_db(word[loud[0] : loud[-1]]) - level_db(to_int16(echo / 32768))) / 20)
    with_word = echo.copy()
    with_word[at : at + len(word)] += word
    heard = cleaned(EchoCanceller(), to_int16(with_word / 32768), played)
    alone = np.zeros(len(played))
    alone[at : at + len(word)] = word
    expected = cleaned(EchoCanceller(), to_int16(alone / 32768), np.zeros_like(played))
    assert likeness(heard[spoken], expected[spoken.start - BLOCK : spoken.stop + BLOCK]) > 0.9


def likeness(one: Samples, other: Samples) -> float:
    """Of a sound and the part of the other, which is 20 ms longer at both ends, that is most like
    it; from -1 to 1. The two ways through the canceller are not equally late."""
    parts = [other[at : at + len(one)].astype(float) for at in range(2 * BLOCK)]
    return max(float(np.corrcoef(one.astype(float), part)[0, 1]) for part in parts)


def test_while_nothing_is_played_the_filter_and_the_gate_do_nothing() -> None:
    room, remainder = RoomFilter(), Remainder()
    soft = to_int16(room_noise(0.02, level=1e-4))
    assert room.subtract(soft, SILENCE) is soft
    assert room.guess is None
    assert remainder.soften(soft, soft, soft, SILENCE) is soft


def test_a_loudspeaker_that_is_moved_is_soon_taken_out_again() -> None:
    played = voice(12.0)
    mic = np.concatenate([echoed(played)[: 8 * RATE], in_a_large_room(played)[8 * RATE :]])
    rest = cleaned(EchoCanceller(), mic, played)
    late = slice(10 * RATE, None)
    assert level_db(rest[late]) < level_db(mic[late]) - 40.0


def test_words_and_other_sounds_are_cleaned_alike_once_our_voice_is_long_over() -> None:
    played = np.concatenate([voice(2.0), np.zeros(2 * RATE, np.int16)])
    person = np.concatenate([np.zeros(3 * RATE, np.int16), voice(1.0)])
    canceller = EchoCanceller()
    pairs = zip(blocks(echoed(played) + person), blocks(played), strict=True)
    late = [canceller.clean(m, p) for m, p in pairs][-20:]
    assert all(np.array_equal(block.sound, block.words) for block in late)


@pytest.mark.parametrize("millionths", [20, 50, 100])
def test_a_loudspeaker_whose_clock_drifts_is_taken_out_though_the_filter_cannot_follow(
    millionths: int,
) -> None:
    """Loudspeaker and microphone are often two devices, each with a clock of its own."""
    played = voice(16.0)
    places = np.arange(len(played)) * (1 + millionths * 1e-6)
    drifting = np.interp(places, np.arange(len(played)), echoed(played).astype(float))
    mic = to_int16(drifting / 32768)
    rest = cleaned(EchoCanceller(), mic, played)
    late = slice(10 * RATE, None)
    assert level_db(rest[late]) < level_db(mic[late]) - 30.0


def begins(talk: Talk, sound: Samples) -> list[int]:
    """The blocks at which talking begins."""
    return [number for number, block in enumerate(blocks(sound)) if talk.hear(block)]


def test_a_word_is_noticed_within_a_fifth_of_a_second_of_its_start() -> None:
    word = read(CLIPS / "person1_stop.flac")
    onset = int(np.argmax(np.abs(word) > 1500))
    sound = np.concatenate([to_int16(room_noise(1.0)), word])
    assert begins(Talk(), sound)[0] * BLOCK - RATE - onset < 0.2 * RATE


def test_a_person_who_talks_from_the_first_block_on_is_noticed() -> None:
    word = read(CLIPS / "person1_stop.flac")
    onset = int(np.argmax(np.abs(word) > 1500))
    assert begins(Talk(), word[onset:])


def test_noise_that_stays_is_not_taken_for_talk_for_ever() -> None:
    talk = Talk()
    begins(talk, to_int16(room_noise(12.0, level=0.03)))
    assert begins(talk, to_int16(room_noise(10.0, level=0.03))) == []
    assert not talk.talking


def test_two_loud_blocks_are_a_click_and_three_are_talk() -> None:
    loud = np.full(BLOCK, 5000, np.int16)
    talk = Talk()
    assert not any(talk.hear(block) for block in (SILENCE, loud, loud, SILENCE))
    assert [talk.hear(loud) for _ in range(3)] == [False, False, True]


def test_talking_begins_once_and_ends_after_a_silence() -> None:
    talk = Talk()
    loud = np.full(BLOCK, 5000, np.int16)
    assert sum(talk.hear(loud) for _ in range(10)) == 1
    for _ in range(14):
        talk.hear(SILENCE)
    assert talk.talking
    talk.hear(SILENCE)
    assert not talk.talking
    assert sum(talk.hear(loud) for _ in range(10)) == 1


def test_played_blocks_come_back_in_order_and_silence_after_them() -> None:
    played = Played()
    for value in (1, 2):
        played.push(np.full(BLOCK, value, np.int16))
    assert [int(played.pop()[0]) for _ in range(3)] == [1, 2, 0]


def test_a_reference_that_nobody_takes_does_not_fall_behind() -> None:
    played = Played()
    for value in range(10):
        played.push(np.full(BLOCK, value, np.int16))
    assert int(played.pop()[0]) == 6
    played.clear()
    assert not played.pop().any()
