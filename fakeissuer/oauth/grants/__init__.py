"""The grants of the token endpoint (RFC 6749 section 4), one module for each."""

from __future__ import annotations

from collections.abc import Callable

from fakeissuer.model.grant_types import (
    AUTHORIZATION_CODE,
    CIBA,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
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
"""The supported grants by their ``grant_type``; each raises ``OAuthError`` if it rejects the request."""
