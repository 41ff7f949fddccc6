"""Tokens that are valid for another purpose than calling this API (RFC 9068 section 5, RFC 8725 section 2.8)."""

from __future__ import annotations

from fakeissuer.control.bad_tokens.token_builder import Row, TokenBuilder
from fakeissuer.model.endpoints import ORG

ORG_SERVER_TOKEN = "org-server-token"  # noqa: S105  # the name of a row


def _of_another_server(builder: TokenBuilder) -> str:
    """Return a token issued by another server for its own audience."""
    issuer, key = (
        builder.state.urls.issuer(builder.other_server),
        builder.state.key_rings.for_server(builder.other_server).signing_key(),
    )
    claims = builder.claims(iss=issuer, aud=builder.other_server.audience)
    return builder.token(header=builder.header(kid=key.kid), claims=claims, sign=builder.signer(key))


ROWS = (
    Row(
        "id-token",
        "an ID token is for the client and is not an access token",
        lambda builder: builder.mint(kind="id"),
    ),
    Row(
        "id-token-for-this-audience",
        "an ID token is not an access token, whatever its audience",
        lambda builder: builder.mint(kind="id", aud=builder.server.audience),
    ),
    Row(
        "refresh-token",
        "a refresh token is for the token endpoint",
        lambda builder: builder.mint(kind="refresh"),
    ),
    Row(
        ORG_SERVER_TOKEN,
        "the org server's tokens are for Okta's own API",
        lambda builder: builder.mint(server=ORG),
    ),
    Row("token-of-another-server", "the token comes from the trusted issuer", _of_another_server),
)
