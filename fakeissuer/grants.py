"""The grants of the token endpoint (RFC 6749 section 4): who may have which token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fakeissuer.entries import CLIENT_CREDENTIALS, OIDC_SCOPES, Client, Server
from fakeissuer.errors import Refused
from fakeissuer.problems import Problem
from fakeissuer.state import State
from fakeissuer.store import IssuedToken
from fakeissuer.tokens import SIGNING_ALGORITHM, Grant, jose_header, to_payload

SCOPE_LENGTH = 1024

TokenAnswer = dict[str, Any]


def answer_token_request(
    state: State, server: Server, issuer: str, client: Client, form: Mapping[str, str]
) -> TokenAnswer:
    """Return the token answer for a client that has proved who it is (RFC 6749 section 5.1).

    Raises:
        Refused: the grant is missing, unknown or not for this client, or what it asks for is not to be had.
    """
    grant_type = form.get("grant_type")
    if not grant_type:
        raise Refused(Problem.GRANT_MISSING)
    if grant_type not in GRANTS:
        raise Refused(Problem.GRANT_UNKNOWN)
    if grant_type not in client.grant_types:
        raise Refused(Problem.GRANT_NOT_ALLOWED)
    return GRANTS[grant_type](state, server, issuer, client, form)


def client_credentials(
    state: State, server: Server, issuer: str, client: Client, form: Mapping[str, str]
) -> TokenAnswer:
    """Return a token with which the client speaks for itself (RFC 6749 section 4.4)."""
    scopes = scopes_without_user(server, form.get("scope", ""))
    grant = Grant(
        server=server,
        issuer=issuer,
        client_id=client.id,
        scopes=scopes,
        user=None,
        issued_at=int(state.clock.now()),
        lifetime_s=server.access_token_lifetime,
    )
    token = issue_access_token(state, grant)
    return {
        "token_type": "Bearer",
        "expires_in": grant.lifetime_s,
        "access_token": token,
        "scope": " ".join(scopes),
    }


GRANTS: dict[str, Callable[[State, Server, str, Client, Mapping[str, str]], TokenAnswer]] = {
    CLIENT_CREDENTIALS: client_credentials,
}
"""The grants that are answered; the name of one that is not here is an unsupported_grant_type."""


def scopes_without_user(server: Server, asked: str) -> tuple[str, ...]:
    """Return the scopes that a client gets for itself: those it asked for, or the server's default.

    Raises:
        Refused: a scope is unknown or speaks of a user, or there is none at all.
    """
    if len(asked) > SCOPE_LENGTH:
        raise Refused(Problem.SCOPE_TOO_LONG)
    scopes = tuple(dict.fromkeys(asked.split())) or server.default_scopes
    if not scopes:
        raise Refused(Problem.SCOPE_MISSING)
    if not set(scopes) <= set(server.scopes):
        raise Refused(Problem.SCOPE_UNKNOWN)
    if set(scopes) & set(OIDC_SCOPES):
        raise Refused(Problem.SCOPE_NEEDS_USER)
    return scopes


def issue_access_token(state: State, grant: Grant) -> str:
    """Return a new access token, signed by the server's ACTIVE key and written into the store."""
    from fakeissuer import jose  # noqa: PLC0415 - loaded with the first key, see jose

    key = state.access_token_key(grant.server)
    claims = state.profile.access_token_claims(grant)
    header = jose_header(key, SIGNING_ALGORITHM, state.access_token_type(grant.server))
    token = jose.sign(key, header, to_payload(claims))
    issued = IssuedToken(
        kind="access",
        server=grant.server.id,
        client_id=grant.client_id,
        username=grant.user.login if grant.user else None,
        scopes=grant.scopes,
        claims=claims,
        refresh_token_id=grant.refresh_token_id,
    )
    state.store.add(token, issued)
    return token
