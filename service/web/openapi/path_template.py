"""From the regular expression of a route to the path templates of OpenAPI (OpenAPI 3.1.0 section 4.8.8).

Expressed are literal text, capturing groups, and parts that may be absent; everything else has no template.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Group", "PathTemplate", "templates_of"]

_ECMA = re.compile(r"(?:[^\\(]|\\[dDwWsS^$\\.*+?()\[\]{}|/\-]|\((?!\?)|\(\?:)*")
"""The expressions that mean the same to Python and to JSON Schema."""
_INNER_NAME = re.compile(r"\(\?P<\w+>")
_CHARACTER = re.compile(r"\[([^\]\\^])\]")
"""A class of one character, as people write a full stop."""
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
_END = re.compile(r"(?<!\\)\$\Z")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_SLASH = re.compile(r"\[\^[^\]]*\]|(/)")


class _NoTemplateError(Exception):
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


@dataclass(frozen=True, kw_only=True, slots=True)
class PathTemplate:
    """One path that a route serves: texts, and what varies between them."""

    parts: tuple[str | Group, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """What varies, in order."""
        return tuple(part for part in self.parts if isinstance(part, Group))

    def render(self, name: Callable[[Group], str]) -> str:
        """Return the path, each part that varies in braces under the name that it is given."""
        return "".join(part if isinstance(part, str) else f"{{{name(part)}}}" for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Perhaps:
    """Nodes that may be absent."""

    nodes: tuple[_Node, ...]


_Node = str | Group | _Perhaps


def templates_of(regex: str) -> list[PathTemplate]:
    """Return the paths that an expression matches, the shortest first; none where templates cannot express them.

    A part that may be absent and varies makes two paths; one that does not vary, as the slash of ``/things/?``, is
    left out, because it is the same resource under a longer name.
    """
    try:
        nodes = _Reader(_END.sub("", regex.removeprefix("^"))).read()
    except _NoTemplateError:
        return []
    found = [PathTemplate(parts=tuple(_joined(parts))) for parts in _expanded(nodes)]
    return [one for one in found if one.render(lambda _: "").startswith("/")]


def _expanded(nodes: Sequence[_Node]) -> Iterator[list[str | Group]]:
    """Yield the sequences that come of leaving out, or not, what may be absent."""
    choices = [list(_choices(node)) for node in nodes]
    for chosen in itertools.product(*choices):
        yield [part for parts in chosen for part in parts]


def _choices(node: _Node) -> Iterator[list[str | Group]]:
    if not isinstance(node, _Perhaps):
        yield [node]
        return
    yield []
    yield from (parts for parts in _expanded(node.nodes) if any(isinstance(part, Group) for part in parts))


def _joined(parts: Sequence[str | Group]) -> Iterator[str | Group]:
    for is_text, run in itertools.groupby(parts, key=lambda part: isinstance(part, str)):
        if is_text:
            yield "".join(map(str, run))
        else:
            yield from run


class _Reader:
    """Reads an expression from left to right; Python has compiled it already, so that it is well formed."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self._at = 0
        self._groups = 0

    def read(self) -> list[_Node]:
        nodes: list[_Node] = []
        while self._at < len(self._regex) and self._regex[self._at] != ")":
            found = self._item()
            if self._take("?"):
                self._take("?") or self._take("+")  # how greedy it is changes no path
                nodes.append(_Perhaps(tuple(found)))
            elif self._regex.startswith(("*", "+", "{"), self._at):
                raise _NoTemplateError
            else:
                nodes += found
        return nodes

    def _item(self) -> list[_Node]:
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
                raise _NoTemplateError  # a class such as \d, whose value nobody is given
        elif character in ".^$*+?[]|":
            raise _NoTemplateError
        if character in "{}":
            raise _NoTemplateError  # a brace opens a parameter in a template
        return [character]

    def _group(self) -> list[_Node]:
        if self._take("?:"):
            nodes = self.read()
            self._at += 1
            return nodes
        name = self._name()
        source = self._regex[self._at : (end := self._closing())]
        self._at = end + 1
        number = self._groups = self._groups + 1
        self._groups += re.compile(source).groups
        # The slash before an argument that may be absent mostly stands inside its group: `(/.*)?`.
        lead = "/" if source.startswith("/") and source[1:2] not in {"?", "*", "+", "{"} and "|" not in source else ""
        source = source.removeprefix(lead)
        if any(found[1] for found in _SLASH.finditer(source)):
            raise _NoTemplateError
        group = Group(number=number, name=name, source=source)
        return [lead, group] if lead else [group]

    def _name(self) -> str | None:
        if self._take("?P<"):
            start, self._at = self._at, self._regex.index(">", self._at) + 1
            return self._regex[start : self._at - 1]
        if self._take("?"):
            raise _NoTemplateError  # a look around, or flags
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
