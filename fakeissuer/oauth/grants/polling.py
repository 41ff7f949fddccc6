"""The grants that a client polls for: device code (RFC 8628 section 3.4) and CIBA."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.oauth.issue import TokenRequest, TokenResponse, user_token_response
from fakeissuer.state.pending import POLL_INTERVAL_S, PendingAuthorization


def poll(request: TokenRequest, pending: PendingAuthorization | None) -> TokenResponse:
    """Return the tokens of an approved authorization.

    Raises:
        OAuthError: The authorization is pending, denied, expired or unknown, or the client polls too often.
    """
    now = request.now
    if pending is None or pending.client_id != request.client.id or pending.server != request.server.id:
        raise OAuthError(ErrorCase.POLL_INVALID)
    if pending.decision == "used":
        raise OAuthError(ErrorCase.POLL_INVALID)
    if now >= pending.expires_at:
        raise OAuthError(ErrorCase.POLL_EXPIRED)
    _check_interval(pending, now)
    if pending.decision == "denied":
        raise OAuthError(ErrorCase.POLL_DENIED)
    if pending.grant is None:
        raise OAuthError(ErrorCase.POLL_PENDING)
    pending.decision = "used"
    return user_token_response(request.state, request.client, request.renew(pending.grant, pending.grant.scopes))


def _check_interval(pending: PendingAuthorization, now: float) -> None:
    is_early = now < pending.next_poll_at
    if is_early:
        pending.interval_s += POLL_INTERVAL_S
    pending.next_poll_at = now + pending.interval_s
    if is_early:
        raise OAuthError(ErrorCase.POLL_TOO_FAST)


def ciba(request: TokenRequest) -> TokenResponse:
    """Return the tokens of a backchannel authentication request that the user approved."""
    return poll(request, request.state.backchannel.get(request.form.get("auth_req_id", ""), request.now))


def device_code(request: TokenRequest) -> TokenResponse:
    """Return the tokens of a device that the user approved."""
    return poll(request, request.state.devices.get(request.form.get("device_code", ""), request.now))
