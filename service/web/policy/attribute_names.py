"""Rejects misspelled attributes of a handler: ``scope`` instead of ``scopes`` would leave the handler open."""

from __future__ import annotations

import contextlib
import difflib
import inspect
from collections.abc import Iterator, Mapping

import tornado.web

from service.web.policy.requirements import ATTRIBUTES
from service.web.policy.scopes import AnyOf

ATTRIBUTE_NAMES = (*ATTRIBUTES, "cors_origins", "openapi", "token_sources", "token_cookie", "further_challenges")
"""The class attributes that an author sets."""

_SIMILARITY = 0.82
"""The ratio of ``difflib`` from which a name counts as misspelled: one letter added, missing, or exchanged."""

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
_VALUES = (str, int, float, list, tuple, set, frozenset, Mapping, AnyOf)
"""The types of a value that states a requirement; a method or another object is never taken for one."""

_RESERVED = {
    "policy": "each requirement is an attribute of its own, such as scopes or groups",
    "sources": "the places that may hold a token are set as token_sources",
    "principal": "it holds the user and client of the token",
}
"""The read-only attributes of a handler."""


def reject_near_misses(handler: type, *, base: type) -> None:
    """Reject a handler with an attribute that resembles one of ours, or with one of ours that has no value.

    The attributes of other packages' classes are not checked, since their authors may not know this library, nor those
    of other handlers that come after ``base``, which may be older than its use.

    Raises:
        TypeError: An attribute resembles one of ours without being one, or is annotated without a value.
    """
    for kind in _written_with(handler, base):
        for name, value in vars(kind).items():
            if name in ATTRIBUTE_NAMES or name.startswith("_") or not isinstance(value, _VALUES):
                continue
            if name in _SYNONYMS:
                similar = [_SYNONYMS[name]]
            else:
                similar = difflib.get_close_matches(name.lower(), ATTRIBUTE_NAMES, n=1, cutoff=_SIMILARITY)
            if similar:
                place = "" if kind is handler else f" of {kind.__qualname__}"
                raise TypeError(
                    f"{name}{place} has no effect; did you mean {similar[0]}? If not, choose a name less like it"
                )
        for name in _annotations(kind):
            if name in ATTRIBUTE_NAMES and name not in vars(kind):
                raise TypeError(f"{name} has an annotation but no value; write {name} = …")


def reject_similar_methods(handler: type, *, base: type) -> None:
    """Reject a handler with a method that resembles ``authorize`` and takes a principal, since it is never called.

    Raises:
        TypeError: There is such a method.
    """
    for kind in _written_with(handler, base):
        for name, value in vars(kind).items():
            is_similar = difflib.get_close_matches(name.lower(), ["authorize"], n=1, cutoff=_SIMILARITY)
            if is_similar and not name.startswith("_") and inspect.isfunction(value) and takes_principal(value):
                raise TypeError(f"{name} is never called; did you mean authorize? If not, choose a name less like it")


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
    other_bases = [kind for kind in handler.__mro__ if not issubclass(kind, base) and kind not in base.__mro__]
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
    before_base = handler.__mro__[1 : handler.__mro__.index(base)]
    for kind in handler.__mro__[1:-1]:
        is_plain = not issubclass(kind, tornado.web.RequestHandler)
        if _package(kind) == _package(handler) and not issubclass(kind, base) and (is_plain or kind in before_base):
            yield kind


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _annotations(kind: type) -> Mapping[str, object]:
    with contextlib.suppress(NameError, AttributeError, TypeError):  # Python 3.14 evaluates them here
        return inspect.get_annotations(kind)
    return {}
