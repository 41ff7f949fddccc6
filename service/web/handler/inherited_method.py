"""Calls and recognizes the methods that a handler class inherits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tornado.web


def inherited_method(kind: type, name: str) -> Callable[..., Any]:
    """Return a method for this class that calls the one that a handler inherits.

    A copy of that method would stand before the one of another base class of a subclass.
    """

    @functools.wraps(getattr(kind, name))
    def call_next(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(super(kind, self), name)(*args, **kwargs)

    return call_next


def is_tornados(method: Callable[..., Any], name: str) -> bool:
    """Return whether a bound method is the one of Tornado's ``RequestHandler``, so that no other class defines it."""
    return getattr(method, "__func__", None) is vars(tornado.web.RequestHandler)[name]
