"""The word for a requirement that one of several things meets, where a list means all of them."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass


class AnyOf:
    """One of these is enough: ``scopes = AnyOf("things:read", "things:admin")``.

    Args:
        values: At least one; the one that clients should ask for first.

    Raises:
        ValueError: There is none, so that nobody could ever meet the requirement.
    """

    __slots__ = ("values",)

    def __init__(self, *values: object) -> None:
        if not values:
            raise ValueError("AnyOf() names nothing that would be enough; name at least one thing")
        self.values = values

    def __repr__(self) -> str:
        return f"AnyOf{self.values!r}"


_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_SEPARATORS = (":", ".")

ScopesAttribute = str | Iterable[str] | AnyOf
"""All scopes of a list are needed; a text holds them separated by spaces; of :class:`AnyOf` one text is enough."""


class ScopeMatching(enum.StrEnum):
    """How a granted scope is compared with a required one; anything but ``exact`` is an agreement with the issuer.

    The parts of a scope are separated by ``:`` or ``.``.
    """

    EXACT = "exact"
    """Letter by letter: a star in a token is a star."""
    WILDCARD = "wildcard"
    """``things:*`` grants ``things:read`` and ``things:read:own``; a star without a part before it grants nothing."""
    HIERARCHY = "hierarchy"
    """``things`` grants ``things:read`` and ``things:read:own``."""

    def grants(self, granted: frozenset[str], required: frozenset[str]) -> bool:
        """Return whether all the required scopes are granted."""
        if required <= granted:
            return True
        if self is ScopeMatching.EXACT:
            return False
        return all(any(self._reaches(one, scope) for one in granted) for scope in required - granted)

    def _reaches(self, granted: str, required: str) -> bool:
        if self is ScopeMatching.WILDCARD:
            if len(granted) < 3 or not granted.endswith(tuple(f"{separator}*" for separator in _SEPARATORS)):
                return False
            granted = granted[:-2]
        # A part ends where a separator stands: `thing` must not reach `things:read`.
        return required.startswith(tuple(granted + separator for separator in _SEPARATORS))


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeRequirements:
    """The scopes that one method needs.

    Args:
        alternatives: All the scopes of one of these are enough; none at all requires nothing.
    """

    alternatives: tuple[frozenset[str], ...] = ()

    def is_satisfied(self, granted: frozenset[str], matching: ScopeMatching) -> bool:
        """Return whether the scopes of a token are enough."""
        return not self.alternatives or any(matching.grants(granted, one) for one in self.alternatives)

    @property
    def preferred(self) -> frozenset[str]:
        """What a client is told to ask for: the first alternative, since naming all would ask for more than needed."""
        return self.alternatives[0]


def parse_scopes(value: object) -> ScopeRequirements:
    """Return the requirements that an attribute spells.

    Raises:
        TypeError: It is of a type that means nothing.
        ValueError: Something in it cannot be a scope.
    """
    if isinstance(value, AnyOf):
        alternatives = tuple(_all_of(one) for one in value.values)
        if not all(alternatives):
            raise ValueError(f"{value!r} holds an empty alternative, which every token would meet")
        return ScopeRequirements(alternatives=alternatives)
    scopes = _all_of(value)
    return ScopeRequirements(alternatives=(scopes,) if scopes else ())


def _all_of(value: object) -> frozenset[str]:
    if not isinstance(value, Iterable):
        raise TypeError(f"scopes are a text, a list, AnyOf(…) or a mapping of methods, not {value!r}")
    scopes = value.split() if isinstance(value, str) else list(value)
    for scope in scopes:
        if not isinstance(scope, str) or not _SCOPE_TOKEN.fullmatch(scope):
            raise ValueError(f"{scope!r} cannot be a scope (RFC 6749 section 3.3)")
    return frozenset(scopes)
