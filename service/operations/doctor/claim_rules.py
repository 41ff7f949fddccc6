"""The rules for the claims of a token: each applies one check of the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from service.errors import InvalidToken, Reason, TokenError
from service.operations.doctor.advice.confusions import explain_audience
from service.operations.doctor.context import ExplainContext
from service.operations.doctor.formatting import format_date, format_duration, to_json
from service.tokens.claim_names import MISSING, find_claim
from service.tokens.claim_rules import ClaimCheck, ClaimRules
from service.tokens.claims import CHECKS, numeric_date
from service.tokens.principal import check_principal
from service.tokens.token_kinds import check_kind
from service.validators.introspection_claims import AUDIENCE_SETTING

_ADVICE_WITHOUT_AUDIENCE = (
    "configure the issuer to add an audience{hint}; or, if its tokens never have one, set "
    "accept_tokens_without_audience to true, and allowed_client_ids to the clients that may call this API"
)
_DATES = ("exp", "nbf", "iat")


def check_claim(
    check: ClaimCheck,
    *,
    claims: Mapping[str, Any] | None = None,
    rules: ClaimRules | None = None,
    convert: Callable[[InvalidToken], InvalidToken] = lambda error: error,
) -> Callable[[ExplainContext], Awaitable[None]]:
    """Return the rule that applies a check of the service.

    Args:
        claims: The claims to check; by default, those of the JWT, whose signature has been verified.
        rules: The rules for these claims; by default, those for JWTs of the issuer.
        convert: Returns the error of the service for that of the check.
    """

    async def rule(context: ExplainContext) -> None:
        checked = context.token.unverified_claims if claims is None else claims
        applied = rules or context.rules
        context.found = _found(check, checked, applied, context.now)
        context.expected = _expected(check, applied, context.now)
        context.advice = _advice(check, checked, applied, context)
        try:
            check.check(checked, applied, context.now)
        except InvalidToken as exc:
            error = convert(exc)
            if error.setting == AUDIENCE_SETTING:
                context.advice = "configure the issuer to add an aud"
            raise error from None

    return rule


def _explain_kind(claims: Mapping[str, Any], rules: ClaimRules) -> str:
    """Return which other kind of token has this audience; the service checks the audience first."""
    try:
        check_kind(claims, rules, 0.0)
    except InvalidToken as exc:
        return f"{exc.detail}: send the access token"
    return ""


def _advice(check: ClaimCheck, claims: Mapping[str, Any], rules: ClaimRules, context: ExplainContext) -> str:
    if check.claim != "aud" or context.issuer is None:
        return check.advice
    hint = _explain_kind(claims, rules) or explain_audience(claims, profile=context.issuer.profile.server.name)
    if "aud" not in claims:
        return _ADVICE_WITHOUT_AUDIENCE.format(hint=f" ({hint})" if hint else "")
    return f"{hint}; {check.advice}" if hint else check.advice


def advice_on(error: TokenError) -> str:
    """Return what to do about a token that a validator rejects, by the claim that it rejected."""
    if error.reason is Reason.INACTIVE:
        return (
            "it has expired, was revoked, or is of another issuer: request a new one; or, since Keycloak and Zitadel "
            "report a token as active only to a client in its aud, add client_id to the audience there"
        )
    if error.reason in {Reason.MISSING_CLAIM, Reason.MALFORMED_CLAIM}:
        return f"configure the issuer to include a valid {error.claim}"
    about_claim = (check for check in CHECKS if error.claim in (check.claim, *check.other_claims))
    return next((check.advice for check in about_claim), "request a new token")


async def check_strings(context: ExplainContext) -> None:
    """Check the types of the claims that identify the principal."""
    claims = context.token.unverified_claims  # verified, as above
    names = context.rules.names
    read = ((name, find_claim(claims, name)) for name in ("sub", "jti", *names.client_id, *names.scopes))
    found = [f"{name} = {to_json(value)}" for name, value in read if value is not MISSING]
    context.found = ", ".join(found) or "none of them"
    context.expected = "strings, one client, and scopes separated by single spaces"
    context.advice = "configure the issuer to send strings, and the same client in each claim that names it; or set "
    context.advice += "client_id_claims to the one claim that the issuer itself writes"
    check_principal(claims, names)


def _found(check: ClaimCheck, claims: Mapping[str, Any], rules: ClaimRules, now: float) -> str:
    """Return the claims that a check reads; dates also in UTC and relative to now."""
    if check.claim is None:
        return f"the claims {', '.join(sorted(claims))}" if claims else "no claims"
    names = (check.claim, *check.other_claims)
    found = [f"{name} = {to_json(claims[name])}{_date(claims, name, now)}" for name in names if name in claims]
    text = ", ".join(found) or f"no {check.claim}"
    remark = check.remark(claims, rules)
    return f"{text} ({remark})" if remark else text


def _expected(check: ClaimCheck, rules: ClaimRules, now: float) -> str:
    """Return the expected value of a check, with its placeholders replaced."""
    clients = rules.allowed_client_ids
    return check.expected.format_map(
        {
            "issuer": to_json(rules.issuer),
            "audiences": _audiences(rules),
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


def _audiences(rules: ClaimRules) -> str:
    accepted = [_alternatives(rules.audiences)] if rules.audiences else []
    if rules.accepts_without_audience:
        accepted.append("no aud, since tokens without it are accepted")
    return " or ".join(accepted)


def _leeway(rules: ClaimRules) -> str:
    return f" (a leeway of {format_duration(rules.leeway)})" if rules.leeway else ""


def _max_age(rules: ClaimRules) -> str:
    if rules.max_token_age is None:
        return "any age, since max_token_age is not set"
    return f"at most {format_duration(rules.max_token_age)} ago{_leeway(rules)}"
