"""Finds a method that another decorator has wrapped without copying its attributes, as ``functools.wraps`` would."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator

_DEPTH = 5
"""Decorators above one another that are searched."""


def is_decorated_inside(value: object, mark: str) -> bool:
    """Return whether a class attribute wraps a function with this attribute, but does not have the attribute itself."""
    return not _has(value, mark) and any(_has(inner, mark) for inner in _wrapped_by(value))


def _has(value: object, mark: str) -> bool:
    return inspect.isroutine(value) and hasattr(value, mark)


def _wrapped_by(value: object) -> Iterator[object]:
    """Yield the functions that an object holds as a closure, a partial call, a property or an attribute."""
    seen, layer = {id(value)}, [value]
    for _ in range(_DEPTH):
        inner = [part for each in layer for part in _parts(each) if _is_function_like(part) and id(part) not in seen]
        if not inner:
            return
        seen.update(map(id, inner))
        yield from inner
        layer = inner


def _is_function_like(value: object) -> bool:
    kinds = (property, classmethod, functools.partialmethod)
    return (callable(value) and not isinstance(value, type)) or isinstance(value, kinds)


def _parts(value: object) -> Iterator[object]:
    if inspect.isfunction(value):
        for cell in value.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:
                continue  # a variable without a value yet
    elif isinstance(value, property):
        yield from (value.fget, value.fset, value.fdel)
    elif isinstance(value, functools.partial | functools.partialmethod):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, staticmethod | classmethod):
        yield value.__func__
    elif callable(value) and not isinstance(value, type):
        yield from getattr(value, "__dict__", {}).values()
