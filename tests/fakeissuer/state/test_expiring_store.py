from __future__ import annotations

from fakeissuer.state.expiring_store import Expiring


def test_keeps_a_thing_until_its_moment() -> None:
    kept: Expiring[str] = Expiring()
    kept.put("a", "thing", until=10)
    assert (kept.find("a", 9.9), kept.find("a", 10), kept.find("b", 1)) == ("thing", None, None)


def test_the_oldest_is_forgotten_first() -> None:
    kept: Expiring[int] = Expiring(capacity=2)
    for number in range(3):
        kept.put(str(number), number, until=10)
    assert [kept.find(str(number), 1) for number in range(3)] == [None, 1, 2]


def test_what_is_in_use_outlives_what_has_ended() -> None:
    kept: Expiring[int] = Expiring(capacity=2)
    kept.put("in use", 0, until=10)
    kept.put("ended", 1, until=11)
    kept.put("in use", 0, until=20)
    kept.put("new", 2, until=25)
    assert [kept.find(name, 11) for name in ("in use", "ended", "new")] == [0, None, 2]
    assert kept.all(1) == [0, 2]


def test_forgets_one_or_all() -> None:
    kept: Expiring[int] = Expiring()
    for name in ("a", "b", "c"):
        kept.put(name, 1, until=10)
    kept.drop("a")
    kept.drop("unknown")
    assert (kept.find("a", 1), kept.find("b", 1)) == (None, 1)
    kept.clear()
    assert kept.find("b", 1) is None
