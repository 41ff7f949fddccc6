"""Runs authentication before any ``prepare`` or ``_execute`` that a handler defines."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from types import FunctionType
from typing import Any

import tornado.web

from service.web.policy.assigned import CLASS_ONLY

Prepare = Callable[[Any], Awaitable[None] | None]


class _Done(Awaitable[None]):
    """A completed awaitable, so that ``super().prepare()`` may be awaited or not."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


_DONE = _Done()


def authenticate_first(prepare: Prepare) -> Prepare:
    """Return a ``prepare`` that authenticates the request before the given one runs, once a request."""

    @functools.wraps(prepare)
    def authenticating(self: Any) -> Awaitable[None] | None:
        if self._is_authentication_done:
            return prepare(self) or _DONE
        self._is_authentication_done = True
        authentication: Awaitable[None] | None = self._authenticate_request()
        if authentication is not None:
            return _then_prepare(authentication, self, prepare)
        if self._finished:
            return None
        preparation = prepare(self)
        if preparation is not None:
            return _then_check(preparation, self)
        _check_prepared(self)
        return None

    vars(authenticating)["authenticates_first"] = True
    return authenticating


async def _then_prepare(authentication: Awaitable[None], handler: Any, prepare: Prepare) -> None:
    await authentication
    preparation = prepare(handler)
    if preparation is not None:
        await preparation
    _check_prepared(handler)


async def _then_check(preparation: Awaitable[None], handler: Any) -> None:
    await preparation
    _check_prepared(handler)


def _check_prepared(handler: Any) -> None:
    """Raise RuntimeError if ``prepare`` has set a requirement, which nothing reads any more."""
    if not CLASS_ONLY.isdisjoint(vars(handler)):
        name = min(CLASS_ONLY & vars(handler).keys())
        raise RuntimeError(
            f"prepare of {type(handler).__qualname__} sets {name}, which has no effect; set it in the class body"
        )


def inherited_method(kind: type, name: str) -> Callable[..., Any]:
    """Return a method for this class that calls the one that a handler inherits.

    A copy of that method would stand before the one of another base class of a subclass.
    """

    @functools.wraps(getattr(kind, name))
    def call_next(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(super(kind, self), name)(*args, **kwargs)

    return call_next


def is_authenticating(prepare: object) -> bool:
    """Return whether :func:`authenticate_first` returned this function; a decorator may have copied its attributes."""
    return type(prepare) is FunctionType and prepare.__code__ is _CODE  # a proxy has another type


def prepare_after_authentication(handler: Any) -> None:
    """Authenticate before a handler's ``prepare`` runs, which another library has wrapped."""
    prepare = handler.prepare
    vars(handler)["prepare"] = functools.partial(authenticate_first(lambda _self: prepare()), handler)


def execute_after_authentication(handler: Any) -> None:
    """Authenticate before a handler's own ``_execute`` runs, which may call its methods without any ``prepare``.

    Tornado's ``_execute`` prepares the request, which only authenticates, and runs the other one as the method.
    """
    own_execute = handler._execute
    method = str(handler.request.method).lower()

    def execute(transforms: list[Any], *args: bytes, **kwargs: bytes) -> Awaitable[None]:
        def run_own_execute(*_args: str, **_kwargs: str) -> Any:
            for name in ("_execute", "prepare", method):
                del vars(handler)[name]
            handler.request._parse_body = lambda: None  # the arguments of the body would appear twice
            return own_execute(transforms, *args, **kwargs)

        vars(handler)[method] = run_own_execute
        return tornado.web.RequestHandler._execute(handler, transforms, *args, **kwargs)

    vars(handler)["_execute"] = execute
    vars(handler)["prepare"] = functools.partial(authenticate_first(lambda _self: None), handler)


_CODE = authenticate_first(lambda _self: None).__code__
