"""The room's whole answer is learned, what is doubted is softened, and another room is noticed."""

import numpy as np
import pytest
from echoes import CLIPS, echoed, in_a_large_room, room_noise, voice

from audio.post_filter import DELAY as LATE
from audio.post_filter import PostFilter
from audio.room_filter import Guess, RoomFilter
from audio.sound import BLOCK, RATE, Samples, blocks, level_db, read, to_int16
from audio.trust import TRUSTED_BLOCKS, Moved, Trust


def test_where_the_filter_helps_nothing_the_sound_passes_as_it_came() -> None:
    chance = np.random.default_rng(3)
    room = RoomFilter()
    for _ in range(100):
        mic, played = (chance.integers(-3000, 3000, BLOCK).astype(np.int16) for _ in range(2))
        rest = room.subtract(mic, played)
        assert level_db(rest) < level_db(mic) + 1.0


@pytest.mark.parametrize("louder", [0.03, 0.3, 3.0])
def test_a_loud_loudspeaker_is_learned_as_soon_as_a_soft_one(louder: float) -> None:
    """After three seconds the filter alone takes nine tenths of the power, whatever the level."""
    played = voice(6.0)
    mic = to_int16(echoed(played).astype(float) / 32768 * louder + room_noise(6.0, 1e-5))
    room = RoomFilter()
    pairs = zip(blocks(mic), blocks(played), strict=True)
    rest = np.concatenate([room.subtract(m, p) for m, p in pairs])
    late = slice(3 * RATE, 5 * RATE)
    assert level_db(rest[late]) < level_db(mic[late]) - 10.0


def test_noise_before_our_first_loud_sound_is_not_taken_for_a_loud_room() -> None:
    """A sentence that begins very softly: what little is played has not made this noise."""
    played = np.concatenate([to_int16(room_noise(0.2, 2e-5)), voice(3.0)])
    mic = to_int16(echoed(played).astype(float) / 32768 * 0.1 + room_noise(len(played) / RATE))
    room = RoomFilter()
    pairs = list(zip(blocks(mic), blocks(played), strict=True))
    rest = np.concatenate([room.subtract(m, p) for m, p in pairs])
    after = slice(RATE, 2 * RATE)
    assert level_db(rest[after]) < level_db(mic[after]) - 3.0


def filtered(sound: Samples, rest: float, ours: float, like: float) -> Samples:
    """With the same powers at every frequency."""
    post, flat = PostFilter(), np.ones(BLOCK + 1, np.float32)
    guess = Guess(rest * flat, rest * flat, ours * flat, like * flat)
    return np.concatenate([post.soften(block, guess) for block in blocks(sound)])


def test_the_post_filter_only_delays_what_it_has_no_guess_about() -> None:
    sound, post = to_int16(room_noise(0.2, 0.1)), PostFilter()
    late = np.concatenate([post.soften(block, None) for block in blocks(sound)])
    assert late[LATE:].tolist() == sound[:-LATE].tolist()
    assert not late[:LATE].any()


def test_the_post_filter_leaves_what_is_likely_a_persons() -> None:
    sound = to_int16(room_noise(1.0, 0.1))
    assert level_db(filtered(sound, 1.0, 0.001, 0.001)) == pytest.approx(level_db(sound), abs=0.5)


@pytest.mark.parametrize(("ours", "like"), [(1.0, 0.0), (0.0, 1.0)])
def test_the_post_filter_softens_what_is_doubted_and_what_goes_with_our_voice(
    ours: float, like: float
) -> None:
    sound = to_int16(room_noise(1.0, 0.1))
    assert level_db(filtered(sound, 1.0, ours, like)) < level_db(sound) - 40.0


def test_the_post_filter_does_not_cut_the_rooms_own_sound_to_the_rhythm_of_our_words() -> None:
    """Music, of which every other fifth of a second is held to be ours."""
    sound, post, flat = to_int16(room_noise(5.0, 0.1)), PostFilter(), np.ones(BLOCK + 1, np.float32)
    out = [
        post.soften(block, Guess(flat, flat, flat * (number // 10 % 2), 0 * flat))
        for number, block in enumerate(blocks(sound))
    ]
    assert level_db(np.concatenate(out[35:40])) < level_db(sound) - 20.0
    assert level_db(np.concatenate(out[210:220])) == pytest.approx(level_db(sound), abs=0.5)


def test_what_a_badly_learned_filter_adds_to_the_rooms_silence_is_softened_all_the_same() -> None:
    """The room is quiet; what is left is an echo that the filter takes away where none sounds."""
    sound, post, flat = to_int16(room_noise(4.0, 0.1)), PostFilter(), np.ones(BLOCK + 1, np.float32)
    guess = Guess(1e-5 * flat, flat, flat, 0 * flat)
    out = [post.soften(block, guess) for block in blocks(sound)]
    assert level_db(np.concatenate(out[-20:])) < level_db(sound) - 40.0


def test_of_what_does_not_go_with_our_voice_little_is_taken_for_it_by_chance() -> None:
    played = voice(8.0)
    mic = to_int16(echoed(played).astype(float) / 32768 * 0.3 + room_noise(8.0, 0.01))
    room, guesses = RoomFilter(), []
    for heard, ours in zip(blocks(mic), blocks(played), strict=True):
        room.subtract(heard, ours)
        guesses += [room.guess] if room.guess else []
    late = guesses[200:]
    assert sum(guess.like.sum() for guess in late) < 0.07 * sum(guess.rest.sum() for guess in late)


def trusted(trust: Trust, seconds: float, mic: Samples, rest: Samples) -> bool:
    """After so long with our voice."""
    return [trust.hear(mic, rest, mic) for _ in range(round(seconds * RATE / BLOCK))][-1]


def test_a_filter_is_trusted_at_first_and_while_a_person_talks_over_our_voice() -> None:
    trust, loud = Trust(), np.full(BLOCK, 3000, np.int16)
    assert trusted(trust, 3.0, loud, loud)
    assert trusted(trust, 3.0, loud, np.full(BLOCK, 30, np.int16))
    assert trusted(trust, 3.0, loud, loud)


def test_a_filter_that_takes_nothing_of_our_voice_for_long_is_not_trusted_until_it_does() -> None:
    trust, loud = Trust(), np.full(BLOCK, 3000, np.int16)
    assert not trusted(trust, TRUSTED_BLOCKS * BLOCK / RATE + 1.0, loud, loud)
    assert trusted(trust, 1.0, loud, np.full(BLOCK, 30, np.int16))
    assert not trusted(trust, TRUSTED_BLOCKS * BLOCK / RATE + 1.0, loud, loud)


def subtracted(room: RoomFilter, mic: Samples, played: Samples) -> Samples:
    pairs = zip(blocks(mic), blocks(played), strict=True)
    return np.concatenate([room.subtract(m, p) for m, p in pairs])


def test_a_muted_microphone_is_not_taken_for_a_room_in_which_nothing_echoes() -> None:
    played = voice(8.0)
    mic = echoed(played)
    muted = slice(4 * RATE, 6 * RATE)
    mic[muted] = 0
    rest = subtracted(RoomFilter(), mic, played)
    back = slice(muted.stop, muted.stop + RATE // 2)
    assert level_db(rest[back]) < level_db(mic[back]) - 10.0


def changes(mic: Samples, played: Samples) -> list[float]:
    """The seconds at which the room is said to be another one."""
    room, moved, at = RoomFilter(), Moved(), []
    for number, (m, p) in enumerate(zip(blocks(mic), blocks(played), strict=True)):
        if moved.hear(m, room.subtract(m, p), p):
            room.reopen()
            at.append(number * BLOCK / RATE)
    return at


def test_a_loudspeaker_that_is_moved_is_noticed_within_two_seconds() -> None:
    played = voice(12.0)
    mic = np.concatenate([echoed(played)[: 8 * RATE], in_a_large_room(played)[8 * RATE :]])
    first, *_ = [at for at in changes(mic, played) if at > 8.0]
    assert first < 10.0


@pytest.mark.parametrize("echo", [0.1, 0.5, 2.0])
def test_a_person_who_talks_over_our_voice_moves_no_loudspeaker(echo: float) -> None:
    played, word = voice(12.0), read(CLIPS / "person1_stop.flac")
    person = np.zeros(len(played))
    person[6 * RATE :] = np.resize(word, len(played) - 6 * RATE)
    mic = to_int16((in_a_large_room(played) * echo + person) / 32768)
    assert not [at for at in changes(mic, played) if at > 6.0]
