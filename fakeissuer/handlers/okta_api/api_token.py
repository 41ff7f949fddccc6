"""The API token of Okta's own API: any will do, but there has to be one."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase


def check_api_token(headers: HTTPHeaders) -> None:
    """Check that a request carries an API token, by the scheme SSWS or as a Bearer token; which one is not looked at.

    Raises:
        OAuthError: there is none.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("ssws", "bearer") or not token.strip():
        raise OAuthError(ErrorCase.API_TOKEN_INVALID)
