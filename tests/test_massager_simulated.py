"""The simulated massager fails as real ones fail, and keeps its lease whatever fails."""

from dataclasses import dataclass

import pytest

from assistant.massager.simulated import LIE_SECONDS, Moment, SimulatedMassager
from assistant.messages import MassagerReport


@dataclass
class Clock:
    """Seconds that pass when told."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def massager(clock: Clock) -> SimulatedMassager:
    return SimulatedMassager(clock)


def test_the_log_says_when_the_lease_ran_out_however_late_somebody_looks(
    massager: SimulatedMassager, clock: Clock
) -> None:
    massager.lease(2, 10.0)
    clock.now += 500.0
    assert massager.history == (Moment(100.0, False, 0), Moment(100.0, True, 2), (110.0, False, 0))


def test_a_renewal_writes_nothing_new_into_the_log(
    massager: SimulatedMassager, clock: Clock
) -> None:
    massager.lease(1, 10.0)
    clock.now += 4.0
    massager.lease(1, 10.0)
    clock.now += 9.0
    assert massager.on
    assert len(massager.history) == 2


def test_a_report_counts_its_age_in_the_time_of_the_session(
    massager: SimulatedMassager, clock: Clock
) -> None:
    massager.lease(3, 10.0)
    massager.silent = True
    clock.now += 7.0
    assert massager.report(now=1000.0) == MassagerReport(True, 3, 993.0)


def test_a_silent_device_confirms_nothing_more_but_obeys(
    massager: SimulatedMassager, clock: Clock
) -> None:
    massager.lease(1, 10.0)
    massager.silent = True
    clock.now += 1.0
    massager.off()
    assert not massager.on
    assert massager.report(clock.now).on
    massager.silent = False
    assert not massager.report(clock.now).on


def test_a_silent_device_keeps_its_lease(massager: SimulatedMassager, clock: Clock) -> None:
    massager.silent = True
    massager.lease(1, 10.0)
    clock.now += 10.0
    assert not massager.on
    assert massager.report(clock.now).on is None


def test_a_lease_that_did_not_arrive_is_not_delivered_later(
    massager: SimulatedMassager, clock: Clock
) -> None:
    massager.unreachable = True
    massager.lease(1, 10.0)
    massager.unreachable = False
    clock.now += 1.0
    assert not massager.on


def test_an_off_that_did_not_arrive_is_repeated_until_it_does(
    massager: SimulatedMassager, clock: Clock
) -> None:
    massager.lease(1, 10.0)
    massager.unreachable = True
    clock.now += 1.0
    massager.off()
    assert massager.on
    clock.now += 1.0
    massager.unreachable = False
    assert not massager.on
    assert massager.history[-1] == Moment(102.0, False, 0)


def test_a_liar_is_believed_until_it_is_asked_again_and_ends_with_its_lease(
    massager: SimulatedMassager, clock: Clock
) -> None:
    massager.liar = True
    massager.lease(1, 10.0)
    massager.off()
    assert massager.report(clock.now).on is False
    assert massager.on
    clock.now += LIE_SECONDS
    assert massager.report(clock.now).on is True
    clock.now = 110.0
    assert not massager.on
