"""Tokens for a user who approved somewhere else (OpenID Connect CIBA section 10.1)."""

from __future__ import annotations

from fakeissuer.grants.issue import TokenAnswer, TokenRequest
from fakeissuer.grants.polling import polled


def ciba(request: TokenRequest) -> TokenAnswer:
    """Return the tokens, once the user whom the client named has approved."""
    state = request.state
    return polled(request, state.backchannel.find(request.form.get("auth_req_id", ""), state.clock.now()))
