from __future__ import annotations

import tornado.web
import tornado.websocket

from service.web.endpoints.okta_guide import Hello, NotFound
from service.web.responses.methods import METHODS, methods_of


class Files(tornado.web.RequestHandler):
    SUPPORTED_METHODS = (*METHODS, "PROPFIND", "MKCOL")

    def propfind(self) -> None:
        """List them."""


def test_names_the_methods_that_a_handler_has() -> None:
    assert ["GET"] == methods_of(Hello)
    assert [] == methods_of(NotFound)
    assert ["PROPFIND"] == methods_of(Files)
    assert ["GET"] == methods_of(tornado.websocket.WebSocketHandler)
    assert {"GET", "HEAD"} == set(methods_of(tornado.web.StaticFileHandler))
