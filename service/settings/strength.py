"""Rejects secrets that a program could guess."""

from __future__ import annotations

import re

MIN_LENGTH = 32
"""Characters; 128 bits in hexadecimal digits."""
MIN_DIFFERENT = 8
"""Different characters; a random text of that length has fewer about once in a hundred million."""
HOW_TO_MAKE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)


def check_strength(token: str) -> None:
    """Check that a bearer token is long enough, is no repetition, and can be sent (RFC 6750 section 2.1).

    Raises:
        ValueError: It is not; the message does not repeat it.
    """
    if len(token) < MIN_LENGTH or len(set(token)) < MIN_DIFFERENT:
        raise ValueError(
            f"is too weak: its length is {len(token)} and the number of different characters is {len(set(token))}; "
            f"expected at least {MIN_LENGTH} and {MIN_DIFFERENT}; make one: {HOW_TO_MAKE}"
        )
    if token in (token + token)[1:-1]:
        raise ValueError(f"repeats a shorter text; make another: {HOW_TO_MAKE}")
    if not _BEARER.fullmatch(token):
        raise ValueError(f"has characters that a header cannot carry as a bearer token; make another: {HOW_TO_MAKE}")
