"""Refuses attributes that mean something else than their author thinks: ``scope`` would open a handler."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

_NEARNESS = 0.8
"""How alike two words are taken for the same, from 0 to 1; one letter more, less or exchanged is."""

_SYNONYMS = {
    "required_scopes": "scopes",
    "scopes_required": "scopes",
    "permissions": "scopes",
    "roles": "groups",
    "required_groups": "groups",
    "required_claims": "claims",
    "acr": "acr_values",
}
"""What other libraries call these requirements."""
_VALUES = (str, list, tuple, set, frozenset, Mapping)

_RESERVED = {
    "policy": "what is required is written as scopes, groups and so on, each an attribute of its own",
    "sources": "where a token is looked for is written as token_sources",
    "principal": "it is who the token speaks for",
}
"""Attributes of a handler that are read and not written."""


def reject_near_misses(handler: type, words: Collection[str], *, base: type) -> None:
    """Refuse a handler that has an attribute which is almost one of these words.

    Args:
        base: The class whose own attributes are all meant.

    Raises:
        TypeError: It has.
    """
    for name in sorted(set(dir(handler)) - set(dir(base))):
        if name.startswith("_"):
            continue
        near = difflib.get_close_matches(name.lower(), words, n=1, cutoff=_NEARNESS)
        if not near and isinstance(getattr(handler, name), _VALUES):
            near = [_SYNONYMS[name]] if name in _SYNONYMS else []
        if near:
            raise TypeError(f"{name} means nothing here; did you mean {near[0]}? If not, choose a name less like it")


def reject_reserved_names(handler: type, *, base: type) -> None:
    """Refuse a handler whose author writes what is only read, on its class or on a plain one among its bases.

    Args:
        base: The class that has those attributes; asked before they are set for the handler.

    Raises:
        TypeError: One of them is written, and would be overwritten or hide what others read.
    """
    plain = [kind for kind in handler.__mro__ if not issubclass(kind, base) and kind not in base.__mro__]
    for name, meaning in _RESERVED.items():
        if any(name in vars(kind) for kind in (handler, *plain)):
            raise TypeError(f"{name} cannot be set: {meaning}; choose another name")
