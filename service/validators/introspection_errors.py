"""The settings that lift a rule about an introspected token, added to the error of the rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import InvalidToken, Reason

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
