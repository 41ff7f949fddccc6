"""Formats the found and the expected value of a claim check for ``explain``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import InvalidToken
from service.operations.doctor.formatting import format_date, format_duration, to_json
from service.tokens.claims import ClaimCheck, ClaimRules, check_rfc9068_claims, numeric_date

_DATES = ("exp", "nbf", "iat")


def describe_found(check: ClaimCheck, claims: Mapping[str, Any], now: float) -> str:
    """Return the claims that a check reads; dates also in UTC and relative to now."""
    if check.check is check_rfc9068_claims:
        return f"the claims {', '.join(sorted(claims))}" if claims else "no claims"
    names = (check.claim, *check.other_claims)
    found = [f"{name} = {to_json(claims[name])}{_date(claims, name, now)}" for name in names if name in claims]
    return ", ".join(found) or f"no {check.claim}"


def describe_expected(check: ClaimCheck, rules: ClaimRules, now: float) -> str:
    """Return the expected value of a check under these rules, or an empty string if the check has no text for it."""
    clients = rules.allowed_client_ids
    return check.expected.format_map(
        {
            "issuer": to_json(rules.issuer),
            "audiences": _alternatives(rules.audiences),
            "clients": "any client" if clients is None else _alternatives(clients),
            "earliest": format_date(now - rules.leeway, now),
            "latest": format_date(now + rules.leeway, now),
            "leeway": _leeway(rules),
            "max_age": _max_age(rules),
            "required_claims": "all that RFC 9068 section 2.2 requires"
            if rules.requires_rfc9068
            else "nothing more, since token_profile is not rfc9068",
        }
    )


def _date(claims: Mapping[str, Any], name: str, now: float) -> str:
    if name not in _DATES:
        return ""
    try:
        return f" ({format_date(numeric_date(claims, name) or 0.0, now)})"
    except InvalidToken:
        return " (not a NumericDate)"


def _alternatives(values: frozenset[str]) -> str:
    return " or ".join(map(to_json, sorted(values)))


def _leeway(rules: ClaimRules) -> str:
    return f" (a leeway of {format_duration(rules.leeway)})" if rules.leeway else ""


def _max_age(rules: ClaimRules) -> str:
    if rules.max_token_age is None:
        return "any age, since max_token_age is not set"
    return f"at most {format_duration(rules.max_token_age)} ago{_leeway(rules)}"
