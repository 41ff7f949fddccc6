"""Runs coroutines that have nothing to wait for, so that a benchmark measures them without an event loop."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any


def finish(awaitable: Awaitable[Any]) -> Any:
    """Return the result of an awaitable that has nothing to wait for."""
    try:
        awaitable.__await__().send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("it waited for something")
