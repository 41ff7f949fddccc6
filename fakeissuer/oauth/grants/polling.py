"""The grants that a client polls for: device code (RFC 8628) and CIBA."""

from __future__ import annotations

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.oauth.issue import TokenAnswer, TokenRequest, answer_for_user
from fakeissuer.state.pending import POLL_INTERVAL_S, Awaited


def polled(request: TokenRequest, awaited: Awaited | None) -> TokenAnswer:
    """Return the tokens, once the user has approved.

    Raises:
        Refused: the user has not yet or never will, the code has expired or is none, or the client asks too often.
    """
    now = request.state.clock.now()
    if awaited is None or awaited.client_id != request.client.id or awaited.server != request.server.id:
        raise Refused(Problem.POLL_INVALID)
    if awaited.verdict == "spent":
        raise Refused(Problem.POLL_INVALID)
    if now >= awaited.expires_at:
        raise Refused(Problem.POLL_EXPIRED)
    _keep_pace(awaited, now)
    if awaited.verdict == "denied":
        raise Refused(Problem.POLL_DENIED)
    if awaited.grant is None:
        raise Refused(Problem.POLL_PENDING)
    awaited.verdict = "spent"
    return answer_for_user(request.state, request.client, request.renewed(awaited.grant, awaited.grant.scopes))


def _keep_pace(awaited: Awaited, now: float) -> None:
    is_early = now < awaited.next_poll_at
    if is_early:
        awaited.interval_s += POLL_INTERVAL_S
    awaited.next_poll_at = now + awaited.interval_s
    if is_early:
        raise Refused(Problem.POLL_TOO_FAST)


def ciba(request: TokenRequest) -> TokenAnswer:
    """Return the tokens, once the user whom the client named has approved."""
    state = request.state
    return polled(request, state.backchannel.find(request.form.get("auth_req_id", ""), state.clock.now()))


def device_code(request: TokenRequest) -> TokenAnswer:
    """Return the tokens, once the user has let the device in."""
    state = request.state
    return polled(request, state.devices.find(request.form.get("device_code", ""), state.clock.now()))
