"""Protects handlers that others wrote, such as Tornado's own, in one call where they are mounted."""

from __future__ import annotations

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.requirements import ATTRIBUTES


def protected(handler: type[tornado.web.RequestHandler], **attributes: object) -> type[BearerAuthMixin]:
    """Return a handler that does the same for whoever meets these requirements, in the words of the class attributes.

    ``(r"/files/(.*)", protected(StaticFileHandler, scopes="files:read"), {"path": "files"})``

    Raises:
        TypeError: There is no such word, or it is of a type that means nothing.
        ValueError: Something cannot be, or two requirements contradict each other.
    """
    if unknown := attributes.keys() - ATTRIBUTES.keys():
        raise TypeError(f"protected() got {', '.join(sorted(unknown))}; it knows {', '.join(ATTRIBUTES)}")
    named = {"__module__": handler.__module__, "__doc__": handler.__doc__}
    return type(handler.__name__, (BearerAuthMixin, handler), attributes | named)


def public(handler: type[tornado.web.RequestHandler]) -> type[BearerAuthMixin]:
    """Return a handler that does the same for anybody, and says so.

    ``(r"/old", public(RedirectHandler), {"url": "/new"})``
    """
    return protected(handler, public=True)
