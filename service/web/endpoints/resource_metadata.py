"""Serves the protected resource metadata: accepted issuers and scopes (RFC 9728 sections 2 and 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import tornado.web

from service.web.credentials.sources import METHODS_SUPPORTED
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import SERVICE_TAG, json_response
from service.web.responses.resource import WELL_KNOWN
from service.web.routing.audit import mounted_routes

_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*", re.ASCII)  # RFC 3986 section 3.3
_STRING_LIST = {"type": "array", "items": {"type": "string"}}
_SCHEMA = {
    "type": "object",
    "required": ["resource", "authorization_servers", "bearer_methods_supported"],
    "properties": {
        "resource": {"type": "string", "format": "uri"},
        "authorization_servers": _STRING_LIST,
        "bearer_methods_supported": _STRING_LIST,
        "scopes_supported": _STRING_LIST,
        "dpop_signing_alg_values_supported": _STRING_LIST,
        "dpop_bound_access_tokens_required": {"type": "boolean"},
        "tls_client_certificate_bound_access_tokens": {"type": "boolean"},
    },
}


class ResourceMetadata(BearerAuthMixin, tornado.web.RequestHandler):
    """The metadata of this resource and of each path below it."""

    public = True
    _head_as_get = True
    cors_origins = "*"
    openapi: ClassVar[dict[str, Any]] = {"GET": json_response(_SCHEMA) | SERVICE_TAG}

    def get(self, suffix: str = "") -> None:
        """Return the metadata of the resource whose path follows the well-known path (RFC 9728 section 3.1)."""
        whole = self._context.resource
        # The client compares the path as it sent it, so it is not decoded (RFC 9728 section 3.3).
        suffix = self.request.path.removeprefix(WELL_KNOWN)
        if not _PATH.fullmatch(suffix):
            raise tornado.web.HTTPError(404)
        if suffix and suffix != whole.path and not suffix.startswith(f"{whole.path.removesuffix('/')}/"):
            raise tornado.web.HTTPError(404)
        origin = whole.origin or f"{self.request.protocol}://{self.request.host}"
        # The well-known path alone is the metadata of the whole resource.
        resource = f"{origin}{suffix}" if suffix not in {"", whole.path} else whole.public_url or origin
        document: dict[str, object] = {
            "resource": resource,
            "authorization_servers": list(whole.authorization_servers),
            "bearer_methods_supported": _methods(self.application),
        }
        schemes = self._context.challenges
        if schemes.dpop_algorithms:
            document["dpop_signing_alg_values_supported"] = list(schemes.dpop_algorithms)
            document["dpop_bound_access_tokens_required"] = not schemes.bearer
        if self._context.possession.certificate_of is not None:
            document["tls_client_certificate_bound_access_tokens"] = True
        if scopes := sorted(set(_scopes(self.application))):
            document["scopes_supported"] = scopes
        # A client chooses the Host, so a cache could serve the identifier that an attacker chose to other clients.
        self.set_header("Cache-Control", "max-age=600" if whole.origin else "no-store")
        self.write(document)


def _scopes(application: tornado.web.Application) -> Iterator[str]:
    """Yield every scope that a mounted handler requires."""
    for handler in _handlers(application):
        for requirements in handler.policy.requirements.values():
            for scopes in requirements.scopes.alternatives:
                yield from scopes


def _methods(application: tornado.web.Application) -> list[str]:
    """Return the values of ``bearer_methods_supported`` for the mounted handlers."""
    sources = {source for handler in _handlers(application) for source in handler.sources}
    return [method for source, method in METHODS_SUPPORTED.items() if source in sources]


def _handlers(application: tornado.web.Application) -> Iterator[type[BearerAuthMixin]]:
    """Yield the mounted handlers that read a token for at least one method."""
    for route in mounted_routes(application, default=None):
        handler = route.handler
        if handler is not None and not all(each.public for each in handler.policy.requirements.values()):
            yield handler


_PATTERN = WELL_KNOWN.replace(".", r"\.")
ROUTES = [(_PATTERN, ResourceMetadata), (rf"{_PATTERN}/(.*)", ResourceMetadata)]
