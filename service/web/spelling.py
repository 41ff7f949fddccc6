"""Refuses attributes that are almost the words of a policy: ``scope`` for ``scopes`` would open a handler."""

from __future__ import annotations

import difflib
from collections.abc import Collection

__all__ = ["check_spelling"]

_NEARNESS = 0.8
"""How alike two words are taken for the same, from 0 to 1; one letter more, less or exchanged is."""


def check_spelling(handler: type, words: Collection[str], *, base: type) -> None:
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
        if near:
            raise TypeError(f"{name} means nothing here; did you mean {near[0]}? If not, choose a name less like it")
