"""Request objects: authorization requests as signed JWTs (OpenID Connect Core 1.0 section 6.1, RFC 9101)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.clients import Client
from fakeissuer.model.records import parse_numeric_date
from fakeissuer.oauth.assertions import Assertion, read_assertion, verify_client_signature
from fakeissuer.state.state import IssuerState

_REQUEST_OBJECT_CLAIMS = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
_FORBIDDEN_PARAMETERS = frozenset({"request", "request_uri"})


def with_request_object(state: IssuerState, issuer: str, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters of a request; those of its request object replace the plain ones.

    Raises:
        OAuthError: The request object is not signed by the client or not meant for this issuer. The error must not be
            sent to the redirect URI beside it, which an attacker could have changed.
    """
    if "request" not in parameters:
        return parameters
    client = state.registry.clients.get(parameters.get("client_id", ""))
    if client is None:
        raise OAuthError(ErrorCase.AUTHORIZE_CLIENT)
    try:
        request_object = read_assertion(parameters["request"])
        verify_client_signature(request_object, client)
    except OAuthError as error:
        raise OAuthError(ErrorCase.REQUEST_OBJECT, error.detail) from error
    _check_claims(request_object, client, issuer, state.clock.now())
    plain = {name: text for name, text in parameters.items() if name != "request"}
    return {**plain, **_parameters(request_object.claims, client)}


def _check_claims(request_object: Assertion, client: Client, issuer: str, now: float) -> None:
    claims = request_object.claims
    if claims.get("iss") != client.id:
        raise OAuthError(ErrorCase.REQUEST_OBJECT, "its iss is not the client id")
    if claims.get("aud") not in (issuer, [issuer]):
        raise OAuthError(ErrorCase.REQUEST_OBJECT, "its aud is not the issuer")
    expires, not_before = parse_numeric_date(claims.get("exp", now + 1)), parse_numeric_date(claims.get("nbf", now))
    if expires is None or not_before is None or not not_before <= now < expires:
        raise OAuthError(ErrorCase.REQUEST_OBJECT, "it is not for this moment")


def _parameters(claims: Mapping[str, Any], client: Client) -> dict[str, str]:
    parameters = {name: value for name, value in claims.items() if name not in _REQUEST_OBJECT_CLAIMS}
    if _FORBIDDEN_PARAMETERS & parameters.keys() or parameters.get("client_id", client.id) != client.id:
        raise OAuthError(ErrorCase.REQUEST_OBJECT, "it names another request or another client")
    if any(isinstance(value, bool) or not isinstance(value, str | int) for value in parameters.values()):
        raise OAuthError(ErrorCase.REQUEST_OBJECT, "a parameter in it is neither a text nor a whole number")
    return {name: str(value) for name, value in parameters.items()}
