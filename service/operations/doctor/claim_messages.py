"""For each check of a claim, what was seen and what was expected, in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from service.errors import InvalidToken
from service.operations.doctor.formatting import format_date, format_duration, to_json
from service.tokens import claims as checks
from service.tokens.claims import ClaimCheck, ClaimRules, numeric_date

Expected = Callable[[ClaimRules, float], str]

_DATES = ("exp", "nbf", "iat")
_RELATED_CLAIMS = {"client_id": ("client_id", "cid"), "jti": ("jti", "at_hash", "c_hash")}
"""The claims that a check looks at, where they are more than the one it is named for."""

_EXPECTED: Mapping[Callable[..., None], Expected] = {
    checks.check_issuer: lambda rules, _: to_json(rules.issuer),
    checks.check_audience: lambda rules, _: _one_of(rules.audiences),
    checks.check_expiration: lambda rules, now: f"a date after {format_date(now - rules.leeway, now)}{_leeway(rules)}",
    checks.check_not_before: lambda rules, now: f"none, or a date up to {format_date(now + rules.leeway, now)}",
    checks.check_issued_at: lambda rules, now: f"none, or a date up to {format_date(now + rules.leeway, now)}",
    checks.check_max_age: lambda rules, _: _age(rules),
    checks.check_client_id: lambda rules, _: "any client" if rules.allowed_client_ids is None
    else _one_of(rules.allowed_client_ids),
    checks.check_not_id_token: lambda _, __: "nothing that only ID tokens have",
    checks.check_not_sender_constrained: lambda _, __: "no cnf",
    checks.check_rfc9068_claims: lambda rules, _: "all that RFC 9068 section 2.2 requires" if rules.requires_rfc9068
    else "nothing more, since token_profile is not rfc9068",
}  # fmt: skip

_CLOCKS = "python -m service check compares the two clocks; correct the one that is wrong"

ADVICE: Mapping[Callable[..., None], str] = {
    checks.check_issuer: "ask the issuer that is trusted for a token",
    checks.check_audience: "ask for a token for this API; or, if this is what your authorization server calls it, "
    "set OKTA_OAUTH2_AUDIENCE to that",
    checks.check_expiration: f"ask the issuer for a new token; if it is new, {_CLOCKS}",
    checks.check_not_before: f"wait; or, if the token is meant for now, {_CLOCKS}",
    checks.check_issued_at: _CLOCKS,
    checks.check_max_age: "ask the issuer for a new token, or set a longer max_token_age",
    checks.check_client_id: "add the client to SERVICE_ALLOWED_CLIENT_IDS, if it may call this API",
    checks.check_not_id_token: "send the access token that came with it; an ID token is for the client alone",
    checks.check_not_sender_constrained: "request a bearer token, without DPoP and without a client certificate",
    checks.check_rfc9068_claims: "have the issuer put the claim into its tokens, or leave token_profile lenient",
}
"""For each check, what to do about a token that it refuses."""


def describe_found(check: ClaimCheck, claims: Mapping[str, Any], now: float) -> str:
    """Return what a check finds in the claims it looks at; dates in UTC too, and relative to now."""
    if check.check is checks.check_rfc9068_claims:
        return f"the claims {', '.join(sorted(claims))}" if claims else "no claims"
    names = _RELATED_CLAIMS.get(check.claim, (check.claim,))
    found = [f"{name} = {to_json(claims[name])}{_date(claims, name, now)}" for name in names if name in claims]
    return ", ".join(found) or f"no {check.claim}"


def describe_expected(check: ClaimCheck, rules: ClaimRules, now: float) -> str:
    """Return what a check expects; empty for a check that nobody has found words for yet."""
    expected = _EXPECTED.get(check.check)
    return expected(rules, now) if expected else ""


def _date(claims: Mapping[str, Any], name: str, now: float) -> str:
    if name not in _DATES:
        return ""
    try:
        return f" ({format_date(numeric_date(claims, name) or 0.0, now)})"
    except InvalidToken:
        return " (not a NumericDate)"


def _one_of(values: frozenset[str]) -> str:
    return " or ".join(map(to_json, sorted(values)))


def _leeway(rules: ClaimRules) -> str:
    return f" (a leeway of {format_duration(rules.leeway)})" if rules.leeway else ""


def _age(rules: ClaimRules) -> str:
    if rules.max_token_age is None:
        return "any age, since max_token_age is not set"
    return f"at most {format_duration(rules.max_token_age)} ago{_leeway(rules)}"
