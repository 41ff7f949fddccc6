from __future__ import annotations

from typing import Any

import pytest

from service.errors import InvalidToken, Reason
from service.tokens.binding.confirmation import Confirmation, read_confirmation

HASH = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@pytest.mark.parametrize(
    ("cnf", "expected"),
    [
        ({"jkt": HASH}, Confirmation(HASH, None)),
        ({"x5t#S256": HASH}, Confirmation(None, HASH)),
        ({"jkt": HASH, "x5t#S256": HASH}, Confirmation(HASH, HASH)),
    ],
)
def test_the_thumbprints_are_read(cnf: dict[str, Any], expected: Confirmation) -> None:
    assert expected == read_confirmation({"cnf": cnf})


@pytest.mark.parametrize(
    ("cnf", "reason"),
    [
        (None, Reason.SENDER_CONSTRAINED),
        ({}, Reason.SENDER_CONSTRAINED),
        (HASH, Reason.SENDER_CONSTRAINED),
        ([HASH], Reason.SENDER_CONSTRAINED),
        ({"kid": "a"}, Reason.SENDER_CONSTRAINED),
        ({"jwk": {}}, Reason.SENDER_CONSTRAINED),
        ({"jkt": HASH, "osc": "a"}, Reason.SENDER_CONSTRAINED),
        ({"x5t": HASH}, Reason.SENDER_CONSTRAINED),
        ({"jkt": None}, Reason.MALFORMED_CLAIM),
        ({"jkt": HASH + "="}, Reason.MALFORMED_CLAIM),
        ({"jkt": HASH[:-1]}, Reason.MALFORMED_CLAIM),
        ({"jkt": HASH, "x5t#S256": 7}, Reason.MALFORMED_CLAIM),
    ],
)
def test_a_binding_that_cannot_be_checked_is_rejected(cnf: Any, reason: Reason) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        read_confirmation({"cnf": cnf})
    assert (reason, "cnf") == (exc_info.value.reason, exc_info.value.claim)
