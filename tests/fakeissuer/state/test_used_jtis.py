from __future__ import annotations

from fakeissuer.state.used_jtis import Replays


def test_an_id_is_used_once_in_its_time() -> None:
    used = Replays()
    assert used.use("client", "a", until=100, now=1)
    assert not used.use("client", "a", until=200, now=99)
    assert used.use("another client", "a", until=100, now=99)
    assert used.use("client", "a", until=200, now=100)


def test_an_id_of_one_owner_is_none_of_another() -> None:
    used = Replays()
    assert used.use("a", "b, c", until=100, now=1)
    assert used.use("a, b", "c", until=100, now=1)


def test_what_is_over_takes_no_room_and_what_is_not_costs_no_time() -> None:
    used = Replays()
    for number in range(1000):
        used.use("client", "x" * number, until=100 + number, now=1)
    held = used._used
    assert {len(digest) for digest in held} == {32}
    used.use("client", "another", until=5000, now=599)
    assert len(held) == len(used._ends) == 501
    assert held is used._used  # nothing was built anew


def test_is_empty_when_cleared() -> None:
    used = Replays()
    used.use("client", "a", until=100, now=1)
    used.clear()
    assert used.use("client", "a", until=100, now=1)
