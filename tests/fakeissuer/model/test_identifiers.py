from __future__ import annotations

from fakeissuer.model.identifiers import MAX_CHAIN_LENGTH, descends_from, new_grant_id


def test_an_exchanged_grant_descends_from_its_parents() -> None:
    first = new_grant_id()
    second = new_grant_id(first)
    third = new_grant_id(second)
    assert all(descends_from(one, first) for one in (first, second, third))
    assert descends_from(third, second)
    assert not descends_from(first, second)
    assert not descends_from(new_grant_id(), first)
    assert not descends_from(None, first)


def test_the_length_of_a_chain_is_limited() -> None:
    first = last = new_grant_id()
    for _ in range(100):
        last = new_grant_id(last)
    assert last.count(".") == MAX_CHAIN_LENGTH
    assert descends_from(last, first)
