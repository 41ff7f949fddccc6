"""Serves the description of an application: made when its routes are known, and public as the routes are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.document import describe
from service.web.openapi.overrides import SERVICE_TAG, json_response
from service.web.openapi.page import make_page
from service.web.responses.resource import Resource
from service.web.routing.audit import MountedRoute


class Documentation:
    """What an application says about itself.

    Args:
        title: What the API is called.
        resource: By which address clients know it, and whose tokens it accepts.
        client_id: What the page for people is called where they sign in; "" where they have to say it.
    """

    def __init__(self, *, title: str, resource: Resource, client_id: str = "") -> None:
        self._title = title
        self._resource = resource
        self.document = b""
        self.page = make_page(title=title, issuers=resource.authorization_servers, client_id=client_id)

    def read(self, found: Iterable[MountedRoute]) -> None:
        """Describe everything that is mounted, from now on."""
        document = describe(found, title=self._title, resource=self._resource)
        self.document = json.dumps(document, ensure_ascii=False).encode()

    @property
    def routes(self) -> list[Any]:
        """Where the description is."""
        known = {"documentation": self}
        return [(r"/openapi\.json", OpenAPIDocument, known), (r"/docs", DocumentationPage, known)]


class _DocumentationHandler(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def initialize(self, *, documentation: Documentation) -> None:
        """Take what there is to say."""
        self._documentation = documentation


class OpenAPIDocument(_DocumentationHandler):
    """The description of this API, for programs."""

    openapi: ClassVar[dict[str, Any]] = {
        "GET": json_response({"type": "object", "required": ["openapi", "info", "paths"]}) | SERVICE_TAG
    }

    def get(self) -> None:
        """Return this document."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-cache")  # kept, and asked about: the entity tag makes that cheap
        self.write(self._documentation.document)


class DocumentationPage(_DocumentationHandler):
    """The description of this API, for people, who can sign in and try it."""

    openapi: ClassVar[dict[str, Any]] = {
        "GET": {"responses": {"200": {"description": "A page.", "content": {"text/html": {}}}}} | SERVICE_TAG
    }

    def get(self) -> None:
        """Return the page, which reads the document."""
        page = self._documentation.page
        for name, value in page.headers.items():
            self.set_header(name, value)
        self.write(page.html)
