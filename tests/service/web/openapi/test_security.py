from __future__ import annotations

from typing import Any

import pytest
from tornado.web import RequestHandler

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.security import describe_token_sources, schemes, security_requirements

ISSUERS = ("https://a.example/oauth2/default", "https://b.example/")
ONLY_BEARER = AcceptedTokens(modes=dict.fromkeys(ISSUERS, "off"), proof_algorithms=("ES256",))


def _tokens(*modes: str, reads_certificates: bool = False) -> AcceptedTokens:
    by_issuer = dict(zip(ISSUERS, modes, strict=True))
    return AcceptedTokens(modes=by_issuer, proof_algorithms=("ES256",), reads_certificates=reads_certificates)


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
    requirements = list(security_requirements(handler, handler.policy.requirements["GET"], tokens=ONLY_BEARER))
    assert [{name: ["a", "b"]} for name in names] == requirements
    assert sentence == describe_token_sources(handler)
    assert set(names) <= schemes(ONLY_BEARER, [handler]).keys()


def test_an_issuer_is_described_by_its_metadata_url() -> None:
    described = schemes(ONLY_BEARER, [])
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
    described = schemes(AcceptedTokens(), handlers)
    assert {"bearer", "query", "cookie.a", "cookie.b"} == described.keys()
    assert ("apiKey", "query", "access_token") == tuple(described["query"][name] for name in ("type", "in", "name"))
    assert ("apiKey", "cookie", "b") == tuple(described["cookie.b"][name] for name in ("type", "in", "name"))


@pytest.mark.parametrize(
    ("modes", "attributes", "names"),
    [
        (("allowed", "allowed"), {}, ["bearer", "issuer", "issuer2", "dpop"]),
        (("required", "off"), {}, ["bearer", "issuer2", "dpop"]),
        (("required", "required"), {}, ["dpop"]),
        (("required", "required"), {"dpop": "off"}, ["bearer", "issuer", "issuer2"]),
        (("off", "off"), {"dpop": "required"}, ["dpop"]),
        (("off", "off"), {"dpop": "allowed"}, ["bearer", "issuer", "issuer2", "dpop"]),
        (("allowed", "allowed"), {"token_sources": "query"}, ["query"]),
        (("allowed", "allowed"), {"token_sources": ("form", "query"), "dpop": "required"}, ["dpop"]),
    ],
)
def test_dpop_is_an_alternative_where_it_is_allowed_and_alone_where_it_is_required(
    modes: tuple[str, ...], attributes: dict[str, Any], names: list[str]
) -> None:
    handler, tokens = _with(scopes="a", **attributes), _tokens(*modes)
    requirements = list(security_requirements(handler, handler.policy.requirements["GET"], tokens=tokens))
    assert [{name: ["a"]} for name in names] == requirements
    described = schemes(tokens, [handler])
    assert set(names) <= described.keys()
    if "dpop" in names:
        assert ("http", "DPoP") == (described["dpop"]["type"], described["dpop"]["scheme"])


def test_a_certificate_is_needed_beside_the_scheme_of_a_token_that_is_bound_to_it() -> None:
    tokens = _tokens("allowed", "off", reads_certificates=True)
    handler = _with(scopes="a")
    *_, last = security_requirements(handler, handler.policy.requirements["GET"], tokens=tokens)
    assert {"bearer": ["a"], "mutualTLS": []} == last
    assert "mutualTLS" == schemes(tokens, [])["mutualTLS"]["type"]
    dpop_only = _with(dpop="required")
    found = list(security_requirements(dpop_only, dpop_only.policy.requirements["GET"], tokens=tokens))
    assert [{"dpop": []}, {"dpop": [], "mutualTLS": []}] == found


def test_a_public_handler_needs_no_scheme() -> None:
    handler, tokens = _with(public=True), _tokens("required", "required", reads_certificates=True)
    assert [] == list(security_requirements(handler, handler.policy.requirements["GET"], tokens=tokens))
    assert {"dpop", "mutualTLS"} == schemes(tokens, [handler]).keys()
