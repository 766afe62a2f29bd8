"""The governor: what may never happen to a neck, whatever is asked, heard, lost or told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from assistant.messages import MassagerLease, MassagerOff, MassagerReport
from assistant.safety import (
    GENTLE_SECONDS,
    LEASE_SECONDS,
    MICROPHONE_SECONDS,
    RENEW_SECONDS,
    SESSION_SECONDS,
    Change,
    Governor,
    Limits,
)

LEVELS = 4


class World:
    """A governor, the device it governs, and a clock that goes where the test says."""

    def __init__(self, **options: object) -> None:
        self.governor = Governor(levels=LEVELS, real=False, **options)  # type: ignore[arg-type]
        self.now = 0.0
        self.leased_until = float("-inf")
        self.device_on = False
        self.level = 0
        self.hears = True
        self.confirms = True
        self.commands: list[MassagerLease | MassagerOff] = []

    def ready(self) -> "World":
        self.governor.arm()
        self.tick(0.0)
        self.governor.want(True)
        return self

    def tick(self, seconds: float = 1.0) -> MassagerLease | MassagerOff | None:
        self.now += seconds
        if self.device_on and self.now >= self.leased_until:
            self.device_on = False
        if self.hears:
            self.governor.hears(0.0, True, False, self.now)
        if self.confirms:
            self.governor.reported(MassagerReport(self.device_on, self.level, self.now))
        return self.carry_out(self.governor.decide(self.now))

    def carry_out(
        self, command: MassagerLease | MassagerOff | None
    ) -> MassagerLease | MassagerOff | None:
        if isinstance(command, MassagerLease):
            self.device_on, self.level = True, command.level
            self.leased_until = self.now + command.seconds
        elif isinstance(command, MassagerOff):
            self.device_on = False
        if command is not None:
            self.commands.append(command)
        return command

    def run(self, seconds: float) -> "World":
        for _ in range(round(seconds)):
            self.tick()
        return self


def test_on_is_a_lease_that_is_renewed_before_it_runs_out() -> None:
    world = World().ready()
    leases = [world.tick() for _ in range(21)]
    given_at = [index for index, command in enumerate(leases) if command is not None]
    assert all(isinstance(command, MassagerLease) for command in leases if command)
    assert given_at == [0, 4, 8, 12, 16, 20]
    assert RENEW_SECONDS * 2 < LEASE_SECONDS


def test_nobody_who_was_not_heard_gets_a_lease() -> None:
    world = World()
    world.governor.want(True)
    world.run(30)
    assert not [c for c in world.commands if isinstance(c, MassagerLease)]


def test_what_was_given_up_is_armed_by_no_word_any_more() -> None:
    governor = Governor(levels=LEVELS, real=False)
    governor.arm()
    governor.give_up()
    assert not governor.armed
    governor.arm()
    assert not governor.armed


def test_a_practice_ear_does_not_arm_a_real_massager() -> None:
    governor = Governor(levels=1, real=True)
    governor.arm()
    governor.hears(0.0, True, True, 0.0)
    governor.reported(MassagerReport(False, 0, 0.0))
    governor.want(True)
    assert governor.decide(0.0) == MassagerOff("practice ear")
    assert governor.practice_only


def test_a_deaf_microphone_ends_it_within_three_seconds() -> None:
    world = World().ready().run(20)
    world.hears = False
    ended = next(s for s in range(1, 20) if isinstance(world.tick(), MassagerOff))
    assert ended <= MICROPHONE_SECONDS
    assert world.commands[-1] == MassagerOff("deaf")


def test_a_block_of_the_past_is_no_hearing() -> None:
    world = World().ready().run(20)
    world.hears = False
    world.governor.hears(MICROPHONE_SECONDS, True, False, world.now)
    assert world.tick(0.0) == MassagerOff("deaf")


def test_ears_that_do_not_answer_end_it() -> None:
    world = World().ready().run(5)
    world.hears = False
    world.governor.hears(0.0, False, False, world.now)
    assert world.tick(0.0) == MassagerOff("ears do not answer")


def test_a_device_that_confirms_nothing_ends_it_within_a_lease() -> None:
    world = World().ready().run(20)
    world.confirms = False
    ended = next(s for s in range(1, 40) if isinstance(world.tick(), MassagerOff))
    assert ended <= LEASE_SECONDS
    assert world.commands[-1] == MassagerOff("device silent")


def test_after_a_refusal_only_the_persons_word_goes_on() -> None:
    world = World().ready().run(20)
    world.hears = False
    world.run(5)
    world.hears = True
    world.governor.want(True)
    assert world.run(30).device_on is False
    world.governor.go_on()
    world.governor.want(True)
    assert isinstance(world.tick(), MassagerLease)


def test_the_first_confirmed_minute_stays_gentle() -> None:
    world = World().ready()
    world.tick()
    for _ in range(int(GENTLE_SECONDS) - 1):
        assert world.governor.stronger(world.now) is Change.GENTLE_MINUTE
        world.tick()
    world.run(3)
    assert world.governor.stronger(world.now) is Change.DONE


def test_a_minute_that_the_device_never_confirmed_does_not_count() -> None:
    world = World().ready()
    world.confirms = False
    world.governor.reported(MassagerReport(False, 0, 0.0))
    world.tick()
    for _ in range(9):
        world.tick()
        assert world.governor.stronger(world.now) is Change.GENTLE_MINUTE


def test_an_off_that_nobody_asked_for_starts_gently_again() -> None:
    world = World().ready().run(70)
    assert world.governor.stronger(world.now) is Change.DONE
    world.tick()
    assert world.level == 2
    world.device_on = False
    assert world.tick() == MassagerOff("unexpected off")
    world.governor.go_on()
    world.governor.want(True)
    lease = world.tick()
    assert isinstance(lease, MassagerLease)
    assert lease.level == 1
    assert world.governor.stronger(world.now) is Change.GENTLE_MINUTE


def test_a_pause_keeps_the_level_and_the_minute() -> None:
    world = World().ready().run(70)
    world.governor.stronger(world.now)
    world.tick()
    world.carry_out(world.governor.off("pause", world.now))
    world.run(40)
    world.governor.want(True)
    lease = world.tick()
    assert isinstance(lease, MassagerLease)
    assert lease.level == 2


def test_a_wish_heard_twice_before_it_was_carried_out_is_one_wish() -> None:
    world = World().ready().run(GENTLE_SECONDS + 2.0)
    for _ in range(2):
        assert world.governor.stronger(world.now) is Change.DONE
    world.tick()
    assert world.level == 2


def test_it_never_gets_stronger_than_the_device_or_the_setting_allows() -> None:
    for options, cap in (({}, LEVELS), ({"limits": Limits(max_level=2)}, 2)):
        world = World(**options).ready().run(62)
        for _ in range(10):
            world.governor.stronger(world.now)
            world.tick()
        assert world.level == cap
        assert world.governor.stronger(world.now) is Change.STRONGEST


def test_softer_goes_down_to_the_gentlest_and_no_further() -> None:
    world = World().ready().run(70)
    world.governor.stronger(world.now)
    assert world.governor.softer(world.now) is Change.DONE
    assert world.governor.softer(world.now) is Change.GENTLEST


def test_the_time_of_one_session_ends_a_lease_early() -> None:
    world = World().ready().run(SESSION_SECONDS + 60)
    assert world.commands[-1] == MassagerOff("session limit")
    assert world.now - SESSION_SECONDS >= 59
    leases = [c for c in world.commands if isinstance(c, MassagerLease)]
    assert len(leases) >= (SESSION_SECONDS - LEASE_SECONDS) / RENEW_SECONDS - 1
    assert len(leases) <= (SESSION_SECONDS - LEASE_SECONDS) / RENEW_SECONDS + 1


def test_after_an_unclean_end_it_rests_first() -> None:
    world = World(rest_until=300.0).ready()
    assert world.tick() == MassagerOff("resting")
    world.run(300)
    world.governor.go_on()
    world.governor.want(True)
    assert isinstance(world.tick(), MassagerLease)


def test_a_clock_that_goes_back_switches_off() -> None:
    world = World().ready().run(20)
    assert world.tick(-86400.0) == MassagerOff("clock went back")


def test_a_loop_that_slept_longer_than_a_lease_does_not_switch_on_again() -> None:
    world = World().ready().run(20)
    assert world.tick(LEASE_SECONDS + 1) == MassagerOff("lease ran out")
    assert world.run(20).device_on is False


def test_a_device_that_stays_on_after_off_is_noticed() -> None:
    world = World().ready().run(5)
    world.governor.off("stop", world.now)
    assert not world.governor.disobeys()
    world.governor.reported(MassagerReport(True, 1, world.now + 3.0))
    assert world.governor.disobeys()


@pytest.mark.parametrize(
    "weaker",
    [
        {"session_seconds": 901.0},
        {"lease_seconds": 11.0},
        {"gentle_seconds": 59.0},
        {"rest_seconds": 10.0},
    ],
)
def test_a_limit_can_only_be_made_stricter(weaker: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(weaker))):
        Limits(**weaker)


class GovernorWalks(RuleBasedStateMachine):
    """Any order of wishes, faults, losses and times."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.deaf_since: float | None = None
        self.last_level = 0

    @rule(seconds=st.floats(0.0, 15.0))
    def time_passes(self, seconds: float) -> None:
        self.world.tick(seconds)

    @rule(seconds=st.integers(1, 130))
    def a_while_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.world.tick()
            self.bounds_hold()

    @rule(on=st.booleans())
    def wants(self, on: bool) -> None:
        self.world.governor.want(on)

    @rule()
    def is_heard(self) -> None:
        self.world.governor.arm()

    @rule()
    def says_go_on(self) -> None:
        self.world.governor.go_on()

    @rule()
    def stronger(self) -> None:
        self.world.governor.stronger(self.world.now)

    @rule()
    def softer(self) -> None:
        self.world.governor.softer(self.world.now)

    @rule()
    def halts(self) -> None:
        self.world.carry_out(self.world.governor.off("stop", self.world.now))
        assert not self.world.device_on

    @rule(hears=st.booleans())
    def microphone(self, hears: bool) -> None:
        self.world.hears = hears
        self.deaf_since = None if hears else self.world.now

    @rule(confirms=st.booleans())
    def network(self, confirms: bool) -> None:
        self.world.confirms = confirms

    @precondition(lambda self: self.world.device_on)
    @rule()
    def device_restarts(self) -> None:
        self.world.device_on = False

    @invariant()
    def bounds_hold(self) -> None:
        world = self.world
        level = world.level if world.device_on else 0
        assert level <= LEVELS
        if level:
            assert level <= max(self.last_level, 1) + 1
            self.last_level = level
        if self.deaf_since is not None and not world.hears and world.device_on:
            assert world.now - self.deaf_since < MICROPHONE_SECONDS + 15.0


TestGovernorWalks = GovernorWalks.TestCase
TestGovernorWalks.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(st.lists(st.floats(0.05, 3.9), min_size=1, max_size=300))
def test_a_deaf_device_is_off_within_the_lease_whatever_the_rhythm(beats: list[float]) -> None:
    world = World().ready()
    world.tick()
    world.hears = False
    deaf_at = world.now
    for beat in beats:
        world.tick(beat)
        if world.now - deaf_at > LEASE_SECONDS:
            assert not world.device_on
