"""Finds what is wrong with a target of a route: no handler of ours, or one that does not enforce what it states."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.attribute_values import changed_names
from service.web.policy.policy import Policy

_AFTERWARDS = "changed after its class was created"
_IN_THE_BODY = "set {} in the class body"
_WRAPPED = {"prepare": "authenticates_first", "open": "is_protected", "on_message": "is_protected"}
"""The methods that a protected handler, or a protected WebSocket, wraps, with the mark of the wrapper."""


def find_problem(target: object, arguments: Mapping[str, Any]) -> str | None:
    """Return why a target must not serve requests, as the end of a sentence that names it, or None if it may.

    Args:
        arguments: What the route passes to the handler's ``initialize``.
    """
    if not (isinstance(target, type) and issubclass(target, tornado.web.RequestHandler)):
        return (
            "which is neither protected nor marked public, because it is not a handler class; "
            "mount service.protected(FallbackHandler) with it as the argument fallback"
        )
    if issubclass(target, tornado.web.StaticFileHandler) and not issubclass(target, BearerAuthMixin):
        return (
            "which is neither protected nor marked public; mount service.protected(…) or service.public(…) of it, "
            "set static_handler_class to one of these if the setting static_path mounts it, "
            "or pass wrap=protected(…) to service.protect"
        )
    if not issubclass(target, BearerAuthMixin):
        return (
            "which is neither protected nor marked public; "
            "put BearerAuthMixin first among its bases, mount service.protected(…) or service.public(…) of it, "
            "or pass wrap=protected(…) to service.protect"
        )
    return _find_change(target) or _find_argument(target, arguments)


def _find_change(handler: type[BearerAuthMixin]) -> str | None:
    """Return what became of a class after its attributes were read, or that they were not read."""
    if "_values_read" not in vars(handler):
        return (
            "whose requirements were not read; call super().__init_subclass__() in the __init_subclass__ of its bases"
        )
    if names := changed_names(handler, handler._values_read):
        return f"whose {' and '.join(names)} {_AFTERWARDS} and has no effect; {_IN_THE_BODY.format('it')}"
    try:
        policy = Policy.read(handler, base=BearerAuthMixin)
    except (TypeError, ValueError) as exc:
        return f"which {_AFTERWARDS}: {exc}"
    if policy != handler.policy:
        return f"whose methods with @policy {_AFTERWARDS}, so it has no effect; put @policy above all decorators"
    for name, mark in _WRAPPED.items():
        method = getattr(handler, name, None)
        if (name == "prepare" or handler._is_websocket) and not hasattr(method, mark):
            return f"whose {name} {_AFTERWARDS} and no longer checks the token; define it in the class body"
    return None


def _find_argument(handler: type[BearerAuthMixin], arguments: Mapping[str, Any]) -> str | None:
    """Return the name of a requirement that a route passes to an ``initialize`` that does not expect it."""
    names = handler._class_only & arguments.keys() - inspect.signature(handler.initialize).parameters.keys()
    if not names:
        return None
    return f"to which it passes {min(names)}, which has no effect; {_IN_THE_BODY.format('it')} or in protected(…)"
