"""Describes one path, its parameters and what each method does there (OpenAPI 3.1.0 sections 4.8.9 and 4.8.12)."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.operation import describe_operation, paragraphs
from service.web.openapi.path_template import PathTemplate
from service.web.openapi.route_regex import Group

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def describe_path(
    handler: type[BearerAuthMixin], methods: Sequence[str], template: PathTemplate, *, issuers: int
) -> tuple[str, dict[str, Any]]:
    """Return a path, with the names of its parameters in braces, and its description."""
    names = _names(handler, methods, template)
    parameters = [_parameter(group, names[group]) for group in template.groups]
    item: dict[str, Any] = {}
    if own := "\n\n".join(filter(None, paragraphs(handler))):
        item["description"] = own
    for method in methods:
        item[method.lower()] = describe_operation(handler, method, parameters=parameters, issuers=issuers)
    return template.render(names.__getitem__), item


def _names(handler: type[BearerAuthMixin], methods: Sequence[str], template: PathTemplate) -> dict[Group, str]:
    """Return what each part of a path is called: as in the route, or as the method that gets it calls it."""
    names: dict[Group, str] = {}
    arguments = _arguments(getattr(handler, methods[0].lower()))
    for group in template.groups:
        called = group.name or (arguments[group.number - 1] if group.number <= len(arguments) else "")
        names[group] = called if called and called not in names.values() else f"part{group.number}"
    return names


def _arguments(method: Any) -> list[str]:
    """Return the names of a method's arguments behind ``self``."""
    found = inspect.signature(method).parameters.values()
    return [parameter.name for parameter in found if parameter.kind in _POSITIONAL][1:]


def _parameter(group: Group, name: str) -> dict[str, Any]:
    schema = {"type": "string"} | ({} if group.pattern is None else {"pattern": group.pattern})
    parameter: dict[str, Any] = {"name": name, "in": "path", "required": True, "schema": schema}
    if group.spans_segments:
        # No field of OpenAPI 3.1 says so: a client that knows none of this sends %2F, which most routes take as well.
        parameter |= {"description": "May hold slashes, which are then written as they are.", "x-slashes": True}
    return parameter
