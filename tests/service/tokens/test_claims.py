from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidToken, Reason
from service.tokens.claim_rules import ClaimRules
from service.tokens.claims import CHECKS, check_claims, numeric_date

NOW = 1_700_000_000
RULES = ClaimRules(issuer="https://issuer.example", audiences=frozenset({"api://default", "api://other"}), leeway=120)
VALID: dict[str, Any] = {
    "ver": 1,
    "jti": "AT.abc",
    "iss": "https://issuer.example",
    "aud": "api://default",
    "iat": NOW,
    "exp": NOW + 3600,
    "cid": "0oaservice0000000001",
    "scp": ["api:read"],
    "sub": "alice@example.com",
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "the claims of Okta": {},
    "one of several audiences": {"aud": ["api://elsewhere", "api://default"]},
    "our other audience": {"aud": "api://other"},
    "expired within the leeway": {"exp": NOW - 119},
    "not valid yet within the leeway": {"nbf": NOW + 120},
    "issued in the future within the leeway": {"iat": NOW + 120},
    "dates with fractions": {"exp": NOW + 0.5, "iat": NOW - 0.5},
    "no date except the expiration": {"iat": None},
}


def _changed(changes: dict[str, Any]) -> dict[str, Any]:
    """Return valid claims with changes; an ``iat`` of None is removed."""
    claims = VALID | changes
    if changes == {"iat": None}:
        del claims["iat"]
    return claims


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_valid_claims_are_accepted(changes: dict[str, Any]) -> None:
    check_claims(_changed(changes), RULES, now=NOW)


REJECTED: dict[str, tuple[dict[str, Any], Reason, str | None]] = {
    "another issuer": ({"iss": "https://other.example"}, Reason.WRONG_ISSUER, "iss"),
    "the issuer with a slash": ({"iss": "https://issuer.example/"}, Reason.WRONG_ISSUER, "iss"),
    "the issuer in capitals": ({"iss": "https://ISSUER.example"}, Reason.WRONG_ISSUER, "iss"),
    "a prefix of the issuer": ({"iss": "https://issuer"}, Reason.WRONG_ISSUER, "iss"),
    "an issuer that is a list": ({"iss": ["https://issuer.example"]}, Reason.MALFORMED_CLAIM, "iss"),
    "another audience": ({"aud": "api://elsewhere"}, Reason.WRONG_AUDIENCE, "aud"),
    "a prefix of the audience": ({"aud": "api://def"}, Reason.WRONG_AUDIENCE, "aud"),
    "an empty list of audiences": ({"aud": []}, Reason.WRONG_AUDIENCE, "aud"),
    "an audience that is a number": ({"aud": 1}, Reason.MALFORMED_CLAIM, "aud"),
    "an audience that is null": ({"aud": None}, Reason.MALFORMED_CLAIM, "aud"),
    "a list of audiences with a number": ({"aud": ["api://default", 1]}, Reason.MALFORMED_CLAIM, "aud"),
    "expired": ({"exp": NOW - 120}, Reason.EXPIRED, "exp"),
    "expired before the epoch": ({"exp": -1}, Reason.EXPIRED, "exp"),
    "not valid yet": ({"nbf": NOW + 121}, Reason.NOT_YET_VALID, "nbf"),
    "issued in the future": ({"iat": NOW + 121}, Reason.ISSUED_IN_FUTURE, "iat"),
    "a token bound to a key in another way": ({"cnf": {"kid": "a"}}, Reason.SENDER_CONSTRAINED, "cnf"),
    "a malformed thumbprint": ({"cnf": {"jkt": "abc"}}, Reason.MALFORMED_CLAIM, "cnf"),
    "an empty cnf": ({"cnf": {}}, Reason.SENDER_CONSTRAINED, "cnf"),
    "a token of type DPoP without cnf": ({"typ": "DPoP"}, Reason.SENDER_CONSTRAINED, "typ"),
    "a response of type DPoP without cnf": ({"token_type": "dpop"}, Reason.SENDER_CONSTRAINED, "token_type"),
    "an ID token": ({"at_hash": "abc"}, Reason.ID_TOKEN, "at_hash"),
}


@pytest.mark.parametrize(("changes", "reason", "claim"), REJECTED.values(), ids=REJECTED.keys())
def test_invalid_claims_are_rejected(changes: dict[str, Any], reason: Reason, claim: str | None) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(VALID | changes, RULES, now=NOW)
    assert (reason, claim) == (exc_info.value.reason, exc_info.value.claim)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp"])
def test_a_missing_claim_is_rejected(claim: str) -> None:
    claims = {name: value for name, value in VALID.items() if name != claim}
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(claims, RULES, now=NOW)
    assert (Reason.MISSING_CLAIM, claim) == (exc_info.value.reason, exc_info.value.claim)


HOSTILE_NUMBERS: list[object] = [
    "1700003600", "", None, True, False, [], [NOW + 60], {}, float("nan"), float("inf"), float("-inf"), 10**400,
    1e300, -1e300, 2.0**53,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE_NUMBERS, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_a_malformed_date_is_rejected(claim: str, value: object) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(VALID | {claim: value}, RULES, now=NOW)
    assert (Reason.MALFORMED_CLAIM, claim) == (exc_info.value.reason, exc_info.value.claim)


CLIENTS: dict[str, tuple[dict[str, Any], bool]] = {
    "Okta's claim": ({"cid": "mine"}, True),
    "the RFC's claim": ({"client_id": "mine"}, True),
    "both claims": ({"client_id": "mine", "cid": "mine"}, True),
    "Entra's claim": ({"azp": "mine"}, True),
    "another client": ({"cid": "other"}, False),
    "another client in Entra's claim": ({"azp": "other"}, False),
}


@pytest.mark.parametrize(("changes", "allowed"), CLIENTS.values(), ids=CLIENTS.keys())
def test_only_allowed_clients_are_accepted(changes: dict[str, Any], *, allowed: bool) -> None:
    rules = ClaimRules(
        issuer=RULES.issuer, audiences=RULES.audiences, allowed_client_ids=frozenset({"mine"}), leeway=120
    )
    claims = {name: value for name, value in VALID.items() if name != "cid"}
    if allowed:
        check_claims(claims | changes, rules, now=NOW)
    else:
        with pytest.raises(InvalidToken) as exc_info:
            check_claims(claims | changes, rules, now=NOW)
        assert Reason.CLIENT_NOT_TRUSTED is exc_info.value.reason


NO_AUDIENCE = dataclasses.replace(
    RULES, accepts_without_audience=True, allowed_client_ids=frozenset({"0oaservice0000000001"})
)


@pytest.mark.parametrize("aud", [None, [], "api://default"])
def test_a_token_without_an_audience_is_accepted_from_an_allowed_client(aud: object) -> None:
    claims = {name: value for name, value in (VALID | {"aud": aud}).items() if value is not None}
    check_claims(claims, NO_AUDIENCE, now=NOW)
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(claims | {"cid": "other"}, NO_AUDIENCE, now=NOW)
    assert Reason.CLIENT_NOT_TRUSTED is exc_info.value.reason
    del claims["cid"]
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(claims, NO_AUDIENCE, now=NOW)
    assert Reason.CLIENT_NOT_TRUSTED is exc_info.value.reason


@pytest.mark.parametrize("aud", ["", None, {}, 0, False, "api://elsewhere", ["api://elsewhere"]])
def test_another_audience_is_rejected_even_if_none_is_required(aud: object) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(VALID | {"aud": aud}, NO_AUDIENCE, now=NOW)
    assert "aud" == exc_info.value.claim


def test_the_setting_that_accepts_tokens_without_an_audience_is_named() -> None:
    claims = {name: value for name, value in VALID.items() if name != "aud"}
    with pytest.raises(InvalidToken, match="rejected unless accept_tokens_without_audience is set"):
        check_claims(claims, RULES, now=NOW)


def test_the_detail_shortens_a_long_value() -> None:
    secret = "s" * 500
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(VALID | {"aud": secret}, RULES, now=NOW)
    assert secret not in str(exc_info.value)
    assert len(str(exc_info.value)) < 300


@given(
    st.dictionaries(st.sampled_from([*VALID, "nbf", "cnf", "scope"]), st.from_type(object) | st.text() | st.floats())
)
def test_any_claims_are_accepted_or_rejected(changes: dict[str, Any]) -> None:
    for check in (row.check for row in CHECKS):
        with contextlib.suppress(InvalidToken):
            check(VALID | changes, RULES, NOW)


@given(st.integers() | st.floats())
def test_a_date_is_finite_or_rejected(value: float) -> None:
    try:
        date = numeric_date({"exp": value}, "exp")
    except InvalidToken:
        return
    assert date is not None
    assert abs(date) < float("inf")


def _rules(**changes: Any) -> ClaimRules:
    return dataclasses.replace(RULES, **changes)


@pytest.mark.parametrize(("age", "reason"), [(0, None), (719, None), (720, Reason.TOO_OLD), (10_000, Reason.TOO_OLD)])
def test_a_token_older_than_the_maximum_age_is_rejected(age: int, reason: Reason | None) -> None:
    claims = VALID | {"iat": NOW - age, "exp": NOW + 100_000}
    check_claims(claims, RULES, now=NOW)
    try:
        check_claims(claims, _rules(max_token_age=600), now=NOW)
    except InvalidToken as exc:
        assert reason is exc.reason  # noqa: PT017  # None if no error is expected
    else:
        assert reason is None


def test_a_token_of_unknown_age_is_rejected() -> None:
    claims = {name: value for name, value in VALID.items() if name != "iat"}
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(claims, _rules(max_token_age=600), now=NOW)
    assert (Reason.MISSING_CLAIM, "iat") == (exc_info.value.reason, exc_info.value.claim)


def test_the_rfc9068_profile_rejects_okta_tokens() -> None:
    with pytest.raises(InvalidToken) as exc_info:
        check_claims(VALID, _rules(requires_rfc9068=True), now=NOW)
    assert (Reason.MISSING_CLAIM, "client_id") == (exc_info.value.reason, exc_info.value.claim)


@pytest.mark.parametrize("claim", ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"])
def test_the_rfc9068_profile_requires_each_claim_of_the_rfc(claim: str) -> None:
    complete = VALID | {"client_id": "mine"}
    rules = _rules(requires_rfc9068=True)
    check_claims(complete, rules, now=NOW)
    with pytest.raises(InvalidToken) as exc_info:
        check_claims({name: value for name, value in complete.items() if name != claim}, rules, now=NOW)
    assert (Reason.MISSING_CLAIM, claim) == (exc_info.value.reason, exc_info.value.claim)


@pytest.mark.parametrize("rule", [{"max_token_age": 600}, {"allowed_client_ids": frozenset({"mine"})}], ids=str)
def test_a_claim_that_a_rule_reads_may_be_missing_only_if_it_is_not_required(rule: dict[str, Any]) -> None:
    incomplete = {name: value for name, value in VALID.items() if name not in {"iat", "cid"}}
    check_claims(incomplete, _rules(required=frozenset(), **rule), now=NOW)
    with pytest.raises(InvalidToken):
        check_claims(incomplete, _rules(**rule), now=NOW)
    with pytest.raises(InvalidToken):
        check_claims(VALID | {"iat": 0, "cid": "other"}, _rules(required=frozenset(), **rule), now=NOW)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp"])
def test_an_introspection_response_may_lack_a_required_claim(claim: str) -> None:
    incomplete = {name: value for name, value in VALID.items() if name != claim}
    check_claims(incomplete, _rules(required=frozenset()), now=NOW)
    with pytest.raises(InvalidToken):
        check_claims(incomplete, RULES, now=NOW)
    with pytest.raises(InvalidToken):
        check_claims(VALID | {claim: {}}, _rules(required=frozenset()), now=NOW)
