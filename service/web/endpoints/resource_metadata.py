"""Tells clients which authorization servers we trust and which scopes there are (RFC 9728 sections 2 and 3)."""

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
    },
}


class ResourceMetadata(BearerAuthMixin, tornado.web.RequestHandler):
    """The document about this resource, and about each path below it that a client takes for a resource."""

    public = True
    cors_origins = "*"
    openapi: ClassVar[dict[str, Any]] = {"GET": json_response(_SCHEMA) | SERVICE_TAG}

    def get(self, suffix: str | None) -> None:
        """Return the metadata of the resource whose path stands behind the well-known one (RFC 9728 section 3.1)."""
        known = self._context.resource
        # As the client wrote it: a decoded path is another name, and no URL where it holds a space (RFC 9728 3.3).
        suffix = self.request.path.removeprefix(WELL_KNOWN)
        if not _PATH.fullmatch(suffix):
            raise tornado.web.HTTPError(404)
        if suffix and suffix != known.path and not suffix.startswith(f"{known.path.removesuffix('/')}/"):
            raise tornado.web.HTTPError(404)
        origin = known.origin or f"{self.request.protocol}://{self.request.host}"
        # Without a path behind it, the well-known path is that of the whole resource.
        resource = f"{origin}{suffix}" if suffix not in {"", known.path} else known.public_url or origin
        document: dict[str, object] = {
            "resource": resource,
            "authorization_servers": list(known.authorization_servers),
            "bearer_methods_supported": _methods(self.application),
        }
        if scopes := sorted(set(_scopes(self.application))):
            document["scopes_supported"] = scopes
        self.set_header("Cache-Control", "max-age=600")
        self.write(document)


def _scopes(application: tornado.web.Application) -> Iterator[str]:
    """Yield every scope that a mounted handler requires."""
    for handler in _handlers(application):
        for requirements in handler.policy.requirements.values():
            for scopes in requirements.scopes.alternatives:
                yield from scopes


def _methods(application: tornado.web.Application) -> list[str]:
    """Return where the mounted handlers look for a token, as the standard names it."""
    sources = {source for handler in _handlers(application) for source in handler.sources}
    return [method for source, method in METHODS_SUPPORTED.items() if source in sources]


def _handlers(application: tornado.web.Application) -> Iterator[type[BearerAuthMixin]]:
    """Yield the handlers that somebody may need a token for."""
    for one in mounted_routes(application, default=None):
        if one.handler is not None and not all(
            requirements.public for requirements in one.handler.policy.requirements.values()
        ):
            yield one.handler


ROUTES = [(rf"{WELL_KNOWN}(/.*)?".replace(".", r"\.", 1), ResourceMetadata)]
