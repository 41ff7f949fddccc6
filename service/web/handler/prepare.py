"""Runs authentication before any ``prepare`` that a handler defines."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from typing import Any

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
