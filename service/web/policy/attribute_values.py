"""Reads the attributes of a handler class: each is one plain value, which stays as it is."""

from __future__ import annotations

import copy
import inspect
import operator
from collections.abc import Iterable, Iterator, Mapping

from service.web.policy.attribute_names import ATTRIBUTE_NAMES
from service.web.policy.scopes import AnyOf

_WATCHED = (*ATTRIBUTE_NAMES, "authorize", "SUPPORTED_METHODS")

current_values = operator.attrgetter(*_WATCHED)
"""Returns the values from which a handler class got its requirements, as they are now."""


def copy_values(handler: type) -> tuple[object, ...]:
    """Return a copy of these values, which differs from them after an assignment or a change in place."""
    return tuple(
        copy.copy(value) if isinstance(value, list | dict | set) else value for value in current_values(handler)
    )


def changed_names(handler: type, before: tuple[object, ...]) -> list[str]:
    """Return the names of the values that differ from those that ``copy_values`` returned."""
    return [name for name, old, new in zip(_WATCHED, before, current_values(handler), strict=True) if old != new]


def reject_unreadable_values(handler: type) -> None:
    """Reject a handler with an attribute whose value could differ from the one that is read now.

    Raises:
        TypeError: An attribute is computed by a property or another descriptor, or can be read only once.
        ValueError: A string is empty, so it would require nothing.
    """
    for name in ATTRIBUTE_NAMES:
        value = inspect.getattr_static(handler, name)
        if hasattr(type(value), "__get__"):
            raise TypeError(
                f"{name} must be a plain value in the class body, not a {type(value).__name__}, "
                "which is computed for each object"
            )
        reject_unreadable_value(name, value)


def reject_unreadable_value(name: str, value: object) -> None:
    """Reject one value that can be read only once or is an empty string.

    Raises:
        TypeError: The value is an iterator: GET would read it, and the other methods would require nothing.
        ValueError: The value is an empty string, such as that of an environment variable that is not set.
    """
    if isinstance(value, Iterator):
        raise TypeError(f"{name} is a {type(value).__name__}, which can be read only once; use a list")
    if isinstance(value, str) and name != "validation" and not value.strip():
        raise ValueError(f"{name} is an empty string; remove it, or use () to require nothing")
    nested: Iterable[object] = ()
    if isinstance(value, Mapping):
        nested = value.values()
    elif isinstance(value, AnyOf):
        nested = value.values
    if name in {"scopes", "groups", "roles"}:
        for each in nested:
            reject_unreadable_value(name, each)
