"""The catalogue of bad tokens: each is spoilt in one way only, and says what a correct resource server answers.

Such a server trusts this issuer and its audience, allows RS256 alone, gives two minutes of leeway, knows no DPoP and
reads at most 16 KiB. Tokens that a parser may still take for a credential get ``invalid_token``, others
``invalid_request`` (RFC 6750 section 3.1).
"""

from __future__ import annotations

from fakeissuer.control.bad_tokens import claims, encoding, headers, signatures, token_types
from fakeissuer.control.bad_tokens.token_builder import BadToken, Row, TokenBuilder
from fakeissuer.errors import InvalidRequestError
from fakeissuer.state.state import IssuerState

ROWS: tuple[Row, ...] = (*signatures.ROWS, *headers.ROWS, *claims.ROWS, *token_types.ROWS, *encoding.ROWS)


def bad_tokens(state: IssuerState, server_id: str = "default") -> list[BadToken]:
    """Return a bad token of each kind for a server.

    Raises:
        InvalidRequestError: there is no such server, or it is the org server, whose tokens are bad everywhere else
            anyway.
    """
    server = state.registry.server(server_id)
    if server.is_org:
        raise InvalidRequestError(
            "Nobody can verify the org server's tokens, so there are none to be spoilt; name another."
        )
    builder = TokenBuilder(state, server)
    return [
        BadToken(name=row.name, token=row.make(builder), breaks=row.breaks, status=row.status, error=row.error)
        for row in ROWS
    ]


__all__ = ["ROWS", "BadToken", "bad_tokens"]
