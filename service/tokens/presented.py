"""A presented token: its text and its unverified content."""

from __future__ import annotations

import binascii
import re
from typing import Any, NamedTuple

from service.errors import InvalidToken, Reason
from service.tokens import encoding
from service.tokens.jws import CompactJWS

_OUTSIDE_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_DOTS_OF_JWE = 4

MAX_TOKEN_SIZE = 16 * 1024
"""Characters, by default; more than any issuer needs, and less than a header may have."""


class PresentedToken(NamedTuple):
    """The text of a token, and its parts if it is a JWT; parsed once per request.

    Nothing in it is verified: an attacker can have written all of it.
    A text that is not a JWT is not rejected here, since it may be an opaque token.
    """

    text: str
    jws: CompactJWS | None
    """The parts of the JWT, or None if the text is not a JWT."""
    unverified_claims: dict[str, Any]
    """The claims of the JWT; empty if the text is not a JWT."""
    parse_error: str
    """Why the text is not a JWT, for the log; empty if it is one."""
    peer: str | None
    """The address of the client that sent the token; None if it was not sent in a request."""

    @property
    def unverified_issuer(self) -> str | None:
        """The issuer that the token claims to be from; only for choosing a validator."""
        issuer = self.unverified_claims.get("iss")
        return issuer if isinstance(issuer, str) else None

    @property
    def is_malformed_jwt(self) -> bool:
        """Whether the text is no JWT, but has the header of one (RFC 7515 section 4.1.1); an encrypted JWT is opaque.

        Such a text must not pass as an opaque token: an attacker could append padding to a JWT, so that its claims
        are hidden from our checks while a lenient issuer still reads it and reports it as active.
        """
        if self.jws is not None:
            return False
        header = _decode_leniently(self.text.lstrip(".").partition(".")[0])
        is_encrypted = b'"enc"' in header and self.text.count(".") == _DOTS_OF_JWE
        return b'"alg"' in header and not is_encrypted

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.jws!r}, parse_error={self.parse_error!r})"

    @classmethod
    def read(cls, text: str, *, max_size: int = MAX_TOKEN_SIZE, peer: str | None = None) -> PresentedToken:
        """Parse a token without verifying it (RFC 7519 section 7.2, steps 1 to 10).

        Args:
            text: The token.
            max_size: Characters; a longer text is rejected unparsed, so that an attacker cannot make parsing costly.
            peer: The address of the client that sent the token, if it was sent in a request.

        Raises:
            InvalidToken: The text is too long.
        """
        if len(text) > max_size:
            raise InvalidToken(Reason.TOO_LARGE, f"{len(text)} characters, at most {max_size}")
        try:
            jws = CompactJWS.parse(text)
            return cls(text, jws, encoding.decode_json_object(jws.payload), "", peer)
        except ValueError as exc:
            # The message of a decoding error quotes a part of the token.
            parse_error = str(exc) if type(exc) is ValueError else type(exc).__name__
            return cls(text, None, {}, parse_error, peer)


def _decode_leniently(text: str) -> bytes:
    """Return the octets that a lenient decoder might read, and UTF-16 as ASCII."""
    octets = text.encode("ascii", "ignore").replace(b"-", b"+").replace(b"_", b"/")
    octets = _OUTSIDE_BASE64.sub(b"", octets)
    octets = octets[: len(octets) - (len(octets) % 4 == 1)]  # a single character is less than one octet
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4)).replace(b"\0", b"")
