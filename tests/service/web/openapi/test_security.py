from __future__ import annotations

from typing import Any

import pytest
from tornado.web import RequestHandler

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.security import describe_token_sources, schemes, security_requirements

ISSUERS = ("https://a.example/oauth2/default", "https://b.example/")


def _with(**attributes: Any) -> type[BearerAuthMixin]:
    return type("With", (BearerAuthMixin, RequestHandler), attributes)


@pytest.mark.parametrize(
    ("sources", "names", "sentence"),
    [
        ("header", ["bearer", "issuer", "issuer2"], ""),
        (
            ["header", "form"],
            ["bearer", "issuer", "issuer2"],
            "The token is read from the Authorization header or the form field access_token.",
        ),
        ("form", ["bearer", "issuer", "issuer2"], "The token is read from the form field access_token."),
        ("query", ["query"], "The token is read from the query parameter access_token."),
        (
            ["header", "cookie"],
            ["bearer", "issuer", "issuer2", "cookie.__Host-basket"],
            "The token is read from the Authorization header or the cookie __Host-basket.",
        ),
        ("cookie", ["cookie.__Host-basket"], "The token is read from the cookie __Host-basket."),
    ],
)
def test_each_token_source_has_a_scheme_or_a_sentence(
    sources: str | list[str], names: list[str], sentence: str
) -> None:
    handler = _with(token_sources=sources, token_cookie="__Host-basket", scopes="b a")
    requirements = list(security_requirements(handler, handler.policy.requirements["GET"], issuers=len(ISSUERS)))
    assert [{name: ["a", "b"]} for name in names] == requirements
    assert sentence == describe_token_sources(handler)
    assert set(names) <= schemes(ISSUERS, [handler]).keys()


def test_an_issuer_is_described_by_its_metadata_url() -> None:
    described = schemes(ISSUERS, [])
    assert (
        "https://a.example/oauth2/default/.well-known/openid-configuration" == described["issuer"]["openIdConnectUrl"]
    )
    assert "https://b.example/.well-known/openid-configuration" == described["issuer2"]["openIdConnectUrl"]
    assert {"bearer", "issuer", "issuer2"} == described.keys()


def test_each_cookie_and_the_query_have_a_scheme() -> None:
    handlers = [
        _with(token_sources=["query", "cookie"], token_cookie="a"),
        _with(token_sources=["query", "cookie"], token_cookie="b"),
    ]
    described = schemes([], handlers)
    assert {"bearer", "query", "cookie.a", "cookie.b"} == described.keys()
    assert ("apiKey", "query", "access_token") == tuple(described["query"][name] for name in ("type", "in", "name"))
    assert ("apiKey", "cookie", "b") == tuple(described["cookie.b"][name] for name in ("type", "in", "name"))
