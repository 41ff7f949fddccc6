from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidToken, Reason
from service.tokens.claims import CHECKS, ClaimRules, check_claims, check_type, numeric_date
from service.tokens.jose_header import JOSEHeader

NOW = 1_700_000_000
RULES = ClaimRules(issuer="https://issuer.example", audiences=frozenset({"api://default", "api://other"}), leeway=120)
GOOD: dict[str, Any] = {
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
    "as Okta writes it": {},
    "one of several audiences": {"aud": ["api://elsewhere", "api://default"]},
    "our other audience": {"aud": "api://other"},
    "expired within the leeway": {"exp": NOW - 119},
    "not valid yet within the leeway": {"nbf": NOW + 120},
    "issued in the future within the leeway": {"iat": NOW + 120},
    "dates with fractions": {"exp": NOW + 0.5, "iat": NOW - 0.5},
    "no date but the expiration": {"iat": None},
}


def _spoilt(changes: dict[str, Any]) -> dict[str, Any]:
    """Return good claims with changes; an ``iat`` of None is left out, to show that only ``exp`` is required."""
    claims = GOOD | changes
    if changes == {"iat": None}:
        del claims["iat"]
    return claims


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepts(changes: dict[str, Any]) -> None:
    check_claims(_spoilt(changes), RULES, now=NOW)


REFUSED: dict[str, tuple[dict[str, Any], Reason, str | None]] = {
    "another issuer": ({"iss": "https://other.example"}, Reason.WRONG_ISSUER, "iss"),
    "the issuer with a slash": ({"iss": "https://issuer.example/"}, Reason.WRONG_ISSUER, "iss"),
    "the issuer in capitals": ({"iss": "https://ISSUER.example"}, Reason.WRONG_ISSUER, "iss"),
    "a beginning of the issuer": ({"iss": "https://issuer"}, Reason.WRONG_ISSUER, "iss"),
    "an issuer that is a list": ({"iss": ["https://issuer.example"]}, Reason.MALFORMED_CLAIM, "iss"),
    "another audience": ({"aud": "api://elsewhere"}, Reason.WRONG_AUDIENCE, "aud"),
    "a part of the audience": ({"aud": "api://def"}, Reason.WRONG_AUDIENCE, "aud"),
    "no audience in the list": ({"aud": []}, Reason.WRONG_AUDIENCE, "aud"),
    "an audience that is a number": ({"aud": 1}, Reason.MALFORMED_CLAIM, "aud"),
    "an audience that is null": ({"aud": None}, Reason.MALFORMED_CLAIM, "aud"),
    "an audience among numbers": ({"aud": ["api://default", 1]}, Reason.MALFORMED_CLAIM, "aud"),
    "expired": ({"exp": NOW - 120}, Reason.EXPIRED, "exp"),
    "expired before the epoch": ({"exp": -1}, Reason.EXPIRED, "exp"),
    "not valid yet": ({"nbf": NOW + 121}, Reason.NOT_YET_VALID, "nbf"),
    "issued in the future": ({"iat": NOW + 121}, Reason.ISSUED_IN_FUTURE, "iat"),
    "an ID token by its hash": ({"at_hash": "abc"}, Reason.ID_TOKEN, None),
    "an ID token by its code hash": ({"c_hash": "abc"}, Reason.ID_TOKEN, None),
    "an ID token by Okta's mark": ({"jti": "ID.abc"}, Reason.ID_TOKEN, None),
    "a bound token": ({"cnf": {"jkt": "abc"}}, Reason.SENDER_CONSTRAINED, "cnf"),
    "an empty cnf": ({"cnf": {}}, Reason.SENDER_CONSTRAINED, "cnf"),
}


@pytest.mark.parametrize(("changes", "reason", "claim"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses(changes: dict[str, Any], reason: Reason, claim: str | None) -> None:
    with pytest.raises(InvalidToken) as refusal:
        check_claims(GOOD | changes, RULES, now=NOW)
    assert (reason, claim) == (refusal.value.reason, refusal.value.claim)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp"])
def test_refuses_a_token_without(claim: str) -> None:
    claims = {name: value for name, value in GOOD.items() if name != claim}
    with pytest.raises(InvalidToken) as refusal:
        check_claims(claims, RULES, now=NOW)
    assert (Reason.MISSING_CLAIM, claim) == (refusal.value.reason, refusal.value.claim)


HOSTILE_NUMBERS: list[object] = [
    "1700003600", "", None, True, False, [], [NOW + 60], {}, float("nan"), float("inf"), float("-inf"), 10**400,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE_NUMBERS, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_refuses_what_is_no_date(claim: str, value: object) -> None:
    with pytest.raises(InvalidToken) as refusal:
        check_claims(GOOD | {claim: value}, RULES, now=NOW)
    assert (Reason.MALFORMED_CLAIM, claim) == (refusal.value.reason, refusal.value.claim)


CLIENTS: dict[str, tuple[dict[str, Any], bool]] = {
    "Okta's claim": ({"cid": "mine"}, True),
    "the RFC's claim": ({"client_id": "mine"}, True),
    "the RFC's claim before Okta's": ({"client_id": "mine", "cid": "other"}, True),
    "another client": ({"cid": "other"}, False),
    "another client beside Okta's claim": ({"client_id": "other", "cid": "mine"}, False),
    "a list of clients": ({"cid": ["mine"]}, False),
    "a client that is null": ({"cid": None}, False),
}


@pytest.mark.parametrize(("changes", "allowed"), CLIENTS.values(), ids=CLIENTS.keys())
def test_lets_in_only_the_clients_on_the_list(changes: dict[str, Any], *, allowed: bool) -> None:
    rules = ClaimRules(
        issuer=RULES.issuer, audiences=RULES.audiences, allowed_client_ids=frozenset({"mine"}), leeway=120
    )
    if allowed:
        check_claims(GOOD | changes, rules, now=NOW)
    else:
        with pytest.raises(InvalidToken) as refusal:
            check_claims(GOOD | changes, rules, now=NOW)
        assert Reason.CLIENT_NOT_TRUSTED is refusal.value.reason


@pytest.mark.parametrize(
    "header", [{}, {"typ": "JWT"}, {"typ": "jwt"}, {"typ": "at+jwt"}, {"typ": "application/AT+JWT"}]
)
def test_accepts_the_types_of_access_tokens(header: dict[str, Any]) -> None:
    check_type(JOSEHeader.of(header), RULES)


@pytest.mark.parametrize(
    "typ", ["JWS", "dpop+jwt", "application/okta-internal-at+jwt", "id_token", None, 1, ["at+jwt"]]
)
def test_refuses_other_types(typ: object) -> None:
    with pytest.raises(InvalidToken) as refusal:
        check_type(JOSEHeader.of({"typ": typ}), RULES)
    assert Reason.UNSUPPORTED_TYPE is refusal.value.reason


def test_details_never_hold_a_long_value() -> None:
    secret = "s" * 500
    with pytest.raises(InvalidToken) as refusal:
        check_claims(GOOD | {"aud": secret}, RULES, now=NOW)
    assert secret not in str(refusal.value)
    assert len(str(refusal.value)) < 300


@given(st.dictionaries(st.sampled_from([*GOOD, "nbf", "cnf", "scope"]), st.from_type(object) | st.text() | st.floats()))
def test_any_claims_are_accepted_or_refused_and_nothing_else(changes: dict[str, Any]) -> None:
    for check in (row.check for row in CHECKS):
        with contextlib.suppress(InvalidToken):
            check(GOOD | changes, RULES, NOW)


@given(st.integers() | st.floats())
def test_a_date_is_finite_or_refused(value: float) -> None:
    try:
        date = numeric_date({"exp": value}, "exp")
    except InvalidToken:
        return
    assert date is not None
    assert abs(date) < float("inf")


def _rules(**changes: Any) -> ClaimRules:
    return dataclasses.replace(RULES, **changes)


@pytest.mark.parametrize(("age", "reason"), [(0, None), (719, None), (720, Reason.TOO_OLD), (10_000, Reason.TOO_OLD)])
def test_refuses_a_token_that_is_older_than_allowed(age: int, reason: Reason | None) -> None:
    claims = GOOD | {"iat": NOW - age, "exp": NOW + 100_000}
    check_claims(claims, RULES, now=NOW)
    try:
        check_claims(claims, _rules(max_token_age=600), now=NOW)
    except InvalidToken as refusal:
        assert reason is refusal.reason  # noqa: PT017  # None where nothing may be raised
    else:
        assert reason is None


def test_refuses_a_token_whose_age_cannot_be_told() -> None:
    claims = {name: value for name, value in GOOD.items() if name != "iat"}
    with pytest.raises(InvalidToken) as refusal:
        check_claims(claims, _rules(max_token_age=600), now=NOW)
    assert (Reason.MISSING_CLAIM, "iat") == (refusal.value.reason, refusal.value.claim)


def test_under_the_strict_profile_okta_tokens_lack_a_claim() -> None:
    with pytest.raises(InvalidToken) as refusal:
        check_claims(GOOD, _rules(requires_rfc9068=True), now=NOW)
    assert (Reason.MISSING_CLAIM, "client_id") == (refusal.value.reason, refusal.value.claim)


@pytest.mark.parametrize("claim", ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"])
def test_the_strict_profile_demands_each_claim_of_the_rfc(claim: str) -> None:
    complete = GOOD | {"client_id": "mine"}
    rules = _rules(requires_rfc9068=True)
    check_claims(complete, rules, now=NOW)
    with pytest.raises(InvalidToken) as refusal:
        check_claims({name: value for name, value in complete.items() if name != claim}, rules, now=NOW)
    assert (Reason.MISSING_CLAIM, claim) == (refusal.value.reason, refusal.value.claim)


@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}])
def test_the_strict_profile_demands_its_type(header: dict[str, Any]) -> None:
    check_type(JOSEHeader.of({"typ": "application/at+jwt"}), _rules(requires_rfc9068=True))
    with pytest.raises(InvalidToken) as refusal:
        check_type(JOSEHeader.of(header), _rules(requires_rfc9068=True))
    assert Reason.UNSUPPORTED_TYPE is refusal.value.reason


def test_names_the_token_of_an_okta_org_server() -> None:
    with pytest.raises(InvalidToken, match="Okta org server"):
        check_type(JOSEHeader.of({"typ": "application/okta-internal-at+jwt"}), RULES)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp"])
def test_an_answer_of_the_issuer_may_lack_what_a_token_must_have(claim: str) -> None:
    lacking = {name: value for name, value in GOOD.items() if name != claim}
    check_claims(lacking, _rules(required=frozenset()), now=NOW)
    with pytest.raises(InvalidToken):
        check_claims(lacking, RULES, now=NOW)
    with pytest.raises(InvalidToken):
        check_claims(GOOD | {claim: {}}, _rules(required=frozenset()), now=NOW)
