"""The JWT bearer grant: an assertion of a trusted issuer for an access token (RFC 7523 section 2.1)."""

from __future__ import annotations

from typing import Any

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.public_keys import KeySet
from fakeissuer.model.grant_types import JWT_BEARER
from fakeissuer.oauth.assertions import Assertion, AssertionProblem, check_time_claims, read_assertion, verify_signature
from fakeissuer.oauth.issue import TokenRequest, TokenResponse, token_response
from fakeissuer.oauth.scopes import scopes_with_user


def jwt_bearer(request: TokenRequest) -> TokenResponse:
    """Return an access token for the subject of an assertion.

    Raises:
        OAuthError: The issuer is not trusted, or signature, audience or times of the assertion are wrong.
    """
    scopes = scopes_with_user(request.server, request.form.get("scope", ""))
    if {"openid", "offline_access"} & set(scopes):
        raise OAuthError(ErrorCase.SCOPE_NEEDS_USER)
    try:
        login = _assertion_subject(request, read_assertion(request.form.get("assertion", "")))
    except OAuthError as error:
        if error.case is not ErrorCase.ASSERTION_REFUSED:
            raise
        # Here the assertion is the grant and does not authenticate the client, so the errors are those of a grant.
        case = ErrorCase.ASSERTION_REPLAYED if error.detail == AssertionProblem.USED else ErrorCase.ASSERTION_GRANT
        raise OAuthError(case, error.detail) from error
    user = request.state.registry.user(login)
    return token_response(request.state, request.grant(JWT_BEARER, scopes, user))


def _assertion_subject(request: TokenRequest, assertion: Assertion) -> str:
    state, claims = request.state, assertion.claims
    issuer = claims.get("iss")
    keys = _keys_of(request, issuer)
    if keys is None:
        raise OAuthError(ErrorCase.ASSERTION_ISSUER)
    verify_signature(assertion, keys)
    token_endpoint = state.urls.endpoints(request.server, request.requested_url)["token"]
    if claims.get("aud") not in (request.issuer, token_endpoint, [request.issuer], [token_endpoint]):
        raise OAuthError(ErrorCase.ASSERTION_AUDIENCE)
    check_time_claims(claims, request.now, f"{issuer}", state.used_jtis)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 200:
        raise OAuthError(ErrorCase.ASSERTION_GRANT, "it names no user as its sub")
    return subject


def _keys_of(request: TokenRequest, issuer: Any) -> KeySet | None:
    state = request.state
    if isinstance(issuer, str) and issuer in request.server.trusted_issuers:
        return request.server.trusted_issuers[issuer]
    return next(
        (
            state.key_rings.for_server(server).key_set()
            for server in state.registry.servers.values()
            # Tokens of a DYNAMIC server have the URL of their request as the issuer, or the public URL if minted.
            if issuer in (state.urls.issuer(server), state.urls.issuer(server, request.requested_url))
        ),
        None,
    )
