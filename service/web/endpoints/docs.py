"""Serves the OpenAPI document and the docs page of an application."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.document import describe
from service.web.openapi.overrides import SERVICE_TAG, json_response
from service.web.openapi.page import make_page
from service.web.routing.audit import MountedRoute


class Documentation:
    """The OpenAPI document and the docs page of one application.

    Args:
        title: The name of the API.
        public_url: Its URL; None if clients know it from elsewhere.
        tokens: The accepted tokens.
        client_id: The client ID of the page at the issuers; "" if the user enters it.
    """

    def __init__(self, *, title: str, public_url: str | None, tokens: AcceptedTokens, client_id: str = "") -> None:
        self._title = title
        self._public_url = public_url
        self._tokens = tokens
        self.document = b""
        self.page = make_page(title=title, tokens=tokens, client_id=client_id)

    def read(self, routes: Iterable[MountedRoute]) -> None:
        """Generate the document from the mounted routes."""
        document = describe(routes, title=self._title, public_url=self._public_url, tokens=self._tokens)
        self.document = json.dumps(document, ensure_ascii=False).encode()

    @property
    def routes(self) -> list[Any]:
        """The routes of the document and the page."""
        arguments = {"documentation": self}
        return [(r"/openapi\.json", OpenAPIDocument, arguments), (r"/docs", DocumentationPage, arguments)]


class _DocumentationHandler(BearerAuthMixin, tornado.web.RequestHandler):
    public = True
    _head_as_get = True

    def initialize(self, *, documentation: Documentation) -> None:
        """Store the documentation to serve."""
        self._documentation = documentation


class OpenAPIDocument(_DocumentationHandler):
    """The OpenAPI document of this API."""

    openapi: ClassVar[dict[str, Any]] = {
        "GET": json_response({"type": "object", "required": ["openapi", "info", "paths"]}) | SERVICE_TAG
    }

    def get(self) -> None:
        """Return this document."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-cache")  # clients revalidate it with the entity tag
        self.write(self._documentation.document)


class DocumentationPage(_DocumentationHandler):
    """The docs page of this API, which signs in and sends requests."""

    openapi: ClassVar[dict[str, Any]] = {
        "GET": {"responses": {"200": {"description": "The HTML page.", "content": {"text/html": {}}}}} | SERVICE_TAG
    }

    def get(self) -> None:
        """Return the page, which loads the OpenAPI document."""
        page = self._documentation.page
        for name, value in page.headers.items():
            self.set_header(name, value)
        self.write(page.html)
