"""Tokens for a device that a user let in with another one (RFC 8628 sections 3.4 and 3.5)."""

from __future__ import annotations

from fakeissuer.grants.issue import TokenAnswer, TokenRequest
from fakeissuer.grants.polling import polled


def device_code(request: TokenRequest) -> TokenAnswer:
    """Return the tokens, once the user has let the device in."""
    state = request.state
    return polled(request, state.devices.find(request.form.get("device_code", ""), state.clock.now()))
