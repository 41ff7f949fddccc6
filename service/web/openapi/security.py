"""Describes the places of a token, and the proofs of its key, as security schemes (OpenAPI 3.1.0 section 4.8.27)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from service.web.credentials.proxy_headers import PROXY_HEADERS
from service.web.credentials.sources import FIELD
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
from service.web.policy.requirements import Requirements

_BEARER = "bearer"
_DPOP = "dpop"
_MUTUAL_TLS = "mutualTLS"
_QUERY = "query"
_IN_HEADER = frozenset({"header", "form"})
"""The sources that the bearer scheme covers; no scheme can express a form, so the description does."""

_DESCRIPTIONS: dict[str, dict[str, Any]] = {
    _BEARER: {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token in the Authorization header (RFC 6750 section 2.1).",
    },
    _DPOP: {
        "type": "http",
        "scheme": "DPoP",
        "description": (
            "An access token that is bound to a key of the client, in the Authorization header, together with a proof "
            "of this key in the DPoP header (RFC 9449 section 7.1)."
        ),
    },
    _MUTUAL_TLS: {
        "type": "mutualTLS",
        "description": "The client certificate to which the access token is bound (RFC 8705 section 3).",
    },
}


def security_requirements(
    handler: type[BearerAuthMixin], requirements: Requirements, *, tokens: AcceptedTokens
) -> Iterator[dict[str, list[str]]]:
    """Yield the alternative security requirements: each sufficient set of scopes with each scheme.

    A token that is bound to a client certificate needs the certificate beside its scheme.
    """
    if requirements.public:
        return
    if requirements.optional:
        yield {}
    names = _names(handler, requirements, tokens)
    for scopes in requirements.scopes.alternatives or (frozenset(),):
        for scheme in names:
            yield {scheme: sorted(scopes)}
        if tokens.reads_certificates:
            yield {names[0]: sorted(scopes), _MUTUAL_TLS: []}


def proof_parameters(
    handler: type[BearerAuthMixin], requirements: Requirements, *, tokens: AcceptedTokens
) -> list[dict[str, str]]:
    """Return a reference to the header parameter of the DPoP proof, if a method accepts one."""
    names = [] if requirements.public else _names(handler, requirements, tokens)
    if _DPOP not in names:
        return []
    is_required = names == [_DPOP] and not requirements.optional
    return [{"$ref": f"#/components/parameters/{'RequiredDPoPProof' if is_required else 'DPoPProof'}"}]


def schemes(tokens: AcceptedTokens, handlers: Iterable[type[BearerAuthMixin]]) -> dict[str, Any]:
    """Return the security schemes that the operations refer to, and those of a handler with default attributes.

    A scheme contains only the URL of an issuer's metadata, so no request to the issuer is needed.

    Args:
        handlers: The handlers whose operations refer to the schemes.
    """
    handlers = list(handlers)
    used = set(_names(BearerAuthMixin, Requirements(), tokens))
    for handler in handlers:
        for requirements in handler.policy.requirements.values():
            used.update(() if requirements.public else _names(handler, requirements, tokens))
    if tokens.reads_certificates:
        used.add(_MUTUAL_TLS)
    by_name: dict[str, Any] = {name: scheme for name, scheme in _DESCRIPTIONS.items() if name in used}
    for number, issuer in enumerate(tokens.modes):
        if _issuer(number) in used:
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


def _names(handler: type[BearerAuthMixin], requirements: Requirements, tokens: AcceptedTokens) -> list[str]:
    """Return the schemes of a method; there is always one, since an empty list would mean a public method."""
    accepted = tokens.schemes_for(requirements)
    if not accepted.bearer:
        return [_DPOP]  # a token in another place than the header has no proof
    names = []
    if _IN_HEADER.intersection(handler.sources):
        names += [_BEARER, *map(_issuer, tokens.bearer_issuers(requirements))]
    if accepted.dpop_algorithms and "header" in handler.sources:
        names.append(_DPOP)
    if "query" in handler.sources:
        names.append(_QUERY)
    if "cookie" in handler.sources:
        names.append(_cookie(handler.token_cookie))
    return names + [source for source in handler.sources if source in PROXY_HEADERS]


def _issuer(number: int) -> str:
    """Return the name of the scheme for the tokens of one issuer, numbered from 0."""
    return "issuer" if number == 0 else f"issuer{number + 1}"


def _cookie(name: str) -> str:
    return f"cookie.{name}"
