"""The second look: what it may add to a suspicion, when, and what it must leave alone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.alarm_ear import AlarmEar
from audio.embedding import STEP, Floats
from audio.second_look import (
    HALF,
    HASTY_RATE,
    HEARD_STEPS,
    KEPT_ROWS,
    LATER_STEPS,
    NEARLY,
    SHOWN_STEPS,
    SecondLook,
    is_sure,
)
from audio.sound import BLOCK, RATE, Samples, read
from audio.spelling import Spelling

CLIPS = Path(__file__).parent / "clips"
HEARD = ("other", "stop", "off", "pause")
WORDS = ("stop", "pause")
STOP = 0


class Says:
    """A network that gives every utterance the same chances, and keeps what it was shown."""

    words = HEARD

    def __init__(self, *chances: float) -> None:
        self._chances = np.log(np.array(chances, np.float32))
        self.shown: list[Floats] = []

    def judge(self, rows: Floats) -> Floats:
        self.shown.append(rows)
        return self._chances


class Letters:
    """Spells by letters."""

    ends = (0,)

    def spell(self, text: str) -> tuple[int, ...]:
        return tuple(map(ord, text))


class Writes:
    """A transcriber that gives every phrase the same chance, and keeps what it was given."""

    tokens = Letters()

    def __init__(self, chance: float = 1e-6) -> None:
        self._chance = chance
        self.given: list[Samples] = []

    def listen(self, sound: Samples) -> "Writes":
        self.given.append(sound)
        return self

    def chances(self, spelling: Spelling) -> Floats:
        return np.full(spelling.count, np.log(self._chance), np.float32)


NOT_AT_ALL, STOP_WAS_SAID = 1e-6, 0.9


def look_with(*chances: float, written: float = NOT_AT_ALL) -> SecondLook:
    return SecondLook(Says(*chances), Writes(written), WORDS)


def sound(count: int) -> Samples:
    """As many steps of sound, each of its own number."""
    return np.repeat(np.arange(1, count + 1, dtype=np.int16), STEP)


STOP_IT_IS = (0.04, 0.9, 0.03, 0.03)
NO_WORD_AT_ALL = (0.998, 0.001, 0.0005, 0.0005)
RATHER_OFF = (0.1, 0.3, 0.5, 0.1)


def rows(count: int) -> Floats:
    """Each row holds its own number, from 1."""
    numbers = np.arange(1, count + 1, dtype=np.float32)
    return np.broadcast_to(numbers[:, None, None], (count, 4, 72)).copy()


def suspected_at(step: int, count: int, odds: float = 1.0) -> Floats:
    """Log-odds of a stream in which "stop" is suspected at one step and at no other."""
    made = np.full((count, len(WORDS)), -4.0, np.float32)
    made[step, STOP] = odds
    return made


def test_a_word_that_is_found_again_is_surer_a_fifth_of_a_second_later() -> None:
    odds = suspected_at(10, 40)

    raised = look_with(*STOP_IT_IS)(rows(40), odds, sound(40))

    changed = np.argwhere(raised != odds).tolist()
    assert changed == [[10 + LATER_STEPS, STOP]]
    assert is_sure(raised[10 + LATER_STEPS, STOP])


def test_what_was_written_down_too_is_surer() -> None:
    odds = suspected_at(10, 40)

    raised = look_with(*NO_WORD_AT_ALL, written=STOP_WAS_SAID)(rows(40), odds, sound(40))

    assert is_sure(raised[10 + LATER_STEPS, STOP])
    assert not is_sure(odds[10, STOP])


def a_word_and_how_it_fades(best: float) -> Floats:
    """Log-odds of a stream in which one "stop" stands for half a second, and is doubtful after."""
    made = np.full((60, len(WORDS)), -4.0, np.float32)
    made[10:22, STOP] = best
    made[22:25, STOP] = (0.2, -0.7, -1.9)
    return made


def test_a_word_that_was_sure_is_not_found_again_as_it_fades() -> None:
    """Else one word is told as two, and the stop that passes the hearing check would halt."""
    odds = a_word_and_how_it_fades(best=6.0)

    assert np.array_equal(look_with(*STOP_IT_IS)(rows(60), odds, sound(60)), odds)


def test_a_word_that_a_look_found_is_not_found_again_as_it_fades() -> None:
    odds = a_word_and_how_it_fades(best=1.0)

    raised = look_with(*STOP_IT_IS)(rows(60), odds, sound(60))

    assert np.argwhere(raised != odds).tolist() == [[10 + LATER_STEPS, STOP]]


def test_what_is_half_suspected_is_looked_at_and_may_become_a_suspicion() -> None:
    odds = suspected_at(10, 40, HALF / 2)

    raised = look_with(*STOP_IT_IS, written=STOP_WAS_SAID)(rows(40), odds, sound(40))

    assert raised[10 + LATER_STEPS, STOP] > 0


def test_both_are_shown_the_sound_up_to_the_moment_of_the_look() -> None:
    reader, writer = Says(*STOP_IT_IS), Writes()

    SecondLook(reader, writer, WORDS)(rows(100), suspected_at(80, 100), sound(100))

    last = 80 + LATER_STEPS + 1
    hastened, plain = writer.given
    assert len(hastened) == round(HEARD_STEPS * STEP * RATE / HASTY_RATE)
    assert np.median(hastened[-STEP // 4 :]) == last
    assert np.median(hastened[: STEP // 4]) == last - HEARD_STEPS + 1
    assert len(plain) == SHOWN_STEPS * STEP
    assert plain[-1] == last
    assert plain[0] == last - SHOWN_STEPS + 1

    (shown,) = reader.shown
    assert shown.shape == (KEPT_ROWS, 4, 72)
    assert shown[-1, 0, 0] == 80 + LATER_STEPS + 1
    assert shown[0, 0, 0] == shown[-1, 0, 0] - KEPT_ROWS + 1


class HearsOnce(Writes):
    """A transcriber that finds a word in the first listening, and in the second another chance."""

    def __init__(self, first: float, second: float) -> None:
        super().__init__(first)
        self._second = second

    def listen(self, sound: Samples) -> Writes:
        return super().listen(sound) if not self.given else Writes(self._second)


@pytest.mark.parametrize(("odds", "times"), [(HALF / 1.5, 1), (NEARLY, 2), (1.0, 2)])
def test_what_is_nearly_suspected_is_listened_to_twice(odds: float, times: int) -> None:
    writer = Writes()

    SecondLook(Says(*STOP_IT_IS), writer, WORDS)(rows(40), suspected_at(10, 40, odds), sound(40))

    assert len(writer.given) == times


def test_what_two_listenings_find_counts_as_their_mean() -> None:
    def added(writer: Writes) -> float:
        odds = suspected_at(10, 40)
        look = SecondLook(Says(*NO_WORD_AT_ALL), writer, WORDS)
        return float(look(rows(40), odds, sound(40))[10 + LATER_STEPS, STOP])

    assert added(HearsOnce(0.2, 0.6)) == pytest.approx(added(Writes(0.4)), abs=1e-4)
    assert added(HearsOnce(0.6, 0.2)) == pytest.approx(added(Writes(0.4)), abs=1e-4)


def test_what_the_other_network_does_not_know_at_all_is_suspected_as_before() -> None:
    odds = np.full((40, len(WORDS)), 1.0, np.float32)

    raised = look_with(*NO_WORD_AT_ALL)(rows(40), odds, sound(40))

    assert np.array_equal(raised, odds)


def test_a_word_that_is_rather_another_one_is_no_surer() -> None:
    odds = suspected_at(10, 40)

    raised = look_with(*RATHER_OFF)(rows(40), odds, sound(40))

    assert raised[:, STOP].max() == odds[:, STOP].max()


def test_nobody_looks_where_nothing_is_suspected_or_all_is_sure() -> None:
    reader = Says(*STOP_IT_IS)

    SecondLook(reader, Writes(), WORDS)(rows(40), suspected_at(10, 40, HALF - 0.1), sound(40))
    SecondLook(reader, Writes(), WORDS)(rows(40), suspected_at(10, 40, 3.0), sound(40))

    assert not reader.shown


def test_what_was_suspected_before_the_stream_was_forgotten_is_not_looked_at() -> None:
    reader = Says(*STOP_IT_IS)
    look = SecondLook(reader, Writes(), WORDS)
    look(rows(12), suspected_at(10, 12), sound(12))

    look.reset()
    look(rows(40), suspected_at(0, 40, -4.0), sound(40))

    assert not reader.shown


TRACKS = st.lists(st.floats(-6, 4, width=32), min_size=1, max_size=60)


@given(
    TRACKS,
    st.sampled_from((STOP_IT_IS, NO_WORD_AT_ALL, RATHER_OFF)),
    st.sampled_from((NOT_AT_ALL, STOP_WAS_SAID)),
)
def test_a_suspicion_is_never_taken_back(
    track: list[float], chances: tuple[float, ...], written: float
) -> None:
    odds = np.full((len(track), len(WORDS)), -4.0, np.float32)
    odds[:, STOP] = track

    raised = look_with(*chances, written=written)(rows(len(track)), odds, sound(len(track)))

    assert (raised >= odds).all()


@settings(max_examples=50)
@given(TRACKS, st.data())
def test_it_finds_the_same_however_the_rows_are_cut(
    track: list[float], data: st.DataObject
) -> None:
    odds = np.full((len(track), len(WORDS)), -4.0, np.float32)
    odds[:, STOP] = track
    cuts = sorted(data.draw(st.sets(st.integers(1, len(track)))) | {len(track)})
    count = len(track)
    whole = look_with(*STOP_IT_IS)(rows(count), odds, sound(count))

    look, parts, begin = look_with(*STOP_IT_IS), [], 0
    for end in cuts:
        heard = sound(count)[begin * STEP : end * STEP]
        parts.append(look(rows(count)[begin:end], odds[begin:end], heard))
        begin = end

    assert np.array_equal(np.concatenate(parts), whole)


class AlwaysStop(Says):
    """Knows all words of the ear, and takes everything for "stop"."""

    words = ("other", "stop", "dizzy", "tingling", "pause", "start neck massage")

    def __init__(self) -> None:
        super().__init__(0.05, 0.9, 0.01, 0.01, 0.01, 0.02)


class Nothing(AlwaysStop):
    """Takes nothing for a word."""

    def judge(self, rows: Floats) -> Floats:
        return np.log(np.array([1.0, *[1e-6] * 5], np.float32))


def best(ear: AlarmEar, name: str) -> float:
    """The best score of "stop" in a clip and the second after it."""
    clip = np.concatenate([read(CLIPS / name), np.zeros(16_000, np.int16)])
    blocks = clip[: len(clip) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return max(clue.score for block in blocks for clue in ear.hear(block) if clue.text == "stop")


def test_the_alarm_ear_asks_for_the_second_look() -> None:
    by_itself = best(AlarmEar(reader=Nothing(), writer=Writes()), "person5_dog.flac")

    by_network = best(AlarmEar(reader=AlwaysStop(), writer=Writes()), "person5_dog.flac")
    by_writer = best(AlarmEar(reader=Nothing(), writer=Writes(STOP_WAS_SAID)), "person5_dog.flac")

    assert by_network > by_itself
    assert by_writer > by_itself
