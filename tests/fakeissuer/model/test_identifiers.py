from __future__ import annotations

from fakeissuer.model.identifiers import LONGEST_CHAIN, is_of_grant, new_grant_id


def test_what_was_exchanged_hangs_on_what_it_was_exchanged_for() -> None:
    first = new_grant_id()
    second = new_grant_id(first)
    third = new_grant_id(second)
    assert all(is_of_grant(one, first) for one in (first, second, third))
    assert is_of_grant(third, second)
    assert not is_of_grant(first, second)
    assert not is_of_grant(new_grant_id(), first)
    assert not is_of_grant(None, first)


def test_no_chain_makes_an_id_grow_without_end() -> None:
    first = last = new_grant_id()
    for _ in range(100):
        last = new_grant_id(last)
    assert last.count(".") == LONGEST_CHAIN
    assert is_of_grant(last, first)
