from __future__ import annotations

from fakeissuer.state.used_jtis import UsedJTIs


def test_an_id_can_be_used_once_until_it_expires() -> None:
    used = UsedJTIs()
    assert used.add_once("client", "a", expires_at=100, now=1)
    assert not used.add_once("client", "a", expires_at=200, now=99)
    assert used.add_once("another client", "a", expires_at=100, now=99)
    assert used.add_once("client", "a", expires_at=200, now=100)


def test_ids_of_different_owners_are_distinct() -> None:
    used = UsedJTIs()
    assert used.add_once("a", "b, c", expires_at=100, now=1)
    assert used.add_once("a, b", "c", expires_at=100, now=1)


def test_expired_ids_are_removed_without_rebuilding_the_set() -> None:
    used = UsedJTIs()
    for number in range(1000):
        used.add_once("client", "x" * number, expires_at=100 + number, now=1)
    held = used._used
    assert {len(digest) for digest in held} == {32}
    used.add_once("client", "another", expires_at=5000, now=599)
    assert len(held) == len(used._expirations) == 501
    assert held is used._used  # the set was not rebuilt


def test_cleared_ids_can_be_used_again() -> None:
    used = UsedJTIs()
    used.add_once("client", "a", expires_at=100, now=1)
    used.clear()
    assert used.add_once("client", "a", expires_at=100, now=1)
