"""The table of what is mounted, method by method, and what each requires."""

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
        """Whether anybody may call it."""
        return self.requirements == PUBLIC


_HEADINGS = Row(method="METHOD", pattern="PATTERN", handler="HANDLER", requirements="REQUIRES")


def list_rows(routes: Sequence[Any]) -> list[Row]:
    """Return what an application of these routes would serve.

    Raises:
        SettingsError: A route leads to something that nobody judges.
    """
    found = list(mounted_routes(tornado.web.Application(list(routes)), default=NotFound))
    check_routes(found)
    return [row for one in found for row in _rows(one)]


def format_table(rows: Sequence[Row]) -> list[str]:
    """Return a table with a heading, in columns as wide as they need to be."""
    table = [(row.method, row.pattern, row.handler, row.requirements) for row in (_HEADINGS, *rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _rows(one: MountedRoute) -> Iterator[Row]:
    policy = (one.handler or BearerAuthMixin).policy
    # What has no method of its own answers in another way, and then to every method alike.
    for method in one.methods or ["GET"]:
        requirements = list(describe_requirements(policy.of(method)))
        if policy.has_authorize and requirements != [PUBLIC]:
            requirements.append("authorize")
        if one.handler is not None and one.handler.sources != ("header",) and requirements != [PUBLIC]:
            requirements.append(f"from {' or '.join(one.handler.sources)}")
        yield Row(
            method=method if one.methods else "(any)",
            pattern=one.pattern,
            handler=one.name,
            requirements="; ".join(requirements),
        )
