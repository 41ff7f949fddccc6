"""Makes methods that a handler class can wrap without a copy of what it inherits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def inherited_method(kind: type, name: str) -> Callable[..., Any]:
    """Return a method for this class that calls the one that a handler inherits.

    A copy of that method would stand before the one of another base class of a subclass.
    """

    @functools.wraps(getattr(kind, name))
    def call_next(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(super(kind, self), name)(*args, **kwargs)

    return call_next
