"""Rejects requirements that a handler sets on itself, where nothing reads them: ``self.scopes = …``."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from types import CodeType

from service.web.policy.attribute_names import CLASS_ONLY, is_foreign

_EARLY_METHODS = ("__init__", "initialize", "prepare")
"""The methods that run before the method of the request."""


def reject_assignments(handler: type, *, base: type) -> None:
    """Reject a handler of which an early method assigns a requirement to ``self``.

    An assignment by other means, such as ``setattr``, is noticed when a request is dispatched.

    Args:
        base: The class that defines the requirements.

    Raises:
        TypeError: There is such an assignment.
    """
    for kind in handler.__mro__:
        if kind in base.__mro__ or is_foreign(kind, handler, base=base):
            continue
        for name, place in assignments(kind):
            raise TypeError(
                f"self.{name} has no effect in {place}, since requirements are read from the "
                f"class; write {name} = … in the class body, or choose another name"
            )


def assignments(kind: type) -> Iterator[tuple[str, str]]:
    """Yield each requirement that an early method of a class assigns to ``self``, with the name of the method."""
    for method in _EARLY_METHODS:
        function = inspect.unwrap(vars(kind)[method]) if method in vars(kind) else None
        if inspect.isfunction(function):
            for name in sorted(CLASS_ONLY & set(_assigned_names(function.__code__))):
                yield name, function.__qualname__


def _assigned_names(code: CodeType) -> Iterator[str]:
    """Yield the attributes that a method assigns to its first argument."""
    first_argument = code.co_varnames[0] if code.co_argcount else None
    loaded: object = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_ATTR" and loaded == first_argument:
            yield instruction.argval
        # Some instructions load two variables, and the object of the assignment is loaded last.
        value = instruction.argval if instruction.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) else None
        loaded = value[-1] if isinstance(value, tuple) else value
