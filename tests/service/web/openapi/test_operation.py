from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from tornado.web import RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler

from service.tokens.principal import Principal
from service.web.endpoints.okta_guide import WhoAmI
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.operation import describe_operation
from service.web.policy.policy import policy
from service.web.policy.scopes import AnyOf
from service.web.routing.wrap import protected, public


class Handler(BearerAuthMixin, RequestHandler):
    def get(self) -> None:
        """Read
        one thing.

        At most one.
        """


def _agree(handler: object, principal: Principal) -> bool:
    return handler is not principal


def _with(**words: Any) -> type[BearerAuthMixin]:
    return type("With", (Handler,), words)


def _describe(
    handler: type[BearerAuthMixin], method: str = "GET", *, parameters: Sequence[dict[str, Any]] = (), issuers: int = 1
) -> dict[str, Any]:
    return describe_operation(handler, method, parameters=parameters, issuers=issuers)


@pytest.mark.parametrize(
    ("words", "security", "refusals"),
    [
        ({"public": True}, [], []),
        ({}, [{"bearer": []}, {"issuer": []}], ["400", "401", "503"]),
        ({"optional": True}, [{}, {"bearer": []}, {"issuer": []}], ["400", "401", "503"]),
        ({"scopes": "b a"}, [{"bearer": ["a", "b"]}, {"issuer": ["a", "b"]}], ["400", "401", "403", "503"]),
        (
            {"scopes": AnyOf("a b", "c")},
            [{"bearer": ["a", "b"]}, {"issuer": ["a", "b"]}, {"bearer": ["c"]}, {"issuer": ["c"]}],
            ["400", "401", "403", "503"],
        ),
        ({"groups": "G"}, [{"bearer": []}, {"issuer": []}], ["400", "401", "403", "503"]),
        ({"claims": {"a": 1}}, [{"bearer": []}, {"issuer": []}], ["400", "401", "403", "503"]),
        ({"allowed_clients": "c"}, [{"bearer": []}, {"issuer": []}], ["400", "401", "403", "503"]),
        ({"max_age": 60}, [{"bearer": []}, {"issuer": []}], ["400", "401", "503"]),
        ({"authorize": _agree}, [{"bearer": []}, {"issuer": []}], ["400", "401", "403", "503"]),
    ],
)
def test_the_demands_say_which_tokens_do_and_which_refusals_there_are(
    words: dict[str, Any], security: list[dict[str, list[str]]], refusals: list[str]
) -> None:
    operation = _describe(_with(**words))
    assert security == operation["security"]
    assert ["2XX", *refusals, "default"] == list(operation["responses"])


@pytest.mark.parametrize(
    ("issuers", "security"),
    [(0, [{"bearer": []}]), (2, [{"bearer": []}, {"issuer": []}, {"issuer2": []}])],
)
def test_a_token_of_any_issuer_does(issuers: int, security: list[dict[str, list[str]]]) -> None:
    assert security == _describe(WhoAmI, issuers=issuers)["security"]


def test_the_docstring_is_the_summary_and_the_description_with_the_requirements_behind_it() -> None:
    operation = _describe(_with(scopes="a", groups="G", claims={"level": 3}, acr_values="phr", max_age=60))
    assert "Read one thing." == operation["summary"]
    requirements = "Requires a token; scopes a; groups G; level 3; acr phr; authenticated within 60 s."
    assert f"At most one.\n\n{requirements}" == operation["description"]


def test_where_a_token_may_stand_is_said_behind_the_demands() -> None:
    operation = _describe(_with(token_sources=["header", "form"]))
    sentence = "The token is read from the Authorization header or the form field access_token."
    assert operation["description"].endswith(f"Requires a token.\n\n{sentence}")


def test_a_handler_that_has_a_word_of_its_own_is_said_to() -> None:
    assert _describe(_with(authorize=_agree))["description"].endswith("Requires a token; approval by the handler.")


def test_nothing_is_said_where_there_is_nothing_to_say() -> None:
    handler = public(type("Silent", (RequestHandler,), {"get": lambda _: None}))
    assert {"operationId", "security", "responses"} == _describe(handler).keys()


def test_what_tornado_says_about_its_own_code_is_not_published() -> None:
    operation = _describe(protected(StaticFileHandler, scopes="files"))
    assert (None, "Requires a token; scopes files.") == (operation.get("summary"), operation["description"])


def test_each_method_has_its_own_demands() -> None:
    class Things(BearerAuthMixin, RequestHandler):
        scopes: ClassVar = {"GET": "read", "POST": "write"}

        def get(self) -> None:
            """Read."""

        @policy(public=True)
        def post(self) -> None:
            """Write."""

    assert ["read"] == _describe(Things)["security"][0]["bearer"]
    assert [] == _describe(Things, "POST")["security"]


def test_a_parameter_in_the_path_makes_it_possible_that_nothing_is_there() -> None:
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = _describe(_with(public=True), parameters=[parameter])
    assert [parameter] == operation["parameters"]
    assert ["2XX", "404", "default"] == list(operation["responses"])


def test_a_websocket_opens_instead_of_answering() -> None:
    class Prices(BearerAuthMixin, WebSocketHandler):
        pass

    operation = _describe(Prices)
    assert ["101", "400", "401", "503", "default"] == list(operation["responses"])
    assert "4401" in operation["description"]
