"""Merges the fields of a handler's attribute ``openapi`` into its description (OpenAPI 3.1.0 section 4.8.10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SERVICE_TAG: dict[str, Any] = {"tags": ["service"]}
"""The tag that separates the built-in endpoints from those of the API."""


def merge_overrides(operation: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation with its overrides: responses and parameters are added, other fields are replaced.

    A success response among the overrides replaces the generated one, which has no content.
    """
    merged = {**operation, **overrides}
    if "responses" in overrides:
        responses = {str(status): response for status, response in overrides["responses"].items()}
        has_success = any(status[0] in "123" for status in responses)
        generated = {
            status: response
            for status, response in operation["responses"].items()
            if not (has_success and status[0] in "123")
        }
        merged["responses"] = dict(sorted({**generated, **responses}.items()))
    if "parameters" in overrides:
        parameters = [*operation.get("parameters", ()), *overrides["parameters"]]
        by_key = {(each.get("in"), each.get("name"), each.get("$ref")): each for each in parameters}
        merged["parameters"] = list(by_key.values())
    return merged


def json_response(schema: Mapping[str, Any], description: str = "The request is served.") -> dict[str, Any]:
    """Return the overrides of a method that responds 200 with JSON of a schema."""
    return {"responses": {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}}
