"""The user's own password, in the client's hands (RFC 6749 section 4.3), as Okta still has it."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.grant_types import PASSWORD
from fakeissuer.oauth.issue import TokenRequest, TokenResponse, user_token_response
from fakeissuer.oauth.scopes import scopes_with_user


def password(request: TokenRequest) -> TokenResponse:
    """Return tokens for a registered user who is named with the right password.

    Raises:
        OAuthError: there is no such user, or the password is another.
    """
    scopes = scopes_with_user(request.server, request.form.get("scope", ""))
    user = request.state.registry.users.get(request.form.get("username", ""))
    if user is None or not user.has_password(request.form.get("password", "")):
        raise OAuthError(ErrorCase.PASSWORD_WRONG)
    return user_token_response(request.state, request.client, request.grant(PASSWORD, scopes, user))
