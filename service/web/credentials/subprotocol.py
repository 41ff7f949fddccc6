"""The token that a browser offers as a WebSocket subprotocol, since it cannot add a header, as Kubernetes does."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from service.errors import InvalidRequest, Reason
from service.tokens import encoding
from service.tokens.credentials import Credentials
from service.web.credentials.sources import parse_token

OFFER = "base64url.bearer.authorization."
"""The prefix of the subprotocol that holds a token, in base64url without padding."""
_FIELD = "Sec-WebSocket-Protocol"


def read_subprotocol(request: HTTPServerRequest) -> Credentials | None:
    """Return the bearer token among the subprotocols that a request offers, or None if there is none.

    Raises:
        InvalidRequest: There are two tokens, or one is malformed.
    """
    offers = [name for name in _subprotocols(request.headers) if _is_offer(name)]
    if len(offers) > 1:
        raise InvalidRequest(Reason.SEVERAL_CREDENTIALS, f"{len(offers)} subprotocols with a token")
    if not offers:
        return None
    try:
        token = encoding.decode_base64url(offers[0][len(OFFER) :].encode("ascii")).decode("ascii")
    except ValueError:
        raise InvalidRequest(Reason.MALFORMED_CREDENTIALS, "expected base64url in the subprotocol") from None
    return parse_token(token)


def remove_offer(headers: HTTPHeaders) -> list[str]:
    """Take the token out of the offered subprotocols and return the others: the response must never repeat it."""
    others = [name for name in _subprotocols(headers) if not _is_offer(name)]
    if others:
        headers[_FIELD] = ", ".join(others)
    elif _FIELD in headers:
        del headers[_FIELD]
    return others


def _is_offer(subprotocol: str) -> bool:
    return subprotocol.lower().startswith(OFFER)


def _subprotocols(headers: HTTPHeaders) -> list[str]:
    return [name.strip() for field in headers.get_list(_FIELD) for name in field.split(",")]
