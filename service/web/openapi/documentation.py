"""Serves the description of an application: made when its routes are known, and public as the routes are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

import tornado.web

from service.web.audit import Mounted
from service.web.mixin import BearerAuthMixin
from service.web.openapi.document import describe
from service.web.openapi.own_words import SERVICE, json_response
from service.web.resource import Resource

__all__ = ["Documentation", "OpenAPIDocument"]


class Documentation:
    """What an application says about itself.

    Args:
        title: What the API is called.
        resource: By which address clients know it, and whose tokens it accepts.
    """

    def __init__(self, *, title: str, resource: Resource) -> None:
        self._title = title
        self._resource = resource
        self.document = b""

    def read(self, found: Iterable[Mounted]) -> None:
        """Describe everything that is mounted, from now on."""
        document = describe(found, title=self._title, resource=self._resource)
        self.document = json.dumps(document, ensure_ascii=False).encode()

    @property
    def routes(self) -> list[Any]:
        """Where the description is."""
        return [(r"/openapi\.json", OpenAPIDocument, {"documentation": self})]


class OpenAPIDocument(BearerAuthMixin, tornado.web.RequestHandler):
    """The description of this API, for programs."""

    public = True
    openapi: ClassVar[dict[str, Any]] = {
        "GET": json_response({"type": "object", "required": ["openapi", "info", "paths"]}) | SERVICE
    }

    def initialize(self, *, documentation: Documentation) -> None:
        """Take what there is to say."""
        self._documentation = documentation

    def get(self) -> None:
        """Return this document."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-cache")  # kept, and asked about: the entity tag makes that cheap
        self.write(self._documentation.document)
