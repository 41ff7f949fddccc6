from __future__ import annotations

from fakeissuer.state.expiring_store import ExpiringStore


def test_keeps_a_thing_until_its_moment() -> None:
    kept: ExpiringStore[str] = ExpiringStore()
    kept.put("a", "thing", expires_at=10)
    assert (kept.get("a", 9.9), kept.get("a", 10), kept.get("b", 1)) == ("thing", None, None)


def test_the_oldest_is_forgotten_first() -> None:
    kept: ExpiringStore[int] = ExpiringStore(capacity=2)
    for number in range(3):
        kept.put(str(number), number, expires_at=10)
    assert [kept.get(str(number), 1) for number in range(3)] == [None, 1, 2]


def test_what_is_in_use_outlives_what_has_ended() -> None:
    kept: ExpiringStore[int] = ExpiringStore(capacity=2)
    kept.put("in use", 0, expires_at=10)
    kept.put("ended", 1, expires_at=11)
    kept.put("in use", 0, expires_at=20)
    kept.put("new", 2, expires_at=25)
    assert [kept.get(name, 11) for name in ("in use", "ended", "new")] == [0, None, 2]
    assert kept.all(1) == [0, 2]


def test_forgets_one_or_all() -> None:
    kept: ExpiringStore[int] = ExpiringStore()
    for name in ("a", "b", "c"):
        kept.put(name, 1, expires_at=10)
    kept.delete("a")
    kept.delete("unknown")
    assert (kept.get("a", 1), kept.get("b", 1)) == (None, 1)
    kept.clear()
    assert kept.get("b", 1) is None
