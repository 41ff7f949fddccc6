"""Describes the places of a token as security schemes (OpenAPI 3.1.0 section 4.8.27)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from service.web.credentials.proxy_headers import PROXY_HEADERS
from service.web.credentials.sources import FIELD
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.requirements import Requirements

_BEARER = "bearer"
_QUERY = "query"
_IN_HEADER = frozenset({"header", "form"})
"""The sources that the bearer scheme covers; no scheme can express a form, so the description does."""


def security_requirements(
    handler: type[BearerAuthMixin], requirements: Requirements, *, issuers: int
) -> Iterator[dict[str, list[str]]]:
    """Yield the alternative security requirements: each sufficient set of scopes with each scheme.

    Args:
        issuers: The number of accepted issuers.
    """
    if requirements.public:
        return
    if requirements.optional:
        yield {}
    for scopes in requirements.scopes.alternatives or (frozenset(),):
        for scheme in _names(handler, issuers):
            yield {scheme: sorted(scopes)}


def schemes(issuers: Sequence[str], handlers: Iterable[type[BearerAuthMixin]]) -> dict[str, Any]:
    """Return the security schemes that the operations refer to.

    A scheme contains only the URL of an issuer's metadata, so no request to the issuer is needed.

    Args:
        handlers: The handlers whose operations refer to the schemes.
    """
    by_name: dict[str, Any] = {
        _BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token in the Authorization header (RFC 6750 section 2.1).",
        }
    }
    for number, issuer in enumerate(issuers):
        by_name[_issuer(number)] = {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            "description": f"An access token of {issuer}.",
        }
    for handler in handlers:
        if "query" in handler.sources:
            text = "An access token in the query (RFC 6750 section 2.3)."
            by_name[_QUERY] = {"type": "apiKey", "in": "query", "name": FIELD, "description": text}
        if "cookie" in handler.sources:
            text = "An access token in a cookie, accepted only in requests from trusted pages."
            name = handler.token_cookie
            by_name[_cookie(name)] = {"type": "apiKey", "in": "cookie", "name": name, "description": text}
        for source in PROXY_HEADERS.keys() & handler.sources:
            text = "A token that a proxy in front of the API sets; clients sign in at the proxy."
            by_name[source] = {"type": "apiKey", "in": "header", "name": PROXY_HEADERS[source], "description": text}
    return by_name


def describe_token_sources(handler: type[BearerAuthMixin]) -> str:
    """Return a sentence about the places that may hold the token; empty if the header is the only one."""
    if handler.sources == ("header",):
        return ""
    places = {
        "header": "the Authorization header",
        "form": f"the form field {FIELD}",
        "query": f"the query parameter {FIELD}",
        "cookie": f"the cookie {handler.token_cookie}",
        **{name: f"the header {header}, which a proxy sets" for name, header in PROXY_HEADERS.items()},
    }
    return f"The token is read from {' or '.join(places[source] for source in handler.sources)}."


def _names(handler: type[BearerAuthMixin], issuers: int) -> Iterator[str]:
    if _IN_HEADER.intersection(handler.sources):
        yield _BEARER
        yield from map(_issuer, range(issuers))
    if "query" in handler.sources:
        yield _QUERY
    if "cookie" in handler.sources:
        yield _cookie(handler.token_cookie)
    yield from (source for source in handler.sources if source in PROXY_HEADERS)


def _issuer(number: int) -> str:
    """Return the name of the scheme for the tokens of one issuer, numbered from 0."""
    return "issuer" if number == 0 else f"issuer{number + 1}"


def _cookie(name: str) -> str:
    return f"cookie.{name}"
