from __future__ import annotations

from fakeissuer.replays import Replays


def test_an_id_is_used_once_in_its_time() -> None:
    used = Replays()
    assert used.use("client", "a", until=100, now=1)
    assert not used.use("client", "a", until=200, now=99)
    assert used.use("another client", "a", until=100, now=99)
    assert used.use("client", "a", until=200, now=100)


def test_is_empty_when_cleared() -> None:
    used = Replays()
    used.use("client", "a", until=100, now=1)
    used.clear()
    assert used.use("client", "a", until=100, now=1)
