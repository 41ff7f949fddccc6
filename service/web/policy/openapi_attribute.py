"""Checks the attribute ``openapi``, which adds fields to a handler's description (OpenAPI 3.1.0 section 4.8.10)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping

_FIELDS = (
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
    "deprecated",
    "servers",
)
"""The allowed fields of an operation; ``security`` is missing because it is generated from the requirements."""


def check_openapi_attribute(value: object, methods: tuple[str, ...]) -> None:
    """Check the value of ``openapi``, such as ``{"GET": {"summary": …, "responses": …}}``.

    Raises:
        TypeError: The value, or a part of it, has a wrong type.
        ValueError: The value names an unknown method or an unknown field.
    """
    if not isinstance(value, Mapping) or not all(isinstance(fields, Mapping) for fields in value.values()):
        raise TypeError(f'openapi must be a mapping from methods to fields, {{"GET": {{"summary": …}}}}, not {value!r}')
    if unknown := value.keys() - set(methods):
        raise ValueError(f"openapi names {sorted(unknown)}, which are not methods; use {', '.join(methods)}")
    for method, fields in value.items():
        for name, content in fields.items():
            _check_field(method, name)
            _check_content(method, name, content)
        try:
            json.dumps(fields)
        except (TypeError, ValueError) as exc:
            raise TypeError(f"openapi[{method!r}] contains a value that JSON cannot represent: {exc}") from None


def _check_field(method: str, name: object) -> None:
    if name == "security":
        raise ValueError(f"openapi[{method!r}] names security, which is generated from the requirements of the handler")
    if name in _FIELDS or str(name).startswith("x-"):
        return
    near = difflib.get_close_matches(str(name), _FIELDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(_FIELDS)} and x-…"
    raise ValueError(f"openapi[{method!r}] names the unknown field {name!r}; {hint}")


def _check_content(method: str, name: str, content: object) -> None:
    if name == "responses":
        _check_responses(method, content)
    if name == "parameters" and not (
        isinstance(content, list | tuple) and all(isinstance(parameter, Mapping) for parameter in content)
    ):
        raise TypeError(f"openapi[{method!r}]['parameters'] must be a list of mappings, not {content!r}")


def _check_responses(method: str, content: object) -> None:
    if not isinstance(content, Mapping):
        raise TypeError(f"openapi[{method!r}]['responses'] must map statuses to responses, not {content!r}")
    for status, response in content.items():
        if not isinstance(response, Mapping) or not response.keys() & {"description", "$ref"}:
            # OpenAPI 3.1.0 section 4.8.17
            raise ValueError(f"openapi[{method!r}]['responses'][{status!r}] needs a description, or a $ref")
