"""The credentials of a request, before they are validated."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.tokens.binding.possession import Possession


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """The scheme and token of a request (RFC 9110 section 11.4).

    Args:
        scheme: The authentication scheme, such as ``Bearer``.
        token: The token as sent.
        place: The part of the request that contained the token.
        possession: What the request offers as proof of the token's key; None if it offers nothing.
    """

    scheme: str
    token: str = field(repr=False)
    place: str = "header"
    possession: Possession | None = None
