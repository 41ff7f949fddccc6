"""What a request presented, before anybody judged it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """A scheme and a token as they were sent (RFC 9110 section 11.4).

    Args:
        place: Where in the request the token stood.
    """

    scheme: str
    token: str = field(repr=False)
    place: str = "header"
