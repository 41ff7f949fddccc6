"""The methods of HTTP that a handler has (RFC 9110 section 9)."""

from __future__ import annotations

import tornado.web

METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")


def handler_methods(handler: type[tornado.web.RequestHandler]) -> list[str]:
    """Return the methods that a handler implements; Tornado's defaults respond 405."""
    default = tornado.web.RequestHandler
    return [
        method
        for method in handler.SUPPORTED_METHODS
        if getattr(handler, method.lower(), None) is not getattr(default, method.lower(), None)
    ]
