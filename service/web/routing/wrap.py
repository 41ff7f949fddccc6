"""Protects the handlers of other packages, such as Tornado's own, in the list of routes."""

from __future__ import annotations

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.requirements import ATTRIBUTES


def protected(handler: type[tornado.web.RequestHandler], **attributes: object) -> type[BearerAuthMixin]:
    """Return a subclass of a handler with these requirements, named as the class attributes are.

    ``(r"/files/(.*)", protected(StaticFileHandler, scopes="files:read"), {"path": "files"})``

    Raises:
        TypeError: A requirement is unknown, has a type without a meaning, or is one of the handler and would be lost;
            or the handler is protected already.
        ValueError: A requirement has an impossible value, or two requirements contradict each other.
    """
    if unknown := attributes.keys() - ATTRIBUTES.keys():
        raise TypeError(f"protected() does not accept {', '.join(sorted(unknown))}; it accepts {', '.join(ATTRIBUTES)}")
    if issubclass(handler, BearerAuthMixin):
        raise TypeError(f"{handler.__qualname__} inherits BearerAuthMixin; state its requirements in a class body")
    metadata = {"__module__": handler.__module__, "__doc__": handler.__doc__}
    return type(handler.__name__, (BearerAuthMixin, handler), attributes | metadata)


def public(handler: type[tornado.web.RequestHandler]) -> type[BearerAuthMixin]:
    """Return a subclass of a handler that is marked public.

    ``(r"/old", public(RedirectHandler), {"url": "/new"})``
    """
    return protected(handler, public=True)
