from __future__ import annotations

from fakeissuer.state.expiring_store import ExpiringStore


def test_a_value_is_stored_until_it_expires() -> None:
    store: ExpiringStore[str] = ExpiringStore()
    store.put("a", "value", expires_at=10)
    assert (store.get("a", 9.9), store.get("a", 10), store.get("b", 1)) == ("value", None, None)


def test_the_oldest_value_is_removed_first() -> None:
    store: ExpiringStore[int] = ExpiringStore(capacity=2)
    for number in range(3):
        store.put(str(number), number, expires_at=10)
    assert [store.get(str(number), 1) for number in range(3)] == [None, 1, 2]


def test_a_renewed_value_outlives_an_expired_one() -> None:
    store: ExpiringStore[int] = ExpiringStore(capacity=2)
    store.put("in use", 0, expires_at=10)
    store.put("ended", 1, expires_at=11)
    store.put("in use", 0, expires_at=20)
    store.put("new", 2, expires_at=25)
    assert [store.get(name, 11) for name in ("in use", "ended", "new")] == [0, None, 2]
    assert store.all(1) == [0, 2]


def test_values_can_be_deleted_and_cleared() -> None:
    store: ExpiringStore[int] = ExpiringStore()
    for name in ("a", "b", "c"):
        store.put(name, 1, expires_at=10)
    store.delete("a")
    store.delete("unknown")
    assert (store.get("a", 1), store.get("b", 1)) == (None, 1)
    store.clear()
    assert store.get("b", 1) is None
