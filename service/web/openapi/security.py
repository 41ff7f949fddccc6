"""How a token may be presented, as security schemes (OpenAPI 3.1.0 section 4.8.27)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from service.web.credentials.sources import FIELD
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.requirements import Requirements

_BEARER = "bearer"
_QUERY = "query"
_IN_HEADER = frozenset({"header", "form"})
"""Sources that the schemes for a header stand for: none says that a token is in a form, so that words have to."""


def security_requirements(
    handler: type[BearerAuthMixin], requirements: Requirements, *, issuers: int
) -> Iterator[dict[str, list[str]]]:
    """Yield the ways to be let in: for each set of scopes that is enough, the schemes that bring it.

    Args:
        issuers: How many issuers' tokens are accepted.
    """
    if requirements.public:
        return
    if requirements.optional:
        yield {}
    for scopes in requirements.scopes.alternatives or (frozenset(),):
        for scheme in _names(handler, issuers):
            yield {scheme: sorted(scopes)}


def schemes(issuers: Sequence[str], handlers: Iterable[type[BearerAuthMixin]]) -> dict[str, Any]:
    """Return the schemes that requirements name.

    An issuer stands there by the address of its metadata: the rest is the issuer's to say, and it may be down now.

    Args:
        handlers: Those whose requirements name them.
    """
    found: dict[str, Any] = {
        _BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token in the field Authorization (RFC 6750 section 2.1).",
        }
    }
    for number, issuer in enumerate(issuers):
        found[_issuer(number)] = {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            "description": f"An access token of {issuer}.",
        }
    for handler in handlers:
        if "query" in handler.sources:
            words = "An access token in the query (RFC 6750 section 2.3)."
            found[_QUERY] = {"type": "apiKey", "in": "query", "name": FIELD, "description": words}
        if "cookie" in handler.sources:
            words = "An access token in a cookie, which counts only where a page that is trusted makes the request."
            name = handler.token_cookie
            found[_cookie(name)] = {"type": "apiKey", "in": "cookie", "name": name, "description": words}
    return found


def describe_token_sources(handler: type[BearerAuthMixin]) -> str:
    """Return the sentence that says where a token is looked for; empty where it is the header alone."""
    if handler.sources == ("header",):
        return ""
    known = {
        "header": "the field Authorization",
        "form": f"{FIELD} of a form",
        "query": f"{FIELD} of the query",
        "cookie": f"the cookie {handler.token_cookie}",
    }
    return f"The token is looked for in {' and '.join(known[source] for source in handler.sources)}."


def _names(handler: type[BearerAuthMixin], issuers: int) -> Iterator[str]:
    if _IN_HEADER.intersection(handler.sources):
        yield _BEARER
        yield from map(_issuer, range(issuers))
    if "query" in handler.sources:
        yield _QUERY
    if "cookie" in handler.sources:
        yield _cookie(handler.token_cookie)


def _issuer(number: int) -> str:
    """Return the name under which the tokens of the n-th issuer, from 0, are known."""
    return "issuer" if number == 0 else f"issuer{number + 1}"


def _cookie(name: str) -> str:
    return f"cookie.{name}"
