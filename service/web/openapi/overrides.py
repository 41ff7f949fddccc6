"""What the author of a handler adds to its description: the attribute ``openapi`` (OpenAPI 3.1.0 section 4.8.10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SERVICE_TAG: dict[str, Any] = {"tags": ["service"]}
"""The words that set our own endpoints apart from those that the API is there for."""


def merge_overrides(derived: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation as its author wants it: responses and parameters side by side, all else replaced.

    A success response of the author replaces the derived one, which has no content.
    """
    laid = {**derived, **own}
    if "responses" in own:
        success = any(str(status)[0] in "123" for status in own["responses"])
        kept = {status: one for status, one in derived["responses"].items() if status[0] not in "123" or not success}
        laid["responses"] = dict(sorted({**kept, **{str(key): one for key, one in own["responses"].items()}}.items()))
    if "parameters" in own:
        both = [*derived.get("parameters", ()), *own["parameters"]]
        laid["parameters"] = list({(one.get("in"), one.get("name"), one.get("$ref")): one for one in both}.values())
    return laid


def json_response(schema: Mapping[str, Any], description: str = "The request is served.") -> dict[str, Any]:
    """Return the words for a method that answers 200 with JSON of one schema."""
    return {"responses": {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}}
