"""Runs authentication before any ``prepare`` that a handler defines."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from typing import Any

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
        if authentication is None:
            return None if self._finished else prepare(self)
        return _then_prepare(authentication, functools.partial(prepare, self))

    vars(authenticating)["authenticates_first"] = True
    return authenticating


async def _then_prepare(authentication: Awaitable[None], prepare: Callable[[], Awaitable[None] | None]) -> None:
    await authentication
    result = prepare()
    if result is not None:
        await result
