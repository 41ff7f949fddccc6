"""The claim ``cnf``: the keys that the sender of a token must hold (RFC 7800 section 3.1)."""

from __future__ import annotations

import re
from typing import NamedTuple

from service.errors import InvalidToken, Reason
from service.tokens.claim_rules import Claims

CONFIRMATION = "cnf"
_SHA256 = re.compile("[A-Za-z0-9_-]{43}", re.ASCII)


class Confirmation(NamedTuple):
    """The thumbprints of the keys to which a token is bound."""

    jkt: str | None
    """The JWK thumbprint of a DPoP key (RFC 9449 section 6.1)."""
    x5t_s256: str | None
    """The SHA-256 hash of a client certificate (RFC 8705 section 3.1)."""


def read_confirmation(claims: Claims) -> Confirmation:
    """Return the keys to which a token with the claim ``cnf`` is bound.

    Raises:
        InvalidToken: A member is malformed, or is of another kind, which nothing here could check.
    """
    cnf = claims[CONFIRMATION]
    if not isinstance(cnf, dict) or not cnf or not {"jkt", "x5t#S256"}.issuperset(cnf):
        detail = "expected jkt, x5t#S256 or both; other keys cannot be checked here"
        raise InvalidToken(Reason.SENDER_CONSTRAINED, detail, claim=CONFIRMATION)
    for name, value in cnf.items():
        if not isinstance(value, str) or not _SHA256.fullmatch(value):
            detail = f"{name}: expected a SHA-256 hash in base64url"
            raise InvalidToken(Reason.MALFORMED_CLAIM, detail, claim=CONFIRMATION)
    return Confirmation(cnf.get("jkt"), cnf.get("x5t#S256"))
