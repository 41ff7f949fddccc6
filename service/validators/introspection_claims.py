"""What the claims of a JWT add to an introspection response, and the settings that lift a rule about either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import InvalidToken, Reason
from service.tokens.binding.confirmation import CONFIRMATION
from service.tokens.claim_names import MISSING, find_claim
from service.tokens.claim_rules import ClaimRules
from service.tokens.presented import PresentedToken

AUDIENCE_SETTING = "insecure_accept_introspection_without_audience"
_ZERO_EXP_SETTING = "introspection_zero_exp_is_never"


def with_setting_for_jwt(error: InvalidToken, claims: Mapping[str, Any]) -> InvalidToken:
    """Return an error of the claims of a JWT, with the setting if there is one that lifts the rule."""
    return _missing_audience("the token has no aud") if _is_missing_audience(error, claims) else error


def with_setting_for_response(error: InvalidToken, claims: Mapping[str, Any], *, is_opaque: bool) -> InvalidToken:
    """Return an error of the claims in a response, with the setting if there is one that lifts the rule."""
    if is_opaque and _is_missing_audience(error, claims):
        return _missing_audience("the introspection response has no aud")
    if error.reason is Reason.EXPIRED and claims["exp"] <= 0:
        detail = "exp is 0, as for a token that never expires"
        return InvalidToken(Reason.EXPIRED, detail, claim="exp", setting=_ZERO_EXP_SETTING)
    return error


def _is_missing_audience(error: InvalidToken, claims: Mapping[str, Any]) -> bool:
    return error.claim == "aud" and "aud" not in claims


def _missing_audience(detail: str) -> InvalidToken:
    return InvalidToken(Reason.MISSING_CLAIM, detail, claim="aud", setting=AUDIENCE_SETTING)


def check_confirmation(token: PresentedToken, claims: dict[str, Any]) -> None:
    """Add the key of a bound JWT to the claims of its response.

    Raises:
        InvalidToken: The response names another key.
    """
    if CONFIRMATION in token.unverified_claims:
        # A response may leave the key out, but not name another one, with which a thief could make proofs.
        own_key = token.unverified_claims[CONFIRMATION]
        if claims.setdefault(CONFIRMATION, own_key) != own_key:
            detail = "the response names another key than the token"
            raise InvalidToken(Reason.SENDER_CONSTRAINED, detail, claim=CONFIRMATION)


def identifiers_of_jwt(token: PresentedToken, claims: dict[str, Any], rules: ClaimRules) -> dict[str, Any]:
    """Return the claims of a JWT by which the deny list finds it, so far as the response does not repeat them."""
    own = token.unverified_claims
    client = () if rules.names.has_client_id(claims) else rules.names.client_id
    # A path is the name of a claim too, so that a nested client is found again.
    found = ((name, find_claim(own, name)) for name in ("jti", "sub", *client))
    return {name: value for name, value in found if value is not MISSING}
