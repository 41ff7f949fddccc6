"""Translates the path expression of a route to a path template (OpenAPI 3.1.0 section 4.8.8).

Tornado's ``reverse()`` renders the expressions that have a template; the document lists every other route as not
described.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tornado.routing import PathMatches

_PLACEHOLDER = "~argument~"
_METACHARACTERS = frozenset("()[]{}|?*+^$\\")
_GROUP = re.compile(r"\((?:\?P<(\w+)>)?([^()]*)\)")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[./]", re.DOTALL)
_SAME_IN_ECMASCRIPT = re.compile(r"(?:[^\\]|\\[dDwWsS^$\\.*+?()\[\]{}|/\-])*")
"""The expressions that mean the same to Python and to JSON Schema."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A part of a path that the handler receives as an argument.

    Args:
        number: Its position among the groups, from 1.
        name: Its name in the expression; empty for a positional argument.
        source: Its regular expression.
    """

    number: int
    name: str
    source: str

    @property
    def pattern(self) -> str | None:
        """Its expression in the dialect of JSON Schema, or None if that dialect has no equivalent."""
        return f"^(?:{self.source})$" if _SAME_IN_ECMASCRIPT.fullmatch(self.source) else None

    @property
    def spans_segments(self) -> bool:
        """Whether its value may contain a slash, which a path template cannot express."""
        return any(_matches_slash(atom) for atom in _ATOM.findall(self.source))


@dataclass(frozen=True, kw_only=True, slots=True)
class PathTemplate:
    """The path of a route: ``texts`` alternate with ``groups`` and enclose them."""

    texts: tuple[str, ...]
    groups: tuple[Group, ...] = ()

    def render(self, name: Callable[[Group], str]) -> str:
        """Return the path with each group replaced by its name in braces."""
        parameters = [*(f"{{{name(group)}}}" for group in self.groups), ""]
        return "".join(text + parameter for text, parameter in zip(self.texts, parameters, strict=True))


def parse_template(matcher: PathMatches) -> PathTemplate | None:
    """Return the template of a route, or None if ``reverse()`` cannot render its expression."""
    sources = _GROUP.findall(matcher.regex.pattern)
    try:
        path = matcher.reverse(*[_PLACEHOLDER] * matcher.regex.groups)
    except (TypeError, ValueError):  # Tornado raises TypeError for nested groups
        return None
    # Tornado renders an operator outside the groups, as in `/things/?`, as if it were text.
    if path is None or not path.startswith("/") or _METACHARACTERS.intersection(path):
        return None
    texts = tuple(path.split(_PLACEHOLDER))
    if not len(texts) - 1 == len(sources) == matcher.regex.groups:
        return None
    groups = (Group(number=number, name=name, source=source) for number, (name, source) in enumerate(sources, 1))
    return PathTemplate(texts=texts, groups=tuple(groups))


def _matches_slash(atom: str) -> bool:
    return atom[1] in "/DSW" if atom.startswith("\\") else re.fullmatch(atom, "/") is not None
