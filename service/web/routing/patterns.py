"""Selects the requirements of a route by its pattern."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from service.errors import SettingsError
from service.web.routing.wrap import StatedRequirements

_REST = ".*"
_LITERAL = re.compile(r"(?:(?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])(?![*?{]))*")
"""The start of a regular expression that matches only itself, with escaped punctuation."""


class PatternTable:
    """The requirements of all routes of an application, by pattern.

    A key is the pattern of a route, or ends with ``.*`` and stands for all patterns with the same beginning. The whole
    pattern has priority, then the longest beginning.

    Args:
        requirements: The requirements for each key.

    Raises:
        SettingsError: A key is not a regular expression, or a value is not one of ``protected(…)`` and ``public()``.
    """

    def __init__(self, requirements: Mapping[str, StatedRequirements]) -> None:
        for key, value in requirements.items():
            _check_key(key)
            if not isinstance(value, StatedRequirements):
                raise SettingsError([f"wrap: {key!r} leads to {value!r}; expected protected(…) or public()"])
        self._requirements = {_complete(key): value for key, value in requirements.items()}
        self._keys = {_complete(key): key for key in requirements}
        self._used: set[str] = set()

    def exact(self, pattern: str) -> StatedRequirements | None:
        """Return the requirements that name a pattern as a whole; None if there are none."""
        return self._use(_complete(pattern))

    def find(self, pattern: str) -> StatedRequirements:
        """Return the requirements of a pattern.

        Raises:
            SettingsError: No key matches, or requests of the route could be meant by another key.
        """
        text = _complete(pattern)
        if (exact := self._use(text)) is not None:
            return exact
        beginnings = [key for key in self._requirements if key.endswith(f"{_REST}$")]
        matching = [key for key in beginnings if _begins_with(text, key.removesuffix(f"{_REST}$"))]
        if not matching:
            raise SettingsError([f"no pattern of wrap matches; {self._nearest_key(pattern)}"])
        best = max(matching, key=len)
        for other in beginnings:
            # A route such as `/(admin|user)/` may serve what the author meant by `/admin/.*`.
            if len(other) > len(best) and _may_overlap(text, other):
                keys = f"{self._keys[best]!r} and {self._keys[other]!r}"
                raise SettingsError([f"its requests could belong to both {keys} of wrap; add {pattern!r} to wrap"])
        return self._requirements[self._mark(best)]

    @property
    def rest(self) -> StatedRequirements | None:
        """The requirements of everything that no other key matches; None if there is no such key."""
        return self._use(f"{_REST}$")

    def unused(self, patterns: Iterable[str]) -> list[str]:
        """Return a sentence for each key that no route has used; ``patterns`` are those of the routes."""
        known = list(patterns)
        return [
            f"wrap: {key!r} matches no unprotected route; {_nearest(key, known)}"
            for complete, key in self._keys.items()
            if complete not in self._used and complete != f"{_REST}$"
        ]

    def _use(self, key: str) -> StatedRequirements | None:
        return self._requirements[self._mark(key)] if key in self._requirements else None

    def _mark(self, key: str) -> str:
        self._used.add(key)
        return key

    def _nearest_key(self, pattern: str) -> str:
        return f"{_nearest(pattern, self._keys.values())}, or add {pattern!r}"


def _check_key(key: object) -> None:
    try:
        re.compile(str(key).removesuffix("$").removesuffix(_REST))
    except re.error as exc:
        raise SettingsError([f"wrap: {key!r} is not a regular expression: {exc}"]) from exc
    if not isinstance(key, str):
        raise SettingsError([f"wrap: {key!r} is not the pattern of a route; expected a string"])


def _complete(pattern: str) -> str:
    """Return a pattern as Tornado compiles it, from the beginning to the end of a path."""
    pattern = pattern.removeprefix("^")
    return pattern if pattern.endswith("$") else f"{pattern}$"


def _begins_with(pattern: str, beginning: str) -> bool:
    """Return whether all paths that match a pattern begin with a match of another one."""
    rest = pattern.removeprefix(beginning)
    if not beginning:
        return True
    return pattern.startswith(beginning) and rest[0] not in "*+?{" and not _is_choice(pattern)


def _may_overlap(pattern: str, key: str) -> bool:
    """Return whether a path could match both; True if that is not certain."""
    literal, other = _literal(pattern), _literal(key)
    if f"{literal}$" == _unescape(pattern):
        return re.match(key, literal) is not None
    return other.startswith(literal) or literal.startswith(other)


def _literal(pattern: str) -> str:
    """Return how all paths that match a pattern begin."""
    match = None if _is_choice(pattern) else _LITERAL.match(pattern)
    return "" if match is None else _unescape(match.group())


def _is_choice(pattern: str) -> bool:
    """Return whether a pattern consists of alternatives, such as ``/a|/b``, rather than containing them in a group."""
    text = re.sub(r"\\.|\[\^?\]?[^]]*\]", "", pattern)
    while text != (text := re.sub(r"\([^()]*\)", "", text)):
        pass
    return "|" in text


def _unescape(pattern: str) -> str:
    return re.sub(r"\\([^A-Za-z0-9])", r"\1", pattern)


def _nearest(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), n=1, cutoff=0)
    return f"the nearest is {near[0]!r}" if near else "there are none"
