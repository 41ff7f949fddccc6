from __future__ import annotations

import json
import math
from datetime import date, datetime, time
from typing import Any

import pytest

from fakeissuer.model.checks import check_custom_claims


@pytest.mark.parametrize("value", [None, True, 0, -1.5, 2**70, "text", [], {}, ["a", {"b": [None]}], ("a", 1)])
def test_a_claim_can_be_any_json_value(value: Any) -> None:
    check_custom_claims({"x": value}, {})
    json.dumps(value, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2020, 1, 1), "claims.x holds a date;"),
        (datetime(2020, 1, 1), "claims.x holds a datetime;"),  # noqa: DTZ001  # as TOML gives it
        (time(12), "claims.x holds a time;"),
        (b"bytes", "claims.x holds a bytes;"),
        (math.inf, "claims.x holds a number"),
        (math.nan, "claims.x holds a number"),
        (10**400, "claims.x holds a number"),
        (["a", math.inf], "claims.x holds a number"),
        ({"y": {"z": [date(2020, 1, 1)]}}, "claims.x.y.z holds a date;"),
    ],
)
def test_a_claim_that_json_cannot_represent_is_rejected(value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=f"^{expected}"):
        check_custom_claims({"x": value}, {})
    with pytest.raises(ValueError, match=f"^id_token_{expected}"):
        check_custom_claims({}, {"x": value})
