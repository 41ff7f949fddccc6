"""The client credentials grant (RFC 6749 section 4.4)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.grant_types import CLIENT_CREDENTIALS
from fakeissuer.oauth.issue import TokenRequest, TokenResponse, token_response
from fakeissuer.oauth.scopes import scopes_without_user


def client_credentials(request: TokenRequest) -> TokenResponse:
    """Return an access token for the client itself.

    Raises:
        OAuthError: A scope is not allowed, or the client requires consent, which this grant cannot ask for.
    """
    scopes = scopes_without_user(request.server, request.form.get("scope", ""))
    if request.client.consent_method == "REQUIRED":
        raise OAuthError(ErrorCase.CONSENT_REQUIRED)
    return token_response(request.state, request.grant(CLIENT_CREDENTIALS, scopes, None))
