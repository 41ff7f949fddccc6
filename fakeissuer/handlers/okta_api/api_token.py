"""The API token of Okta's own API: required, but any value is accepted."""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.responses.handler import is_from_another_origin


def check_api_token(request: HTTPServerRequest) -> None:
    """Check that a request has an API token, with the scheme SSWS or Bearer; its value is not checked.

    A page of another origin has no access, since it could send any value.

    Raises:
        OAuthError: The token is missing, or a page of another origin sent the request.
    """
    if is_from_another_origin(request):
        raise OAuthError(ErrorCase.FORBIDDEN)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("ssws", "bearer") or not token.strip():
        raise OAuthError(ErrorCase.API_TOKEN_INVALID)
