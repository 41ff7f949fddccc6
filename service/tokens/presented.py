"""A token as it was presented: its text, and an unverified look inside."""

from __future__ import annotations

from typing import Any, NamedTuple

from service.errors import InvalidToken, Reason
from service.tokens import encoding
from service.tokens.jws import CompactJWS

MAX_TOKEN_SIZE = 16 * 1024
"""Characters, where nothing else is set; more than any issuer needs, and less than a header may have."""


class PresentedToken(NamedTuple):
    """The text of a token, and the JWT in it where there is one; read once, and split by nobody again.

    Nothing in it was verified: whoever sent it can have written all of it.
    A text that is no JWT is not refused here: it may be opaque, and only its issuer can tell.
    """

    text: str
    jws: CompactJWS | None
    """The parts of the JWT; None where the text is none."""
    unverified_claims: dict[str, Any]
    """What the JWT says; empty where the text is none."""
    parse_error: str
    """Why the text is no JWT, for the log; empty where it is one."""

    @property
    def unverified_issuer(self) -> str | None:
        """The issuer that the token claims to be from: good for choosing who judges it, and for nothing else."""
        issuer = self.unverified_claims.get("iss")
        return issuer if isinstance(issuer, str) else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.jws!r}, parse_error={self.parse_error!r})"

    @classmethod
    def read(cls, text: str, *, max_size: int = MAX_TOKEN_SIZE) -> PresentedToken:
        """Return the token with its unverified look inside (RFC 7519 section 7.2, steps 1 to 10).

        Args:
            max_size: Characters; a longer text is refused unread, so that an attacker cannot make refusals dear.

        Raises:
            InvalidToken: The text is too long.
        """
        if len(text) > max_size:
            raise InvalidToken(Reason.TOO_LARGE, f"{len(text)} characters, at most {max_size}")
        try:
            jws = CompactJWS.parse(text)
            return cls(text, jws, encoding.decode_json_object(jws.payload), "")
        except ValueError as exc:
            # A decoding error quotes what it could not decode, which is a piece of the token.
            parse_error = str(exc) if type(exc) is ValueError else type(exc).__name__
            return cls(text, None, {}, parse_error)
