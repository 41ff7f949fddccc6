"""Rejects misspelled attributes of a handler: ``scope`` instead of ``scopes`` would leave the handler open."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from types import FunctionType

import tornado.web

from service.web.policy.requirements import ATTRIBUTES
from service.web.policy.scopes import AnyOf

ATTRIBUTE_NAMES = (*ATTRIBUTES, "cors_origins", "openapi", "token_sources", "token_cookie", "further_challenges")
"""The class attributes that an author sets."""
HANDLER_ATTRIBUTES = (*ATTRIBUTE_NAMES, "authorize")
"""All that an author states in a class body, or in the arguments of ``protected(…)``."""
CLASS_ONLY = frozenset(HANDLER_ATTRIBUTES)
"""The names that have an effect only on a class, which is read once."""
STATED = "_stated_requirements"
"""The attribute in the body of a class that ``protected(…)`` has made, with its arguments."""

_SYNONYMS = {
    "required_scopes": "scopes",
    "scopes_required": "scopes",
    "permissions": "scopes",
    "required_roles": "roles",
    "required_groups": "groups",
    "required_claims": "claims",
    "acr": "acr_values",
}
"""The names of these requirements in other libraries."""
VALUES = (str, int, float, list, tuple, set, frozenset, Mapping, AnyOf)
"""The types of a value that states a requirement; a method or another object is never taken for one."""

_RESERVED = {
    "policy": "each requirement is an attribute of its own, such as scopes or groups",
    "sources": "the places that may hold a token are set as token_sources",
    "principal": "it holds the user and client of the token",
}
"""The read-only attributes of a handler."""


def reject_near_misses(handler: type, *, base: type) -> None:
    """Reject a handler with an attribute that resembles one of ours, or with one of ours that has no value.

    Only what is written beside ``base`` is checked. The attributes of other packages' classes are not, since their
    authors may not know this library, nor those of other handlers that come after ``base``, which may be older.

    Raises:
        TypeError: An attribute resembles one of ours without being one, or is annotated without a value.
    """
    for kind in _written_with(handler, base):
        for name, value in vars(kind).items():
            if name in ATTRIBUTE_NAMES or name.startswith("_") or not isinstance(value, VALUES):
                continue
            meant = _SYNONYMS.get(name) or next((each for each in ATTRIBUTE_NAMES if _is_misspelled(name, each)), None)
            if meant is not None:
                place = "" if kind is handler else f" of {kind.__qualname__}"
                raise TypeError(
                    f"{name}{place} has no effect; did you mean {meant}? If not, choose a name less like it"
                )
        for name in _annotations(kind):
            if name in ATTRIBUTE_NAMES and name not in vars(kind):
                raise TypeError(f"{name} has an annotation but no value; write {name} = …")


def reject_similar_methods(handler: type, *, base: type) -> None:
    """Reject a handler with a method that resembles ``authorize`` and has an argument ``principal``: nothing calls it.

    Raises:
        TypeError: There is such a method.
    """
    for kind in _written_with(handler, base):
        for name, value in vars(kind).items():
            if inspect.isfunction(value) and _is_misspelled(name, "authorize") and _names_principal(value):
                raise TypeError(f"{name} is never called; did you mean authorize? If not, choose a name less like it")


def _names_principal(method: FunctionType) -> bool:
    return "principal" in {name.strip("_") for name in inspect.signature(method).parameters}


def _is_misspelled(name: str, expected: str) -> bool:
    """Return whether a public name has one letter more, less or exchanged; case and underscores make no difference."""
    word, goal = name.replace("_", "").lower(), expected.replace("_", "")
    if name.startswith("_") or abs(len(word) - len(goal)) > 1:
        return False
    longer, shorter = (word, goal) if len(word) >= len(goal) else (goal, word)
    start = next((index for index, (a, b) in enumerate(zip(longer, shorter, strict=False)) if a != b), len(shorter))
    skipped = len(longer) == len(shorter)
    rest, other = longer[start:], shorter[start:]
    return rest[1:] == other[skipped:] or (skipped and rest[2:] == other[2:] and rest[1::-1] == other[:2])


def takes_principal(method: object) -> bool:
    """Return whether a function can be called as ``authorize(self, principal)``."""
    try:
        inspect.signature(method).bind(None, None)  # type: ignore[arg-type]  # raises TypeError for other objects
    except TypeError:
        return False
    return True


def reject_reserved_names(handler: type, *, base: type) -> None:
    """Reject a handler that sets a read-only or an internal attribute of ``base``.

    Args:
        base: The class that defines these attributes. They must not be set on the handler yet.

    Raises:
        TypeError: The attribute would be overwritten, or would hide the one that others read. A class body or a mixin
            that happens to have an attribute ``_requirements`` would replace what is checked.
    """
    other_bases = [
        kind
        for kind in handler.__mro__
        if not issubclass(kind, base) and kind not in base.__mro__ and not is_foreign(kind, handler, base=base)
    ]
    for name, explanation in _RESERVED.items():
        if any(name in vars(kind) for kind in (handler, *other_bases)):
            raise TypeError(f"{name} cannot be set: {explanation}; choose another name")
    if _package(handler) == _package(base):
        return  # our own handlers
    internals = _internal_names(base)
    before_base = handler.__mro__[: handler.__mro__.index(base)]
    for kind in (handler, *(kind for kind in before_base if kind in other_bases)):
        if found := internals & vars(kind).keys():
            raise TypeError(f"{min(found)} cannot be set: {base.__name__} uses it; choose another name")


def _internal_names(base: type) -> frozenset[str]:
    """Return the names that begin with an underscore and are defined by ``base``, but not by Tornado."""
    own = {name for kind in base.__mro__ if issubclass(kind, tornado.web.RequestHandler) for name in vars(kind)}
    names = {name for name in own - vars(tornado.web.RequestHandler).keys() if name.startswith("_")}
    return frozenset(name for name in names if not name.startswith("__"))


def _written_with(handler: type, base: type) -> Iterator[type]:
    """Yield a handler and those classes of the same package from which it inherits that are written for ``base``."""
    yield handler
    if STATED in vars(handler):
        return
    before_base = handler.__mro__[1 : handler.__mro__.index(base)]
    for kind in handler.__mro__[1:-1]:
        is_plain = not issubclass(kind, tornado.web.RequestHandler)
        if _package(kind) == _package(handler) and not issubclass(kind, base) and (is_plain or kind in before_base):
            yield kind


def is_foreign(kind: type, handler: type, *, base: type) -> bool:
    """Return whether a class that a handler inherits after ``base`` is a handler of another package.

    Its author may not know this library, and give its names another meaning. A class that is no handler, such as
    ``AdminOnly`` with ``scopes``, is a mixin for handlers of this library, wherever it comes from.
    """
    is_after_base = kind in handler.__mro__[handler.__mro__.index(base) :]
    is_handler = issubclass(kind, tornado.web.RequestHandler) and not issubclass(kind, base)
    return is_after_base and is_handler and kind not in base.__mro__ and _package(kind) != _package(handler)


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _annotations(kind: type) -> Mapping[str, object]:
    with contextlib.suppress(NameError, AttributeError, TypeError):  # Python 3.14 evaluates them here
        return inspect.get_annotations(kind)
    return {}
