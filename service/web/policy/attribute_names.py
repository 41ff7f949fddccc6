"""Rejects misspelled attributes of a handler: ``scope`` instead of ``scopes`` would leave the handler open."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from service.web.policy.scopes import AnyOf

_SIMILARITY = 0.82
"""The ratio of ``difflib`` from which a name counts as misspelled: one letter added, missing, or exchanged."""

_SYNONYMS = {
    "required_scopes": "scopes",
    "scopes_required": "scopes",
    "permissions": "scopes",
    "roles": "groups",
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


def reject_near_misses(handler: type, names: Collection[str]) -> None:
    """Reject a handler whose own class body sets an attribute that resembles one of these names.

    Inherited attributes are not checked, since their author may not know this library.

    Raises:
        TypeError: An attribute resembles one of the names without being one.
    """
    for name, value in vars(handler).items():
        if name.startswith("_") or name in names or not isinstance(value, _VALUES):
            continue
        if name in _SYNONYMS:
            similar = [_SYNONYMS[name]]
        else:
            similar = difflib.get_close_matches(name.lower(), names, n=1, cutoff=_SIMILARITY)
        if similar:
            raise TypeError(f"{name} has no effect; did you mean {similar[0]}? If not, choose a name less like it")


def reject_reserved_names(handler: type, *, base: type) -> None:
    """Reject a handler that sets a read-only attribute in its class body or in a base that does not inherit ``base``.

    Args:
        base: The class that defines the read-only attributes. They must not be set on the handler yet.

    Raises:
        TypeError: A read-only attribute is set, so it would be overwritten or would hide the one that others read.
    """
    other_bases = [kind for kind in handler.__mro__ if not issubclass(kind, base) and kind not in base.__mro__]
    for name, explanation in _RESERVED.items():
        if any(name in vars(kind) for kind in (handler, *other_bases)):
            raise TypeError(f"{name} cannot be set: {explanation}; choose another name")
