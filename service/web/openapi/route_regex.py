"""Reads the regular expression of a route: texts, groups, and what may be absent, as a path template could say it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ECMA = re.compile(r"(?:[^\\(]|\\[dDwWsS^$\\.*+?()\[\]{}|/\-]|\((?!\?)|\(\?:)*")
"""The expressions that mean the same to Python and to JSON Schema."""
_INNER_NAME = re.compile(r"\(\?P<\w+>")
_CHARACTER = re.compile(r"\[([^\]\\^])\]")
"""A class of one character, as people write a full stop."""
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_SLASH = re.compile(r"\[\^[^\]]*\]|(/)")


class NoTemplateError(Exception):
    """The expression matches paths that no template describes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A part of a path that the handler gets as an argument.

    Args:
        number: Its place among the groups, from 1.
        name: None for a positional argument.
        source: What it matches, as it stands in the route.
    """

    number: int
    name: str | None
    source: str

    @property
    def pattern(self) -> str | None:
        """What its values look like, in the dialect of JSON Schema; None where that cannot be said."""
        source = _INNER_NAME.sub("(?:", self.source)
        return f"^(?:{source})$" if _ECMA.fullmatch(source) else None

    @property
    def spans_segments(self) -> bool:
        """Whether its values may hold slashes, which a template cannot say."""
        bare = _CLASS.sub("", _ESCAPED.sub("", self.source))
        negated = (found[0] for found in _CLASS.finditer(self.source) if found[0].startswith("[^"))
        return "." in bare or any("/" not in one for one in negated)


@dataclass(frozen=True, slots=True)
class OptionalPart:
    """Nodes that may be absent."""

    nodes: tuple[Node, ...]


Node = str | Group | OptionalPart


class RouteParser:
    """Reads an expression from left to right; Python has compiled it already, so that it is well formed."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self._at = 0
        self._groups = 0

    def read(self) -> list[Node]:
        """Return what stands from here to the end, or to the end of the group that is open.

        Raises:
            NoTemplateError: Something there matches what no template describes.
        """
        nodes: list[Node] = []
        while self._at < len(self._regex) and self._regex[self._at] != ")":
            found = self._item()
            if self._take("?"):
                self._take("?") or self._take("+")  # how greedy it is changes no path
                nodes.append(OptionalPart(tuple(found)))
            elif self._regex.startswith(("*", "+", "{"), self._at):
                raise NoTemplateError
            else:
                nodes += found
        return nodes

    def _item(self) -> list[Node]:
        if found := _CHARACTER.match(self._regex, self._at):
            self._at = found.end()
            return [found[1]]
        character = self._regex[self._at]
        self._at += 1
        if character == "(":
            return self._group()
        if character == "\\":
            character = self._regex[self._at]
            self._at += 1
            if character.isalnum():
                raise NoTemplateError  # a class such as \d, whose value nobody is given
        elif character in ".^$*+?[]|":
            raise NoTemplateError
        if character in "{}":
            raise NoTemplateError  # a brace opens a parameter in a template
        return [character]

    def _group(self) -> list[Node]:
        if self._take("?:"):
            nodes = self.read()
            self._at += 1
            return nodes
        name = self._name()
        source = self._regex[self._at : (end := self._closing())]
        self._at = end + 1
        number = self._groups = self._groups + 1
        try:
            self._groups += re.compile(source).groups
        except re.error:  # it refers to a group outside itself
            raise NoTemplateError from None
        # The slash before an argument that may be absent mostly stands inside its group: `(/.*)?`.
        lead = "/" if source.startswith("/") and source[1:2] not in {"?", "*", "+", "{"} and "|" not in source else ""
        source = source.removeprefix(lead)
        if any(found[1] for found in _SLASH.finditer(source)):
            raise NoTemplateError
        group = Group(number=number, name=name, source=source)
        return [lead, group] if lead else [group]

    def _name(self) -> str | None:
        if self._take("?P<"):
            start, self._at = self._at, self._regex.index(">", self._at) + 1
            return self._regex[start : self._at - 1]
        if self._take("?"):
            raise NoTemplateError  # a look around, or flags
        return None

    def _closing(self) -> int:
        """Return where the group ends that is open."""
        depth, at = 1, self._at
        while True:
            match self._regex[at]:
                case "\\":
                    at += 1
                case "[" if found := _CLASS.match(self._regex, at):
                    at = found.end() - 1
                case "(":
                    depth += 1
                case ")":
                    depth -= 1
            if depth == 0:
                return at
            at += 1

    def _take(self, text: str) -> bool:
        taken = self._regex.startswith(text, self._at)
        self._at += len(text) * taken
        return taken
