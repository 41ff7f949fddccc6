from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.caches.authentication import ValueAuthenticator

KEY = ValueAuthenticator(b"k" * 32)


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), name=st.text())
def test_a_sealed_value_can_be_opened_under_its_name_only(value: object, name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    sealed = KEY.seal(name, value)
    assert value == KEY.open(name, sealed)
    assert sealed.isascii()
    for other, key in ((name + "x", KEY), (name, ValueAuthenticator(b"other"))):
        with pytest.raises(ValueError, match="not sealed with this key"):
            key.open(other, sealed)


@given(st.data())
def test_no_character_of_a_sealed_value_can_be_changed(data: st.DataObject) -> None:
    sealed = KEY.seal("a", {"active": True})
    position = data.draw(st.integers(0, len(sealed) - 1))
    character = data.draw(st.characters().filter(lambda c: c != sealed[position]))
    with pytest.raises(ValueError, match="not sealed"):
        KEY.open("a", sealed[:position] + character + sealed[position + 1 :])


@pytest.mark.parametrize("sealed", [None, 1, "", "0" * 64, "0" * 64 + "1", "\udc80" * 70])
def test_other_values_are_rejected(sealed: object) -> None:
    with pytest.raises(ValueError, match="not sealed"):
        KEY.open("a", sealed)


def test_a_name_and_its_value_cannot_be_shifted() -> None:
    assert KEY.seal("a", "b")[:64] != KEY.seal('a"b', "")[:64]


def test_derived_keys_differ_by_purpose_and_the_id_is_short() -> None:
    assert 3 == len({KEY.derive_key("a"), KEY.derive_key("b"), ValueAuthenticator(b"other").derive_key("a")})
    assert 8 == len(KEY.key_id)
    assert KEY.key_id == ValueAuthenticator(b"k" * 32).key_id
