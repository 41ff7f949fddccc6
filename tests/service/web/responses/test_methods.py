from __future__ import annotations

import tornado.web
import tornado.websocket

from service.web.endpoints.okta_guide import Hello, NotFound
from service.web.responses.methods import METHODS, handler_methods


class Files(tornado.web.RequestHandler):
    SUPPORTED_METHODS = (*METHODS, "PROPFIND", "MKCOL")

    def propfind(self) -> None:
        """List them."""


def test_only_the_methods_of_a_handler_are_listed() -> None:
    assert ["GET"] == handler_methods(Hello)
    assert [] == handler_methods(NotFound)
    assert ["PROPFIND"] == handler_methods(Files)
    assert ["GET"] == handler_methods(tornado.websocket.WebSocketHandler)
    assert {"GET", "HEAD"} == set(handler_methods(tornado.web.StaticFileHandler))
