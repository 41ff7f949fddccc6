from __future__ import annotations

import pytest

from service.operations.doctor.claim_messages import describe_expected, describe_found
from service.tokens.claims import CHECKS, ClaimCheck, ClaimRules

NOW = 1_700_000_000.0
RULES = ClaimRules(issuer="https://x.example", audiences=frozenset({"api://x"}))
STRICT = ClaimRules(
    issuer="https://x.example",
    audiences=frozenset({"api://x", "api://y"}),
    allowed_client_ids=frozenset({"0oa1"}),
    leeway=0,
    max_token_age=300,
    requires_rfc9068=True,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.description)
def test_every_check_has_a_finding_an_expectation_and_advice(check: ClaimCheck) -> None:
    assert describe_found(check, {}, NOW)
    assert describe_expected(check, RULES, NOW)
    assert describe_expected(check, STRICT, NOW)
    assert check.advice


def test_a_check_without_advice_is_allowed() -> None:
    assert "" == describe_expected(ClaimCheck("x", "it is new", lambda *_: None), RULES, NOW)


def test_a_date_is_shown_in_utc_and_relative_to_now() -> None:
    (check,) = [check for check in CHECKS if check.claim == "exp"]
    assert "exp = 1699999700 (2023-11-14 22:08:20 UTC, 5 minutes ago)" == describe_found(
        check, {"exp": 1_699_999_700}, NOW
    )
    assert 'exp = "x" (not a NumericDate)' == describe_found(check, {"exp": "x"}, NOW)
    assert "a date after 2023-11-14 22:11:20 UTC, 2 minutes ago (a leeway of 2 minutes)" == describe_expected(
        check, RULES, NOW
    )
