"""From the regular expression of a route to the path templates of OpenAPI (OpenAPI 3.1.0 section 4.8.8).

Expressed are literal text, capturing groups, and parts that may be absent; everything else has no template.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from service.web.openapi.route_regex import Group, Node, NoTemplateError, OptionalPart, RouteParser

_END = re.compile(r"(?<!\\)\$\Z")


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


def templates_of(regex: str) -> list[PathTemplate]:
    """Return the paths that an expression matches, the shortest first; none where templates cannot express them.

    A part that may be absent and varies makes two paths; one that does not vary, as the slash of ``/things/?``, is
    left out, because it is the same resource under a longer name.
    """
    try:
        nodes = RouteParser(_END.sub("", regex.removeprefix("^"))).read()
    except NoTemplateError:
        return []
    found = [PathTemplate(parts=tuple(_join_text(parts))) for parts in _expand(nodes)]
    return [one for one in found if one.render(lambda _: "").startswith("/")]


def _expand(nodes: Sequence[Node]) -> Iterator[list[str | Group]]:
    """Yield the sequences that come of leaving out, or not, what may be absent."""
    choices = [list(_alternatives(node)) for node in nodes]
    for chosen in itertools.product(*choices):
        yield [part for parts in chosen for part in parts]


def _alternatives(node: Node) -> Iterator[list[str | Group]]:
    if not isinstance(node, OptionalPart):
        yield [node]
        return
    yield []
    yield from (parts for parts in _expand(node.nodes) if any(isinstance(part, Group) for part in parts))


def _join_text(parts: Sequence[str | Group]) -> Iterator[str | Group]:
    for is_text, run in itertools.groupby(parts, key=lambda part: isinstance(part, str)):
        if is_text:
            yield "".join(map(str, run))
        else:
            yield from run
