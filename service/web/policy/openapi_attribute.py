"""Checks the attribute ``openapi``, which adds to the description of a handler (OpenAPI 3.1.0 section 4.8.10)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping

FIELDS = (
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
"""The fields of an operation; ``security`` is not among them, because that is what the policy says."""


def check_openapi_attribute(value: object, methods: tuple[str, ...]) -> None:
    """Refuse an attribute that says nothing about these methods: ``{"GET": {"summary": …, "responses": …}}`` does.

    Raises:
        TypeError: It is of a type that means nothing.
        ValueError: It names a method, or a field of an operation, that does not exist.
    """
    if not isinstance(value, Mapping) or not all(isinstance(one, Mapping) for one in value.values()):
        raise TypeError(f'openapi is a mapping from methods to fields: {{"GET": {{"summary": …}}}}, not {value!r}')
    if unknown := value.keys() - set(methods):
        raise ValueError(f"openapi names {sorted(unknown)}; methods are written as {', '.join(methods)}")
    for method, fields in value.items():
        for name, content in fields.items():
            _check_field(method, name)
            _check_content(method, name, content)
        try:
            json.dumps(fields)
        except (TypeError, ValueError) as exc:
            raise TypeError(f"openapi[{method!r}] holds what JSON cannot: {exc}") from None


def _check_field(method: str, name: object) -> None:
    if name == "security":
        raise ValueError(f"openapi[{method!r}] names security, which is what the requirements of the handler say")
    if name in FIELDS or str(name).startswith("x-"):
        return
    near = difflib.get_close_matches(str(name), FIELDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"an operation has {', '.join(FIELDS)} and x-…"
    raise ValueError(f"openapi[{method!r}] names {name!r}, which no operation has; {hint}")


def _check_content(method: str, name: str, content: object) -> None:
    if name == "responses":
        _check_responses(method, content)
    if name == "parameters" and not (
        isinstance(content, list | tuple) and all(isinstance(one, Mapping) for one in content)
    ):
        raise TypeError(f"openapi[{method!r}]['parameters'] is a list of mappings, not {content!r}")


def _check_responses(method: str, content: object) -> None:
    if not isinstance(content, Mapping):
        raise TypeError(f"openapi[{method!r}]['responses'] is a mapping from statuses to responses, not {content!r}")
    for status, response in content.items():
        if not isinstance(response, Mapping) or not response.keys() & {"description", "$ref"}:
            # OpenAPI 3.1.0 section 4.8.17
            raise ValueError(f"openapi[{method!r}]['responses'][{status!r}] needs a description, or a $ref")
