from __future__ import annotations

import math

import pytest

from fakeissuer.model.records import parse_numeric_date


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), (-1, -1.0), (1.5, 1.5), (2**70, float(2**70))])
def test_a_finite_number_is_a_numeric_date(value: object, expected: float) -> None:
    assert parse_numeric_date(value) == expected


@pytest.mark.parametrize("value", [None, True, "5", [], math.nan, math.inf, -math.inf, 10**400, -(10**400)], ids=repr)
def test_any_other_value_is_rejected(value: object) -> None:
    assert parse_numeric_date(value) is None
