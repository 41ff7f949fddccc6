"""Reads the credentials that a request presents in its header (RFC 6750 section 2.1)."""

from __future__ import annotations

import re

from tornado.httputil import HTTPHeaders

from service.errors import InvalidRequest, Reason
from service.tokens.credentials import Credentials

__all__ = ["check_b64token", "read_credentials"]

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)


def read_credentials(headers: HTTPHeaders) -> Credentials | None:
    """Return the bearer token of a request, or None where it presents none that we know.

    Does not look at the query or the body, where tokens end in logs and histories (RFC 9700 section 4.3.2).

    Raises:
        InvalidRequest: There are two credentials, or one that nobody can read (RFC 6750 section 3.1).
    """
    fields = headers.get_list("Authorization")
    if len(fields) > 1:
        # A proxy and we might each take another one: the token that was checked must be the one that is used.
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(fields)} Authorization fields")
    if not fields:
        return None
    scheme, _, token = fields[0].partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip(" ")
    check_b64token(token)
    return Credentials(scheme="Bearer", token=token)


def check_b64token(token: str) -> None:
    """Refuse a text that has other characters than a bearer token may have (RFC 6750 section 2.1).

    Raises:
        InvalidRequest: It has.
    """
    if not _B64TOKEN.fullmatch(token):
        raise InvalidRequest(Reason.MALFORMED_CREDENTIALS, "expected one b64token after the scheme")
