from __future__ import annotations

import pytest

from service.web.policy.scopes import AnyOf


def test_keeps_its_values_in_order_and_shows_them() -> None:
    assert ("b", "a") == AnyOf("b", "a").values
    assert "AnyOf('b', 'a')" == repr(AnyOf("b", "a"))


def test_refuses_to_be_met_by_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        AnyOf()
