"""Runs authentication first in handlers whose class does not: other code replaced ``prepare``, or ``_execute``."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any

import tornado.web

from service.web.handler.prepare import authenticate_first

_CODE = authenticate_first(lambda _self: None).__code__

Adapt = Callable[[Any], None]


def find_adaptation(kind: type[Any]) -> Adapt | None:
    """Return a function that adapts each new handler of a class, or None if Tornado and the class need none."""
    if next(each for each in kind.__mro__ if "_execute" in vars(each)) is not tornado.web.RequestHandler:
        return _execute_after_authentication
    prepare = kind.prepare
    # A decorator may have copied the attributes of our function, and a proxy shows those of what it wraps.
    return None if type(prepare) is FunctionType and prepare.__code__ is _CODE else _prepare_after_authentication


def _prepare_after_authentication(handler: Any) -> None:
    prepare = handler.prepare
    vars(handler)["prepare"] = functools.partial(
        authenticate_first(lambda _self, *args, **kwargs: prepare(*args, **kwargs)), handler
    )


def _execute_after_authentication(handler: Any) -> None:
    vars(handler)["_execute"] = _OwnExecute(handler).start


class _OwnExecute:
    """Runs a handler's own ``_execute``, which may call methods without any ``prepare``, in place of the method.

    Tornado's ``_execute`` authenticates the request before, because ``prepare`` does nothing else then.

    Args:
        handler: A new handler.
    """

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._execute = functools.partial(handler._execute)
        self._prepare = handler.prepare
        self._methods = {
            name.lower(): getattr(handler, name.lower())
            for name in handler.SUPPORTED_METHODS
            if hasattr(handler, name.lower())
        }
        self._authorized_method = handler.request.method

    def start(self, transforms: list[Any], *args: bytes, **kwargs: bytes) -> Awaitable[None]:
        """Authenticate the request, and then run the handler's own ``_execute`` with these arguments."""
        handler = self._handler
        self._execute = functools.partial(self._execute, transforms, *args, **kwargs)
        vars(handler).update(
            dict.fromkeys(self._methods, self._run),
            prepare=functools.partial(authenticate_first(lambda _self: None), handler),
        )
        return tornado.web.RequestHandler._execute(handler, transforms, *args, **kwargs)

    def _run(self, *_args: str, **_kwargs: str) -> Any:
        handler = self._handler
        methods = {name: functools.partial(self._call, method) for name, method in self._methods.items()}
        vars(handler).update(methods, prepare=self._prepare_again)
        handler.request._parse_body = lambda: None  # the arguments of the body would appear twice
        return self._execute()

    def _prepare_again(self, *args: Any, **kwargs: Any) -> Awaitable[None] | None:
        """Run the handler's ``prepare``, after another authentication if the method of the request has changed."""
        if self._handler.request.method != self._authorized_method:
            self._authorized_method = self._handler.request.method
            self._handler._is_authentication_done = False
            vars(self._handler).pop("_requirements", None)
        result: Awaitable[None] | None = self._prepare(*args, **kwargs)
        return result

    def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._handler.request.method != self._authorized_method:
            # A header such as X-HTTP-Method-Override would turn a POST into a DELETE that needs more scopes.
            raise RuntimeError(f"{type(self._handler).__qualname__}._execute changed the method, and skips prepare")
        return method(*args, **kwargs)
