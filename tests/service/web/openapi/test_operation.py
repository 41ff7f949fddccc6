from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from tornado.web import RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler

from service.tokens.principal import Principal
from service.web.endpoints.okta_guide import WhoAmI
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
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


def _authorize(handler: object, principal: Principal) -> bool:
    return handler is not principal


def _with(**attributes: Any) -> type[BearerAuthMixin]:
    return type("With", (Handler,), attributes)


def _describe(
    handler: Any, method: str = "GET", *, parameters: Sequence[dict[str, Any]] = (), issuers: int = 1, dpop: str = "off"
) -> dict[str, Any]:
    modes = {f"https://{number}.example": dpop for number in range(issuers)}
    tokens = AcceptedTokens(modes=modes, proof_algorithms=("ES256",))
    return describe_operation(handler, method, parameters=parameters, tokens=tokens)


@pytest.mark.parametrize(
    ("attributes", "security", "errors"),
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
        ({"authorize": _authorize}, [{"bearer": []}, {"issuer": []}], ["400", "401", "403", "503"]),
    ],
)
def test_the_requirements_determine_security_and_error_responses(
    attributes: dict[str, Any], security: list[dict[str, list[str]]], errors: list[str]
) -> None:
    operation = _describe(_with(**attributes))
    assert security == operation["security"]
    assert ["2XX", *errors, "default"] == list(operation["responses"])


@pytest.mark.parametrize(
    ("issuers", "security"),
    [(0, [{"bearer": []}]), (2, [{"bearer": []}, {"issuer": []}, {"issuer2": []}])],
)
def test_each_issuer_is_a_security_alternative(issuers: int, security: list[dict[str, list[str]]]) -> None:
    assert security == _describe(WhoAmI, issuers=issuers)["security"]


@pytest.mark.parametrize(
    ("dpop", "attributes", "proof"),
    [
        ("off", {}, None),
        ("allowed", {}, "DPoPProof"),
        ("required", {}, "RequiredDPoPProof"),
        ("required", {"optional": True}, "DPoPProof"),
        ("required", {"public": True}, None),
        ("off", {"dpop": "required"}, "RequiredDPoPProof"),
        ("required", {"dpop": "off"}, None),
    ],
)
def test_the_proof_is_a_parameter_where_it_is_accepted(
    dpop: str, attributes: dict[str, Any], proof: str | None
) -> None:
    found = _describe(_with(**attributes), dpop=dpop).get("parameters", [])
    assert ([] if proof is None else [{"$ref": f"#/components/parameters/{proof}"}]) == found


def test_docstring_and_requirements_become_summary_and_description() -> None:
    operation = _describe(_with(scopes="a", groups="G", claims={"level": 3}, acr_values="phr", max_age=60))
    assert "Read one thing." == operation["summary"]
    requirements = "Requires a token; scopes a; groups G; level 3; acr phr; authenticated within 60 s."
    assert f"At most one.\n\n{requirements}" == operation["description"]


def test_the_description_ends_with_the_token_sources() -> None:
    operation = _describe(_with(token_sources=["header", "form"]))
    sentence = "The token is read from the Authorization header or the form field access_token."
    assert operation["description"].endswith(f"Requires a token.\n\n{sentence}")


def test_the_description_mentions_authorize() -> None:
    assert _describe(_with(authorize=_authorize))["description"].endswith("Requires a token; approval by the handler.")


def test_an_empty_description_is_omitted() -> None:
    handler: Any = public(type("Silent", (RequestHandler,), {"get": lambda _: None}))
    assert {"operationId", "security", "responses"} == _describe(handler).keys()


def test_the_docstrings_of_tornado_are_not_published() -> None:
    operation = _describe(protected(StaticFileHandler, scopes="files"))
    assert (None, "Requires a token; scopes files.") == (operation.get("summary"), operation["description"])


def test_each_method_has_its_own_requirements() -> None:
    class Things(BearerAuthMixin, RequestHandler):
        scopes: ClassVar = {"GET": "read", "POST": "write"}

        def get(self) -> None:
            """Read."""

        @policy(public=True)
        def post(self) -> None:
            """Write."""

    assert ["read"] == _describe(Things)["security"][0]["bearer"]
    assert [] == _describe(Things, "POST")["security"]


def test_a_path_parameter_adds_a_404_response() -> None:
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = _describe(_with(public=True), parameters=[parameter])
    assert [parameter] == operation["parameters"]
    assert ["2XX", "404", "default"] == list(operation["responses"])


def test_a_websocket_responds_with_101() -> None:
    class Prices(BearerAuthMixin, WebSocketHandler):
        pass

    operation = _describe(Prices)
    assert ["101", "400", "401", "503", "default"] == list(operation["responses"])
    assert "4401" in operation["description"]
