"""The password grant (RFC 6749 section 4.3), which Okta still supports."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.grant_types import PASSWORD
from fakeissuer.oauth.issue import TokenRequest, TokenResponse, user_token_response
from fakeissuer.oauth.scopes import scopes_with_user


def password(request: TokenRequest) -> TokenResponse:
    """Return tokens for a registered user.

    Raises:
        OAuthError: The user is unknown or the password is wrong.
    """
    scopes = scopes_with_user(request.server, request.form.get("scope", ""))
    user = request.state.registry.users.get(request.form.get("username", ""))
    if user is None or not user.has_password(request.form.get("password", "")):
        raise OAuthError(ErrorCase.PASSWORD_WRONG)
    return user_token_response(request.state, request.client, request.grant(PASSWORD, scopes, user))
