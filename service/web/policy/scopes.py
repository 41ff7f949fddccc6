"""Required scopes, their alternatives, and how they are matched (RFC 6749 section 3.3)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass


class AnyOf:
    """Alternatives of which one is enough: ``scopes = AnyOf("things:read", "things:admin")``.

    Args:
        values: At least one alternative; error responses name the first.

    Raises:
        ValueError: There are no values, so no token could meet the requirement.
    """

    __slots__ = ("values",)

    def __init__(self, *values: object) -> None:
        if not values:
            raise ValueError("AnyOf() has no alternatives, so no token could meet it; pass at least one")
        self.values = values

    def __repr__(self) -> str:
        return f"AnyOf{self.values!r}"


_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_SEPARATORS = (":", ".")

ScopesAttribute = str | Iterable[str] | AnyOf
"""A list, or a string of scopes separated by spaces, requires all of them; :class:`AnyOf` requires one alternative."""


class ScopeMatching(enum.StrEnum):
    """How a granted scope is matched with a required one; the issuer must agree to any value but ``exact``.

    The parts of a scope are separated by ``:`` or ``.``.
    """

    EXACT = "exact"
    """Compares character by character; a star has no special meaning."""
    WILDCARD = "wildcard"
    """``things:*`` grants ``things:read`` and ``things:read:own``; a star alone grants nothing."""
    HIERARCHY = "hierarchy"
    """``things`` grants ``things:read`` and ``things:read:own``."""

    def grants(self, granted: frozenset[str], required: frozenset[str]) -> bool:
        """Return whether all the required scopes are granted."""
        if required <= granted:
            return True
        if self is ScopeMatching.EXACT:
            return False
        return all(any(self._covers(each, scope) for each in granted) for scope in required - granted)

    def _covers(self, granted: str, required: str) -> bool:
        if self is ScopeMatching.WILDCARD:
            if len(granted) < 3 or not granted.endswith(tuple(f"{separator}*" for separator in _SEPARATORS)):
                return False
            granted = granted[:-2]
        # The separator keeps `thing` from covering `things:read`.
        return required.startswith(tuple(granted + separator for separator in _SEPARATORS))


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeRequirements:
    """The scopes that one method requires.

    Args:
        alternatives: Sets of scopes, of which one is enough; empty for no requirement.
    """

    alternatives: tuple[frozenset[str], ...] = ()

    def is_satisfied(self, granted: frozenset[str], matching: ScopeMatching) -> bool:
        """Return whether the scopes of a token meet the requirement."""
        return not self.alternatives or any(matching.grants(granted, scopes) for scopes in self.alternatives)

    @property
    def preferred(self) -> frozenset[str]:
        """The scopes for the challenge: the first alternative, since all together are more than a client needs."""
        return self.alternatives[0]


def parse_scopes(value: object) -> ScopeRequirements:
    """Parse the attribute ``scopes``.

    Raises:
        TypeError: The value has a type without a meaning.
        ValueError: The value contains an invalid scope or an empty alternative.
    """
    if isinstance(value, AnyOf):
        alternatives = tuple(_parse_scope_set(scopes) for scopes in value.values)
        if not all(alternatives):
            raise ValueError(f"{value!r} has an empty alternative that every token meets; remove it")
        return ScopeRequirements(alternatives=alternatives)
    scopes = _parse_scope_set(value)
    return ScopeRequirements(alternatives=(scopes,) if scopes else ())


def _parse_scope_set(value: object) -> frozenset[str]:
    if not isinstance(value, Iterable):
        raise TypeError(f"scopes must be a string, a list, AnyOf(…) or a mapping from methods to these, not {value!r}")
    scopes = value.split() if isinstance(value, str) else list(value)
    for scope in scopes:
        if not isinstance(scope, str) or not _SCOPE_TOKEN.fullmatch(scope):
            raise ValueError(f"{scope!r} is not a valid scope (RFC 6749 section 3.3)")
    return frozenset(scopes)
