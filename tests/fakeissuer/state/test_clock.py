from __future__ import annotations

import math

import pytest

from fakeissuer.errors import InvalidRequestError
from fakeissuer.state.clock import MAX_TIMESTAMP_S, Clock


class RealTime:
    """Time that only the test advances."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def real_time() -> RealTime:
    return RealTime()


@pytest.fixture
def clock(real_time: RealTime) -> Clock:
    return Clock(real_time)


def test_the_clock_runs_with_real_time(clock: Clock, real_time: RealTime) -> None:
    real_time.now += 5
    assert clock.now() == 1_005


def test_an_advanced_clock_continues_to_run(clock: Clock, real_time: RealTime) -> None:
    clock.advance(100)
    real_time.now += 5
    assert clock.now() == 1_105


def test_the_clock_can_go_back(clock: Clock) -> None:
    clock.advance(-100)
    assert clock.now() == 900


def test_a_set_clock_continues_to_run(clock: Clock, real_time: RealTime) -> None:
    clock.set(5_000)
    real_time.now += 1
    assert clock.now() == 5_001


def test_a_frozen_clock_stands_still_and_can_be_advanced(clock: Clock, real_time: RealTime) -> None:
    clock.freeze()
    real_time.now += 50
    assert clock.now() == 1_000
    clock.advance(10)
    real_time.now += 50
    assert clock.now() == 1_010


def test_an_unfrozen_clock_continues_from_its_time(clock: Clock, real_time: RealTime) -> None:
    clock.freeze()
    real_time.now += 50
    clock.unfreeze()
    real_time.now += 1
    assert clock.now() == 1_001


def test_unfreezing_a_running_clock_changes_nothing(clock: Clock) -> None:
    clock.advance(10)
    clock.unfreeze()
    assert clock.now() == 1_010


def test_a_reset_returns_to_real_time(clock: Clock, real_time: RealTime) -> None:
    clock.advance(10)
    clock.freeze()
    clock.reset()
    real_time.now += 1
    assert clock.now() == 1_001


def test_the_state_has_offset_and_frozen(clock: Clock) -> None:
    clock.advance(10)
    state = clock.state()
    assert (state.now, state.offset, state.frozen) == (1_010, 10, False)
    clock.freeze()
    state = clock.state()
    assert (state.now, state.offset, state.frozen) == (1_010, 10, True)


@pytest.mark.parametrize("value", [True, "5", None, math.nan, math.inf, -math.inf, 1e300, -1e300, 10**400])
def test_an_invalid_number_of_seconds_is_rejected(clock: Clock, value: float) -> None:
    for move in (clock.advance, clock.set):
        with pytest.raises(InvalidRequestError):
            move(value)
    assert clock.now() == 1_000


def test_the_clock_stops_at_the_year_9999(clock: Clock) -> None:
    clock.set(MAX_TIMESTAMP_S)
    with pytest.raises(InvalidRequestError):
        clock.advance(1)
    assert clock.now() == MAX_TIMESTAMP_S


def test_the_monotonic_time_advances_with_the_clock_and_never_goes_back() -> None:
    real_time, real_monotonic = RealTime(), RealTime()
    real_monotonic.now = 10.0
    clock = Clock(real_time, real_monotonic)
    seen = [clock.monotonic()]

    def add() -> None:
        seen.append(clock.monotonic())

    real_monotonic.now += 1
    add()
    clock.advance(100)
    add()
    clock.advance(-50)
    add()
    clock.freeze()
    real_monotonic.now += 1_000
    add()
    clock.advance(5)
    add()
    clock.unfreeze()
    real_monotonic.now += 2
    add()
    clock.freeze()
    clock.reset()
    real_monotonic.now += 3
    add()
    assert seen == [10.0, 11.0, 111.0, 111.0, 111.0, 116.0, 118.0, 121.0]
