"""Tokens that are good for something else than calling this API (RFC 9068 section 5, RFC 8725 section 2.8)."""

from __future__ import annotations

from fakeissuer.control.bad_tokens.token_builder import Bench, Row
from fakeissuer.model.endpoints import ORG


def of_another_server(bench: Bench) -> str:
    """Return a token that another server issued for its own audience."""
    issuer, key = bench.state.addresses.issuer(bench.other_server), bench.state.ring(bench.other_server).signing_key()
    claims = bench.claims(iss=issuer, aud=bench.other_server.audience)
    return bench.token(header=bench.header(kid=key.kid), claims=claims, sign=bench.signer(key))


ROWS = (
    Row(
        "id-token",
        "an ID token tells a client who signed in, and is no access token",
        lambda bench: bench.minted(kind="id"),
    ),
    Row(
        "id-token-for-this-audience",
        "an ID token is no access token, whatever its audience",
        lambda bench: bench.minted(kind="id", aud=bench.server.audience),
    ),
    Row(
        "refresh-token",
        "a refresh token is for the token endpoint",
        lambda bench: bench.minted(kind="refresh"),
    ),
    Row(
        "org-server-token",
        "the org server's tokens are for Okta's own API",
        lambda bench: bench.minted(server=ORG),
    ),
    Row("token-of-another-server", "the token comes from the trusted issuer", of_another_server),
)
