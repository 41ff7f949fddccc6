"""The table of the mounted routes, with the requirements of each method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tornado.web

from service.web.endpoints.okta_guide import NotFound
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.description import PUBLIC, describe_requirements
from service.web.routing.audit import MountedRoute, check_routes, mounted_routes


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One method of one route."""

    method: str
    pattern: str
    handler: str
    requirements: str

    @property
    def is_public(self) -> bool:
        """Whether the method reads no token."""
        return self.requirements == PUBLIC


_HEADINGS = Row(method="METHOD", pattern="PATTERN", handler="HANDLER", requirements="REQUIRES")


def list_rows(routes: Sequence[Any]) -> list[Row]:
    """Return the rows of an application with these routes.

    Raises:
        SettingsError: A route is neither protected nor public.
    """
    mounted = list(mounted_routes(tornado.web.Application(list(routes)), default=NotFound))
    check_routes(mounted)
    return [row for route in mounted if route.handler is not None for row in _rows(route, route.handler)]


def format_table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table, with a heading and aligned columns."""
    table = [(row.method, row.pattern, row.handler, row.requirements) for row in (_HEADINGS, *rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _rows(route: MountedRoute, handler: type[BearerAuthMixin]) -> Iterator[Row]:
    # A handler without methods responds in its `prepare`, to every method alike.
    for method in route.methods or ["GET"]:
        requirements = list(describe_requirements(handler.policy.requirements[method]))
        if handler.policy.has_authorize and requirements != [PUBLIC]:
            requirements.append("authorize")
        if handler.sources != ("header",) and requirements != [PUBLIC]:
            requirements.append(f"from {' or '.join(handler.sources)}")
        yield Row(
            method=method if route.methods else "(any)",
            pattern=route.pattern,
            handler=route.name,
            requirements="; ".join(requirements),
        )
