"""Our own voice is taken out of the microphone, and a person's is noticed."""

from pathlib import Path

import numpy as np
import pytest

from audio.echo import EchoCanceller, Played, Talk
from audio.remainder import HANG_BLOCKS, LINGER_BLOCKS, Remainder
from audio.room_filter import RoomFilter
from audio.sound import BLOCK, RATE, Samples, blocks, level_db, read, to_int16

CLIPS = Path(__file__).parent / "clips"
SILENCE = np.zeros(BLOCK, np.int16)
DELAY = round(0.06 * RATE)


def room_noise(seconds: float, level: float = 1e-3) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(round(seconds * RATE)) * level


def voice(seconds: float) -> Samples:
    """Words one after the other, as a loudspeaker would say them."""
    words = [read(CLIPS / f"person3_{word}.flac") for word in ("yes", "no", "six", "four")]
    joined = np.concatenate(words)
    times = round(seconds * RATE) // len(joined) + 1
    return np.tile(joined, times)[: round(seconds * RATE)]


def echoed(played: Samples) -> Samples:
    """What the microphone hears of it: later, softer, in a small room with a little noise."""
    response = read(CLIPS / "small_room.flac").astype(float) / 32768
    wet = np.convolve(played.astype(float) / 32768, response)
    late = np.concatenate([np.zeros(DELAY), wet])[: len(played)]
    loud = late * np.sqrt(np.mean((played / 32768.0) ** 2) / np.mean(late**2)) * 0.3
    return to_int16(loud + room_noise(len(played) / RATE))


def cleaned(canceller: EchoCanceller, mic: Samples, played: Samples) -> Samples:
    pairs = zip(blocks(mic), blocks(played), strict=True)
    return np.concatenate([canceller.clean(m, p) for m, p in pairs])


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
    """A second of it: what the canceller alone leaves, ears hear words in."""
    played = voice(12.0)
    fading = np.exp(-np.arange(RATE) / (0.15 * RATE))
    response = np.random.default_rng(2).standard_normal(RATE) * fading
    response[0] = 10.0
    wet = np.convolve(played / 32768.0, response)[: len(played)]
    mic = to_int16(wet * 0.05 / np.sqrt(np.mean(wet**2)) + room_noise(12.0, 1e-4))
    rest = cleaned(EchoCanceller(), mic, played)
    late = slice(8 * RATE, None)
    assert level_db(rest[late]) < level_db(mic[late]) - 35.0


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


def test_where_the_filter_helps_nothing_the_sound_passes_as_it_came() -> None:
    chance = np.random.default_rng(3)
    room = RoomFilter()
    for _ in range(100):
        mic, played = (chance.integers(-3000, 3000, BLOCK).astype(np.int16) for _ in range(2))
        rest = room.subtract(mic, played)
        assert level_db(rest) < level_db(mic) + 1.0


def test_while_nothing_is_played_the_filter_and_the_gate_do_nothing() -> None:
    room, remainder = RoomFilter(), Remainder()
    soft = to_int16(room_noise(0.02, level=1e-4))
    assert room.subtract(soft, SILENCE) is soft
    assert remainder.soften(soft, soft, SILENCE) is soft


def test_what_is_left_of_our_voice_is_softened_and_a_person_opens_the_gate_at_once() -> None:
    remainder = Remainder()
    loud, soft = np.full(BLOCK, 3000, np.int16), np.full(BLOCK, 30, np.int16)
    for _ in range(2 * HANG_BLOCKS):
        rest = remainder.soften(loud, soft, loud)
    assert int(np.abs(rest).max()) <= 1
    assert int(remainder.soften(loud, loud, loud)[-1]) == 3000


def test_the_gate_is_shut_from_our_first_block_on_after_a_quiet_time() -> None:
    remainder = Remainder()
    loud, soft = np.full(BLOCK, 3000, np.int16), np.full(BLOCK, 30, np.int16)
    for _ in range(2 * LINGER_BLOCKS):
        remainder.soften(soft, soft, SILENCE)
    remainder.soften(loud, soft, loud)
    assert int(np.abs(remainder.soften(loud, soft, loud)).max()) <= 1


def test_the_soft_end_of_a_persons_word_is_heard_though_our_voice_begins() -> None:
    remainder = Remainder()
    loud, soft = np.full(BLOCK, 3000, np.int16), np.full(BLOCK, 30, np.int16)
    remainder.soften(loud, loud, SILENCE)
    for _ in range(10):
        remainder.soften(soft, soft, SILENCE)
    for _ in range(HANG_BLOCKS - 11):
        assert int(remainder.soften(loud, soft, loud)[-1]) == 30


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
