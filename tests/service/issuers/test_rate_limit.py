from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.clock import ManualClock
from service.issuers.rate_limit import RateLimit


def test_a_burst_is_allowed_and_then_one_request_per_interval(clock: ManualClock) -> None:
    limit = RateLimit(burst=2, every=10.0, clock=clock)
    assert [True, True, False] == [limit.take() for _ in range(3)]
    assert 10 == limit.wait
    clock.advance(4)
    assert 6 == limit.wait
    clock.advance(6)
    assert [0.0, True, False] == [limit.wait, limit.take(), limit.take()]


def test_a_request_that_is_given_back_does_not_count_beyond_the_burst(clock: ManualClock) -> None:
    limit = RateLimit(burst=2, every=10.0, clock=clock)
    for _ in range(5):
        assert limit.take()
        limit.give_back()
    limit.give_back()
    assert [True, True, False] == [limit.take() for _ in range(3)]


@given(st.lists(st.floats(0, 100), max_size=50))
def test_no_sequence_of_requests_exceeds_the_limit(pauses: list[float]) -> None:
    clock = ManualClock()
    limit = RateLimit(burst=3, every=10.0, clock=clock)
    taken = 0
    for pause in pauses:
        clock.advance(pause)
        taken += limit.take()
        assert taken <= 3 + clock.monotonic() / 10 + 1e-6
