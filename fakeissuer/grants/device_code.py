"""Tokens for a device that a user let in with another one (RFC 8628 sections 3.4 and 3.5)."""

from __future__ import annotations

from dataclasses import replace

from fakeissuer.codes import POLL_INTERVAL_S, DeviceAuthorization
from fakeissuer.errors import Refused
from fakeissuer.grants.issue import TokenAnswer, TokenRequest, answer_for_user
from fakeissuer.problems import Problem


def device_code(request: TokenRequest) -> TokenAnswer:
    """Return the tokens, once the user has approved.

    Raises:
        Refused: the user has not yet or never will, the code has expired or is none, or the device asks too often.
    """
    state, now = request.state, request.state.clock.now()
    device = state.devices.find(request.form.get("device_code", ""), now)
    if device is None or device.client_id != request.client.id or device.server != request.server.id:
        raise Refused(Problem.DEVICE_INVALID)
    if device.verdict == "spent":
        raise Refused(Problem.DEVICE_INVALID)
    if now >= device.expires_at:
        raise Refused(Problem.DEVICE_EXPIRED)
    _keep_pace(device, now)
    if device.verdict == "denied":
        raise Refused(Problem.DEVICE_DENIED)
    if device.grant is None:
        raise Refused(Problem.DEVICE_PENDING)
    device.verdict = "spent"
    return answer_for_user(state, request.client, replace(device.grant, issued_at=int(now)))


def _keep_pace(device: DeviceAuthorization, now: float) -> None:
    is_early = now < device.next_poll_at
    if is_early:
        device.interval_s += POLL_INTERVAL_S
    device.next_poll_at = now + device.interval_s
    if is_early:
        raise Refused(Problem.DEVICE_TOO_FAST)
