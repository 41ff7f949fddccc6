"""Rejects a handler that loses what one of its base classes requires, because another base class comes first."""

from __future__ import annotations

import inspect
from collections.abc import Collection

from service.web.policy.assigned import assignments
from service.web.policy.attribute_names import ATTRIBUTE_NAMES, VALUES, is_foreign, takes_principal
from service.web.policy.requirements import ATTRIBUTES

_RESTRICTING = ATTRIBUTES.keys() - {"public", "optional"} | {"authorize"}
"""The names that reject requests; without one of them, a handler would serve more than it states."""


def reject_lost_requirements(handler: type, *, base: type) -> None:
    """Reject a handler of which a base class sets an attribute, or defines ``authorize``, without an effect.

    A class may override what it inherits itself, and a plain mixin may override the attributes of a handler that
    stands after it. The handlers of other packages give the names a meaning of their own, unless they come first.

    Args:
        base: The class that defines the attributes and an ``authorize`` that always returns True.

    Raises:
        TypeError: A requirement is lost; the message shows the class line that keeps it.
    """
    for name in ATTRIBUTE_NAMES:
        kept, *others = _definers(handler, name, base=base)
        for lost in others:
            if lost not in base.__mro__ and _loses(kept, lost, name, base=base):
                raise TypeError(_explain(handler, name, kept=kept, lost=lost, base=base))
    _reject_lost_authorize(handler, base=base)


def reject_unstated_requirements(handler: type, *, base: type, stated: Collection[str]) -> None:
    """Reject a class made by ``protected(…)`` whose original requires something that was not stated there.

    The author of the original may have meant another library, so only the same names with plain values count.

    Args:
        stated: The names of the keywords of ``protected(…)``.

    Raises:
        TypeError: The original has such a requirement; the message says how to state it.
    """
    if base not in handler.__bases__:
        return  # the original was protected, and checked then
    for kind in handler.__mro__[1:]:
        if kind in base.__mro__:
            continue
        own = {name: kind.__qualname__ for name in _RESTRICTING if _states(kind, name)} | dict(assignments(kind))
        for name in sorted(own.keys() & _RESTRICTING - set(stated)):
            nothing = "" if name == "authorize" else f", or {name}={ATTRIBUTES[name]!r} if it has another meaning there"
            raise TypeError(f"{name} of {own[name]} has no effect; write protected(…, {name}=…){nothing}")


def _states(kind: type, name: str) -> bool:
    value = vars(kind).get(name)
    if name == "authorize":
        return inspect.isfunction(value) and takes_principal(value)
    return isinstance(value, VALUES) and value != ATTRIBUTES[name]


def _definers(handler: type, name: str, *, base: type) -> list[type]:
    return [kind for kind in handler.__mro__ if name in vars(kind) and not is_foreign(kind, handler, base=base)]


def _loses(kept: type, lost: type, name: str, *, base: type) -> bool:
    if issubclass(kept, lost) or vars(kept)[name] == vars(lost)[name]:
        return False
    if hasattr(type(vars(lost)[name]), "__get__"):
        return False  # a method or a property, which states nothing
    is_plain_mixin = not issubclass(kept, base) and kept not in base.__mro__
    return not (is_plain_mixin and issubclass(lost, base))


def _reject_lost_authorize(handler: type, *, base: type) -> None:
    definers = iter(_definers(handler, "authorize", base=base))
    last_called = next(kind for kind in definers if not _calls_super(vars(kind)["authorize"]))
    for lost in definers:
        if lost not in base.__mro__ and not issubclass(last_called, lost):
            raise TypeError(_explain(handler, "authorize", kept=last_called, lost=lost, base=base))


def _calls_super(method: object) -> bool:
    """Return whether a method refers to ``super``; a decorated one is unwrapped."""
    function = inspect.unwrap(method) if inspect.isfunction(method) else None
    return function is not None and "super" in function.__code__.co_names


def _explain(handler: type, name: str, *, kept: type, lost: type, base: type) -> str:
    is_default = kept in base.__mro__
    first = base if is_default else kept  # the class that the author has written
    message = f"{name} of {lost.__qualname__} has no effect, because {first.__qualname__} comes first"
    moved = next(kind for kind in handler.__bases__ if issubclass(kind, lost))
    if issubclass(moved, base) or not (is_default or (issubclass(kept, base) and name != "authorize")):
        return f"{message}; {'define it in the class, and call both' if name == 'authorize' else 'set it in the class'}"
    bases = [kind for kind in handler.__bases__ if kind is not moved]
    bases.insert(next(index for index, kind in enumerate(bases) if issubclass(kind, base)), moved)
    return f"{message}; write class {handler.__name__}({', '.join(kind.__name__ for kind in bases)}):"
