from __future__ import annotations

from fakeissuer.expiring import Expiring


def test_keeps_a_thing_until_its_moment() -> None:
    kept: Expiring[str] = Expiring()
    kept.put("a", "thing", until=10)
    assert (kept.find("a", 9.9), kept.find("a", 10), kept.find("b", 1)) == ("thing", None, None)


def test_the_oldest_is_forgotten_first() -> None:
    kept: Expiring[int] = Expiring(capacity=2)
    for number in range(3):
        kept.put(str(number), number, until=10)
    assert [kept.find(str(number), 1) for number in range(3)] == [None, 1, 2]


def test_forgets_one_or_all() -> None:
    kept: Expiring[int] = Expiring()
    for name in ("a", "b", "c"):
        kept.put(name, 1, until=10)
    kept.drop("a")
    kept.drop("unknown")
    assert (kept.find("a", 1), kept.find("b", 1)) == (None, 1)
    kept.clear()
    assert kept.find("b", 1) is None
