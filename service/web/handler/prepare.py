"""Judges a request before any ``prepare`` of a handler's own runs."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from typing import Any

Prepare = Callable[[Any], Awaitable[None] | None]


class _Nothing(Awaitable[None]):
    """An awaitable that is done: ``await super().prepare()`` works, and so does leaving out the ``await``."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


_NOTHING = _Nothing()


def judge_first(prepare: Prepare) -> Prepare:
    """Return a ``prepare`` that judges the request before the given one runs, once a request."""

    @functools.wraps(prepare)
    def judging(self: Any) -> Awaitable[None] | None:
        if self._judged:
            return prepare(self) or _NOTHING
        judgement: Awaitable[None] | None = self._authenticate_request()
        if judgement is None:
            return None if self._finished else prepare(self)
        return _then(judgement, functools.partial(prepare, self))

    vars(judging)["judges_first"] = True
    return judging


async def _then(judgement: Awaitable[None], prepare: Callable[[], Awaitable[None] | None]) -> None:
    await judgement
    result = prepare()
    if result is not None:
        await result
