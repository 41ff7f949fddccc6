"""The grants of the token endpoint (RFC 6749 section 4): who may have which token, a file for each."""

from __future__ import annotations

from collections.abc import Callable

from fakeissuer.errors import Refused
from fakeissuer.grant_types import (
    AUTHORIZATION_CODE,
    CIBA,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    NEVER_ON,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from fakeissuer.grants.authorization_code import authorization_code
from fakeissuer.grants.ciba import ciba
from fakeissuer.grants.client_credentials import client_credentials
from fakeissuer.grants.device_code import device_code
from fakeissuer.grants.issue import TokenAnswer, TokenRequest
from fakeissuer.grants.jwt_bearer import jwt_bearer
from fakeissuer.grants.password import password
from fakeissuer.grants.refresh_token import refresh_token
from fakeissuer.grants.token_exchange import token_exchange
from fakeissuer.problems import Problem

GRANTS: dict[str, Callable[[TokenRequest], TokenAnswer]] = {
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


def answer_token_request(request: TokenRequest) -> TokenAnswer:
    """Return the token answer for a client that has proved who it is (RFC 6749 section 5.1).

    Raises:
        Refused: the grant is missing, unknown or not for this client, or what it asks for is not to be had.
    """
    grant_type = request.form.get("grant_type")
    if not grant_type:
        raise Refused(Problem.GRANT_MISSING)
    if grant_type in NEVER_ON:
        raise Refused(Problem.GRANT_NOT_ALLOWED)
    if grant_type not in GRANTS:
        raise Refused(Problem.GRANT_UNKNOWN)
    if grant_type not in request.client.grant_types:
        raise Refused(Problem.GRANT_NOT_ALLOWED)
    return GRANTS[grant_type](request)
