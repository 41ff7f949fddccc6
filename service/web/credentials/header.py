"""Reads the bearer token that a request presents in its header (RFC 6750 section 2.1)."""

from __future__ import annotations

import re

from tornado.httputil import HTTPServerRequest

from service.errors import InvalidRequest, Reason
from service.tokens.credentials import Credentials

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)


def read_header(request: HTTPServerRequest) -> Credentials | None:
    """Return the bearer token of a request's header, or None where it presents none that we know.

    Raises:
        InvalidRequest: There are two fields, or one that nobody can read (RFC 6750 section 3.1).
    """
    fields = request.headers.get_list("Authorization")
    if len(fields) > 1:
        # A proxy and we might each take another one: the token that was checked must be the one that is used.
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(fields)} Authorization fields")
    if not fields:
        return None
    scheme, _, token = fields[0].partition(" ")
    return bearer(token.strip(" ")) if scheme.lower() == "bearer" else None


def bearer(token: str, *, place: str = "header") -> Credentials:
    """Return a text as a bearer token, if it has only the characters of one (RFC 6750 section 2.1).

    Raises:
        InvalidRequest: It has others.
    """
    if not _B64TOKEN.fullmatch(token):
        raise InvalidRequest(Reason.MALFORMED_CREDENTIALS, "expected one b64token")
    return Credentials(scheme="Bearer", token=token, place=place)
