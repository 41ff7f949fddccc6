"""The API token of Okta's own API: required, but any value is accepted."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase


def check_api_token(headers: HTTPHeaders) -> None:
    """Check that a request has an API token, with the scheme SSWS or Bearer; its value is not checked.

    Raises:
        OAuthError: The token is missing.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("ssws", "bearer") or not token.strip():
        raise OAuthError(ErrorCase.API_TOKEN_INVALID)
