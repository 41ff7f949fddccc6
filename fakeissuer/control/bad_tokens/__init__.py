"""The catalogue of bad tokens: each breaks one rule, and has the status and error of a correct resource server.

Such a server trusts this issuer and its audience, allows only RS256, has two minutes of leeway, and reads at most
16 KiB. A token that is a b64token gets ``invalid_token``, any other ``invalid_request`` (RFC 6750 section 3.1).
"""

from __future__ import annotations

from fakeissuer.control.bad_tokens import claims, encoding, headers, other_kinds, signatures, token_types
from fakeissuer.control.bad_tokens.token_builder import BadToken, Row, builder_for
from fakeissuer.control.bad_tokens.token_types import ORG_SERVER_TOKEN
from fakeissuer.model.endpoints import ORG
from fakeissuer.state.state import IssuerState

ROWS: tuple[Row, ...] = (
    *signatures.ROWS,
    *headers.ROWS,
    *claims.ROWS,
    *token_types.ROWS,
    *other_kinds.ROWS,
    *encoding.ROWS,
)


def bad_tokens(state: IssuerState, server_id: str = "default") -> list[BadToken]:
    """Return a bad token of each kind for a server; that of the org server only if there is one.

    Raises:
        InvalidRequestError: there is no such server, or it is the org server, whose tokens only Okta can validate.
    """
    builder = builder_for(state, server_id)
    return [
        BadToken(name=row.name, token=row.make(builder), breaks=row.breaks, status=row.status, error=row.error)
        for row in ROWS
        if ORG in state.registry.servers or row.name != ORG_SERVER_TOKEN
    ]


__all__ = ["ROWS", "BadToken", "bad_tokens"]
