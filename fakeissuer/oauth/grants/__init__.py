"""The grants of the token endpoint (RFC 6749 section 4): who may have which token, a file for each."""

from __future__ import annotations

from collections.abc import Callable

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.grant_types import (
    AUTHORIZATION_CODE,
    CIBA,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    UNSUPPORTED_GRANTS,
)
from fakeissuer.oauth.grants.authorization_code import authorization_code
from fakeissuer.oauth.grants.client_credentials import client_credentials
from fakeissuer.oauth.grants.jwt_bearer import jwt_bearer
from fakeissuer.oauth.grants.password import password
from fakeissuer.oauth.grants.polling import ciba, device_code
from fakeissuer.oauth.grants.refresh_token import refresh_token
from fakeissuer.oauth.grants.token_exchange import token_exchange
from fakeissuer.oauth.issue import TokenRequest, TokenResponse

GRANTS: dict[str, Callable[[TokenRequest], TokenResponse]] = {
    AUTHORIZATION_CODE: authorization_code,
    CLIENT_CREDENTIALS: client_credentials,
    REFRESH_TOKEN: refresh_token,
    PASSWORD: password,
    DEVICE_CODE: device_code,
    CIBA: ciba,
    TOKEN_EXCHANGE: token_exchange,
    JWT_BEARER: jwt_bearer,
}
"""The grants that are answered; the name of one that is not here is an unsupported_grant_type."""


def handle_token_request(request: TokenRequest) -> TokenResponse:
    """Return the token answer for a client that has proved who it is (RFC 6749 section 5.1).

    Raises:
        OAuthError: the grant is missing, unknown or not for this client, or what it asks for is not to be had.
    """
    grant_type = request.form.get("grant_type")
    if not grant_type:
        raise OAuthError(ErrorCase.GRANT_MISSING)
    if grant_type in UNSUPPORTED_GRANTS:
        raise OAuthError(ErrorCase.GRANT_NOT_ALLOWED)
    if grant_type not in GRANTS:
        raise OAuthError(ErrorCase.GRANT_UNKNOWN)
    if grant_type not in request.client.grant_types:
        raise OAuthError(ErrorCase.GRANT_NOT_ALLOWED)
    return GRANTS[grant_type](request)
