"""Describes one path: its parameters and its methods (OpenAPI 3.1.0 sections 4.8.9 and 4.8.12)."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.operation import describe_operation, docstring_parts
from service.web.openapi.path_template import Group, PathTemplate

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def describe_path(
    handler: type[BearerAuthMixin], methods: Sequence[str], template: PathTemplate, *, tokens: AcceptedTokens
) -> tuple[str, dict[str, Any]]:
    """Return the path with the names of its parameters in braces, and its path item."""
    names = _parameter_names(handler, methods, template)
    parameters = [_describe_parameter(group, names[group]) for group in template.groups]
    item: dict[str, Any] = {}
    if description := "\n\n".join(filter(None, docstring_parts(handler))):
        item["description"] = description
    for method in methods:
        item[method.lower()] = describe_operation(handler, method, parameters=parameters, tokens=tokens)
    return template.render(names.__getitem__), item


def _parameter_names(
    handler: type[BearerAuthMixin], methods: Sequence[str], template: PathTemplate
) -> dict[Group, str]:
    """Return the name of each group: from the expression, else from the arguments of the first method."""
    names: dict[Group, str] = {}
    arguments = _argument_names(getattr(handler, methods[0].lower()))
    for group in template.groups:
        name = group.name or (arguments[group.number - 1] if group.number <= len(arguments) else "")
        names[group] = name if name and name not in names.values() else f"part{group.number}"
    return names


def _argument_names(method: Any) -> list[str]:
    """Return the names of the positional arguments of a method after ``self``."""
    parameters = inspect.signature(method).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind in _POSITIONAL][1:]


def _describe_parameter(group: Group, name: str) -> dict[str, Any]:
    schema = {"type": "string"} | ({} if group.pattern is None else {"pattern": group.pattern})
    parameter: dict[str, Any] = {"name": name, "in": "path", "required": True, "schema": schema}
    if group.spans_segments:
        # OpenAPI 3.1 has no field for this; a client that ignores it sends %2F, which most routes accept too.
        parameter |= {"description": "May contain slashes, sent without percent-encoding.", "x-slashes": True}
    return parameter
