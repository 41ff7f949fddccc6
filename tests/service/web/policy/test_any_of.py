from __future__ import annotations

import pytest

from service.web.policy.scopes import AnyOf


def test_values_keep_their_order_and_appear_in_the_repr() -> None:
    assert ("b", "a") == AnyOf("b", "a").values
    assert "AnyOf('b', 'a')" == repr(AnyOf("b", "a"))


def test_no_values_raise_value_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        AnyOf()
