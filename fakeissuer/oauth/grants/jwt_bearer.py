"""An assertion of an issuer that the server trusts, for an access token (RFC 7523 section 2.1)."""

from __future__ import annotations

from typing import Any

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.jose.public_keys import KeySet
from fakeissuer.model.grant_types import JWT_BEARER
from fakeissuer.oauth.assertions import Assertion, Flaw, check_moments, read_assertion, verify_signature
from fakeissuer.oauth.issue import TokenAnswer, TokenRequest, token_answer
from fakeissuer.oauth.scopes import scopes_with_user


def jwt_bearer(request: TokenRequest) -> TokenAnswer:
    """Return an access token for the user whom a trusted issuer vouches for.

    Raises:
        Refused: the issuer is not trusted, or the assertion is not its own, not for this server, or not for now.
    """
    scopes = scopes_with_user(request.server, request.form.get("scope", ""))
    if {"openid", "offline_access"} & set(scopes):
        raise Refused(Problem.SCOPE_NEEDS_USER)
    try:
        login = _vouched_for(request, read_assertion(request.form.get("assertion", "")))
    except Refused as refused:
        if refused.problem is not Problem.ASSERTION_REFUSED:
            raise
        # The assertion is what is granted for, here: it says nothing of how the client proved who it is.
        problem = Problem.ASSERTION_REPLAYED if refused.about == Flaw.USED else Problem.ASSERTION_GRANT
        raise Refused(problem, refused.about) from refused
    user = request.state.directory.user(login)
    return token_answer(request.state, request.grant(JWT_BEARER, scopes, user))


def _vouched_for(request: TokenRequest, assertion: Assertion) -> str:
    state, claims = request.state, assertion.claims
    issuer = claims.get("iss")
    keys = _keys_of(request, issuer)
    if keys is None:
        raise Refused(Problem.ASSERTION_ISSUER)
    verify_signature(assertion, keys)
    token_endpoint = f"{state.addresses.endpoints(request.server, request.requested_url)}/token"
    if claims.get("aud") not in (request.issuer, token_endpoint, [request.issuer], [token_endpoint]):
        raise Refused(Problem.ASSERTION_AUDIENCE)
    check_moments(claims, state.clock.now(), f"{issuer}", state.replays)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 200:
        raise Refused(Problem.ASSERTION_GRANT, "it names no user as its sub")
    return subject


def _keys_of(request: TokenRequest, issuer: Any) -> KeySet | None:
    state = request.state
    if isinstance(issuer, str) and issuer in request.server.trusted_issuers:
        return request.server.trusted_issuers[issuer]
    return next(
        (
            state.ring(own).key_set()
            for own in state.directory.servers.values()
            # One that is DYNAMIC goes by the name that it was called by, and by its own where nobody called.
            if issuer in (state.addresses.issuer(own), state.addresses.issuer(own, request.requested_url))
        ),
        None,
    )
