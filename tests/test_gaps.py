"""A microphone that gives only part of its sound is a fault; one that gives it late is none."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.gaps import GAPS, MISSING_SECONDS, WINDOW_SECONDS, Gaps
from audio.messages import Fault, Recovered
from audio.sound import BLOCK, RATE

SECONDS_A_BLOCK = BLOCK / RATE
Told = list[tuple[float, Fault | Recovered]]


class Listener:
    """Hears blocks at times of the test's own making."""

    def __init__(self) -> None:
        self.gaps = Gaps()
        self.told: Told = []
        self.now = 0.0
        self._blocks = count(1)

    def hear(self, seconds: float, share: float = 1.0) -> None:
        """So much time, of whose sound this share comes."""
        end = self.now + seconds
        while self.now < end:
            self.now += SECONDS_A_BLOCK / share
            self.told += [(self.now, one) for one in self.gaps.look(self.now, next(self._blocks))]

    def stall(self, seconds: float) -> None:
        """No sound, and then all of it at once; it is asked when none waits any more."""
        self.now += seconds
        for _ in range(round(seconds / SECONDS_A_BLOCK)):
            last = next(self._blocks)
        self.told += [(self.now, one) for one in self.gaps.look(self.now, last)]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.mark.parametrize(("share", "within"), [(0.2, 2.0), (0.5, 3.1), (0.75, 6.1)])
def test_a_microphone_that_loses_much_of_its_sound_is_a_fault(
    listener: Listener, share: float, within: float
) -> None:
    listener.hear(60.0)
    listener.hear(20.0, share)
    (at, fault) = listener.told[0]
    assert isinstance(fault, Fault)
    assert fault.what == GAPS
    assert at - 60.0 < within
    assert len(listener.told) == 1


def test_it_is_over_when_the_sound_has_been_whole_for_a_while(listener: Listener) -> None:
    listener.hear(15.0, 0.5)
    listener.hear(2 * WINDOW_SECONDS)
    assert [type(one) for _, one in listener.told] == [Fault, Recovered]
    assert listener.told[1][0] - 15.0 > WINDOW_SECONDS / 2


@given(stalls=st.lists(st.floats(0.02, 2.0), max_size=8), between=st.floats(0.1, 5.0))
def test_sound_that_only_comes_late_is_never_a_fault(stalls: list[float], between: float) -> None:
    listener = Listener()
    for seconds in stalls:
        listener.hear(between)
        listener.stall(seconds)
    listener.hear(WINDOW_SECONDS)
    assert listener.told == []


def test_a_sound_server_that_wakes_slowly_is_none(listener: Listener) -> None:
    listener.hear(0.2)
    listener.now += 2.0
    listener.hear(20.0)
    assert listener.told == []


def test_a_few_lost_blocks_are_none(listener: Listener) -> None:
    listener.hear(300.0, 0.95)
    assert listener.told == []


def test_a_stream_that_was_opened_again_begins_anew(listener: Listener) -> None:
    listener.hear(20.0)
    listener.now += 2.0 * MISSING_SECONDS
    listener.gaps.restart()
    listener.hear(20.0)
    assert listener.told == []
