"""The mouth obeys at once, tells what it does, and never sounds when it should not."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.clips import SPEECH_LEVEL_DB, speech_level_db
from audio.headset import Mouth
from audio.messages import SayBegan, SayEnded
from audio.sound import BLOCK, RATE, Samples, level_db
from audio.speaker import FADE, Player
from audio.tones import NOTES, tone

GAP_SECONDS = 0.05
GAP = round(GAP_SECONDS * RATE)


def hum(seconds: float, value: int = 3000) -> Samples:
    """A constant: every sample of it can be told apart from silence and from another one."""
    return np.full(round(seconds * RATE), value, np.int16)


def say(player: Player, prompt: str, *clips: Samples) -> None:
    player.say(prompt, clips, [f"{prompt} {number}" for number in range(len(clips))], GAP_SECONDS)


def play(player: Player, blocks: int) -> Samples:
    return np.concatenate([player.fill(BLOCK) for _ in range(blocks)])


def test_it_can_be_the_mouth_of_a_headset() -> None:
    mouth: Mouth = Player()
    assert not mouth.fill(BLOCK).any()


def test_an_idle_mouth_plays_zeros_and_tells_nothing() -> None:
    player = Player()
    assert not play(player, 10).any()
    assert not player.speaking
    assert player.take_messages(1.0) == []


def test_sentences_come_whole_and_in_order_with_the_gap_between_them() -> None:
    player, first, second = Player(), hum(0.13, 1000), hum(0.21, 2000)
    say(player, "hello", first, second)
    played = play(player, 30)
    wanted = np.concatenate([first, np.zeros(GAP, np.int16), second])
    assert (played[: len(wanted)] == wanted).all()
    assert not played[len(wanted) :].any()


def test_began_and_ended_are_told_once_in_the_blocks_where_they_happen() -> None:
    player = Player()
    say(player, "hello", hum(0.03), hum(0.03))
    player.fill(BLOCK)
    assert player.take_messages(0.02) == [SayBegan("hello", "hello 0 hello 1", 0.02)]
    assert player.speaking
    play(player, 5)
    assert player.take_messages(0.12) == [SayEnded("hello", 0.12, cut=False)]
    assert not player.speaking


def test_a_prompt_counts_as_spoken_from_the_moment_it_is_asked_for() -> None:
    player = Player()
    say(player, "hello", hum(0.1))
    assert player.speaking
    assert player.take_messages(0.0) == []


def test_after_a_hush_the_next_block_fades_within_ten_milliseconds_and_stays_silent() -> None:
    player = Player()
    say(player, "hello", hum(5.0))
    play(player, 10)
    player.hush()
    block = player.fill(BLOCK)
    assert (np.diff(block[:FADE].astype(int)) <= 0).all()
    assert not block[FADE:].any()
    assert not play(player, 100).any()
    assert player.take_messages(1.0)[-1] == SayEnded("hello", 1.0, cut=True)
    assert not player.speaking


def test_a_hush_silences_a_tone_too() -> None:
    player = Player()
    player.tone("begin")
    play(player, 3)
    player.hush()
    assert not player.fill(BLOCK)[FADE:].any()
    assert not play(player, 50).any()


def test_a_new_prompt_replaces_the_one_that_speaks() -> None:
    player = Player()
    say(player, "old", hum(5.0, 1000))
    play(player, 10)
    say(player, "new", hum(0.1, 2000))
    played = play(player, 10)
    assert (played[FADE : round(0.1 * RATE)] == 2000).all()
    assert not played[round(0.1 * RATE) :].any()
    told = [(type(message), message.prompt) for message in player.take_messages(1.0)]
    assert told == [(SayBegan, "old"), (SayEnded, "old"), (SayBegan, "new"), (SayEnded, "new")]


def test_a_prompt_replaced_before_it_sounded_is_told_as_ended_and_never_as_begun() -> None:
    player = Player()
    say(player, "old", hum(1.0))
    say(player, "new", hum(1.0))
    player.fill(BLOCK)
    told = player.take_messages(0.0)
    assert told == [SayEnded("old", 0.0, cut=True), SayBegan("new", "new 0", 0.0)]


def test_a_pause_is_silent_at_once_and_a_resume_repeats_the_cut_sentence() -> None:
    player, first, second = Player(), hum(0.1, 1000), hum(0.2, 2000)
    say(player, "hello", first, second)
    play(player, 10)
    player.pause()
    assert not player.fill(BLOCK)[FADE:].any()
    assert not play(player, 50).any()
    assert player.speaking
    player.resume()
    played = play(player, 20)
    assert (played[: len(second)] == second).all()
    assert not played[len(second) :].any()
    told = [type(message) for message in player.take_messages(0.0)]
    assert told == [SayBegan, SayEnded]


def test_a_sentence_that_is_cut_again_and_again_at_the_same_place_is_over_some_day() -> None:
    player, first, second = Player(), hum(0.2, 1000), hum(0.2, 2000)
    say(player, "hello", first, second)
    for _ in range(3):
        assert (player.fill(BLOCK)[FADE:] == 1000).all()
        player.fill(len(first) - 2 * BLOCK)
        player.pause()
        player.fill(BLOCK)
        player.resume()
    assert (player.fill(BLOCK)[FADE:] == 1000).all()
    assert not player.fill(round(GAP_SECONDS * RATE)).any(), "it went on where it was cut"
    assert (player.fill(BLOCK) == 2000).all()
    player.pause()
    player.fill(BLOCK)
    player.resume()
    assert (player.fill(BLOCK)[FADE:] == 2000).all(), "the next sentence begins anew as well"


def test_a_pause_in_the_last_samples_of_a_sentence_repeats_that_sentence() -> None:
    player, first = Player(), hum(0.1, 1000)
    say(player, "hello", first, hum(0.1, 2000))
    player.fill(len(first) - 20)
    player.pause()
    player.fill(BLOCK)
    player.resume()
    assert (player.fill(len(first)) == first).all()


def test_a_new_prompt_ends_a_pause_and_a_hush_leaves_nothing_to_resume() -> None:
    player = Player()
    say(player, "old", hum(1.0))
    play(player, 2)
    player.pause()
    play(player, 2)
    say(player, "new", hum(0.5, 2000))
    assert play(player, 2).any()
    player.pause()
    player.hush()
    player.resume()
    player.fill(BLOCK)
    assert not play(player, 50).any()


def test_a_pause_with_nothing_to_say_does_not_keep_the_next_prompt_silent() -> None:
    player = Player()
    player.pause()
    player.fill(BLOCK)
    say(player, "hello", hum(0.1))
    assert player.fill(BLOCK).all()


def test_tones_go_on_while_the_voice_is_paused() -> None:
    player = Player()
    say(player, "hello", hum(1.0))
    play(player, 2)
    player.pause()
    play(player, 2)
    player.tone("tick")
    assert play(player, 5).any()


@pytest.mark.parametrize("name", NOTES)
def test_a_tone_is_soft_and_begins_and_ends_without_a_click(name: str) -> None:
    sound = tone(name)
    assert level_db(sound) < SPEECH_LEVEL_DB
    assert speech_level_db(sound) < SPEECH_LEVEL_DB
    assert np.abs(sound[:8]).max() < 50
    assert np.abs(sound[-8:]).max() < 50
    assert np.abs(np.diff(sound.astype(int))).max() < np.abs(sound).max() / 2


def test_a_tone_under_speech_is_six_decibels_lower() -> None:
    alone, under = Player(), Player()
    alone.tone("hold")
    say(under, "hello", hum(2.0, 3000))
    under.fill(BLOCK)
    under.tone("hold")
    difference = level_db(play(alone, 18)) - level_db(play(under, 18) - np.int16(3000))
    assert difference == pytest.approx(6.0, abs=0.1)


def test_a_tone_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no tone 'gong': use one of tick"):
        Player().tone("gong")


def test_the_volume_changes_without_a_click_and_never_above_the_rendered_level() -> None:
    player = Player()
    say(player, "hello", hum(2.0, 8000))
    play(player, 5)
    player.volume(-12.0)
    turning = player.fill(BLOCK)
    assert np.abs(np.diff(turning.astype(int))).max() < 60
    assert player.fill(BLOCK)[0] == pytest.approx(8000 * 10 ** (-12 / 20), abs=1)
    player.volume(20.0)
    player.fill(BLOCK)
    assert player.fill(BLOCK)[0] == 8000


def test_loud_speech_with_a_tone_is_clipped_and_does_not_wrap_around() -> None:
    player = Player()
    say(player, "hello", hum(1.0, 32700))
    player.fill(BLOCK)
    player.tone("hold")
    assert play(player, 18).min() > 30_000


ACTIONS = st.sampled_from(["say", "tone", "hush", "pause", "resume", "volume", "fill"])


@given(st.lists(st.tuples(ACTIONS, st.integers(1, 900)), max_size=40))
def test_whatever_happens_every_prompt_ends_once_and_a_last_hush_is_silence(
    actions: list[tuple[str, int]],
) -> None:
    player, said = Player(), 0
    for action, number in actions:
        match action:
            case "say":
                said += 1
                say(player, f"prompt {said}", hum(number / RATE), hum(0.01))
            case "tone":
                player.tone("tick")
            case "volume":
                player.volume(-number / 30)
            case "fill":
                assert player.fill(number).shape == (number,)
            case _:
                getattr(player, action)()
    player.hush()
    player.fill(FADE)
    assert not play(player, 20).any()
    assert not player.speaking
    told = player.take_messages(0.0)
    ended = [message.prompt for message in told if isinstance(message, SayEnded)]
    began = [message.prompt for message in told if isinstance(message, SayBegan)]
    assert ended == [f"prompt {number}" for number in range(1, said + 1)]
    assert set(began) <= set(ended)
    assert len(set(began)) == len(began)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=60))
def test_the_size_of_the_blocks_changes_nothing(sizes: list[int]) -> None:
    player, clip = Player(), np.arange(1, 3000, dtype=np.int16)
    say(player, "hello", clip, clip)
    played = np.concatenate([player.fill(size) for size in sizes])
    whole = np.concatenate([clip, np.zeros(GAP, np.int16), clip, np.zeros(50_000, np.int16)])
    assert (played == whole[: len(played)]).all()


def test_commands_from_another_thread_never_disturb_the_sound_thread() -> None:
    player, done = Player(), threading.Event()
    said = 300

    def command() -> None:
        for number in range(said):
            say(player, str(number), hum(0.05))
            player.pause()
            player.resume()
            player.tone("tick")
        player.hush()
        done.set()

    thread = threading.Thread(target=command)
    thread.start()
    told = []
    while not done.is_set() or player.speaking:
        player.fill(BLOCK)
        told += player.take_messages(0.0)
    thread.join()
    ended = [message.prompt for message in told if isinstance(message, SayEnded)]
    assert ended == [str(number) for number in range(said)]
