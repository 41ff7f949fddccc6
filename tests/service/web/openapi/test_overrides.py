from __future__ import annotations

from typing import Any, ClassVar

import pytest
from tornado.web import RequestHandler

from service.web.endpoints.okta_guide import Hello
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import merge_overrides


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (None, "mapping from methods"),
        ({"GET": "hello"}, "mapping from methods"),
        ({"get": {}}, "not methods; use GET"),
        ({"GET": {"sumary": "x"}}, "did you mean summary"),
        ({"GET": {"zzz": "x"}}, "the fields are tags"),
        ({"GET": {"security": []}}, "the requirements of the handler"),
        ({"GET": {"summary": {1, 2}}}, "JSON cannot represent"),
        ({"GET": {"responses": []}}, "map statuses to responses"),
        ({"GET": {"responses": {200: {}}}}, r"\[200\] needs a description"),
        ({"GET": {"responses": {"404": "gone"}}}, "needs a description"),
        ({"GET": {"parameters": {}}}, "list of mappings"),
        ({"GET": {"parameters": ["id"]}}, "list of mappings"),
    ],
)
def test_an_invalid_override_raises_at_class_creation(overrides: Any, expected: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"Things: openapi.*{expected}"):
        type("Things", (BearerAuthMixin, RequestHandler), {"openapi": overrides})


def test_a_mistyped_openapi_attribute_raises_at_class_creation() -> None:
    with pytest.raises(TypeError, match="did you mean openapi"):
        type("Things", (BearerAuthMixin, RequestHandler), {"open_api": {}})


def test_a_subclass_inherits_the_overrides() -> None:
    class Louder(Hello):
        pass

    assert Hello.openapi == Louder.openapi


OVERRIDDEN_PARAMETERS = [{"in": "path", "name": "id", "schema": {"type": "string"}}, {"in": "query", "name": "q"}]
DERIVED: dict[str, Any] = {
    "summary": "derived",
    "security": [],
    "parameters": [{"in": "path", "name": "id", "schema": {}}],
    "responses": {"2XX": {"description": "d"}, "401": {"description": "d"}, "default": {"description": "d"}},
}


class TestMergeOverrides:
    ROWS: ClassVar = [
        ({}, DERIVED),
        ({"summary": "own", "x-more": 1}, DERIVED | {"summary": "own", "x-more": 1}),
        (
            {"responses": {200: {"description": "o"}, "404": {"description": "o"}}},
            DERIVED
            | {
                "responses": {
                    "200": {"description": "o"},
                    "401": {"description": "d"},
                    "404": {"description": "o"},
                    "default": {"description": "d"},
                }
            },
        ),
        (
            {"responses": {"401": {"description": "o"}}},
            DERIVED | {"responses": DERIVED["responses"] | {"401": {"description": "o"}}},
        ),
        ({"parameters": OVERRIDDEN_PARAMETERS}, DERIVED | {"parameters": OVERRIDDEN_PARAMETERS}),
    ]

    @pytest.mark.parametrize(("overrides", "expected"), ROWS)
    def test_overrides_take_precedence_over_derived_values(
        self, overrides: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        assert expected == merge_overrides(DERIVED, overrides)

    def test_an_operation_without_parameters_gets_those_of_the_overrides(self) -> None:
        overrides = {"parameters": [{"in": "query", "name": "q"}]}
        assert overrides["parameters"] == merge_overrides({"responses": {}}, overrides)["parameters"]
