"""Tokens that come in a form, a query or a cookie, where a handler opts in, over real HTTP."""

from __future__ import annotations

import json
import logging
import urllib.parse
from collections.abc import Iterator
from typing import ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app
from service.clock import ManualClock


class HeaderOnly(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"user": self.principal.subject})

    def post(self) -> None:
        self.write({"user": self.principal.subject})


class Form(HeaderOnly):
    token_sources: ClassVar = ["header", "form"]


class Query(HeaderOnly):
    token_sources: ClassVar = ["header", "query"]


class Cookie(HeaderOnly):
    token_sources = "cookie"


class Legacy(HeaderOnly):
    optional = True
    further_challenges: ClassVar = ['Basic realm="old"', "Negotiate"]


ROUTES = [(f"/{kind.__name__}", kind) for kind in (HeaderOnly, Form, Query, Cookie, Legacy)]


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, manual_clock: ManualClock) -> Iterator[ResourceServerApplication]:
    service = make_app(
        Settings(issuer=fake_issuer.issuer_url(), cors_origins=("https://app.example",)),
        routes=ROUTES,
        clock=manual_clock,
    )
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def token(fake_issuer: RunningIssuer) -> str:
    return fake_issuer.token(sub="alice@example.com")


async def _post(client: AsyncHTTPClient, url: str, token: str, **headers: str) -> HTTPResponse:
    body = urllib.parse.urlencode({"access_token": token})
    return await client.fetch(url, method="POST", body=body, headers=headers, raise_error=False)


@pytest.mark.parametrize(("path", "status"), [("Form", 200), ("HeaderOnly", 401), ("Query", 401)])
@pytest.mark.gen_test
async def test_a_form_is_read_only_if_the_handler_opts_in(
    path: str, status: int, http_client: AsyncHTTPClient, base_url: str, token: str
) -> None:
    response = await _post(http_client, f"{base_url}/{path}", token)
    assert status == response.code
    both = await _post(http_client, f"{base_url}/{path}", token, Authorization=f"Bearer {token}")
    assert (400 if status == 200 else 200) == both.code


@pytest.mark.parametrize(("path", "status"), [("Query", 200), ("HeaderOnly", 401), ("Form", 401)])
@pytest.mark.gen_test
async def test_a_query_is_read_only_if_the_handler_opts_in_and_is_never_logged(  # fixtures
    path: str,
    status: int,
    http_client: AsyncHTTPClient,
    base_url: str,
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    response = await http_client.fetch(f"{base_url}/{path}?access_token={token}", raise_error=False)
    assert status == response.code
    assert ("private" if status == 200 else "no-store") == response.headers["Cache-Control"]
    assert token not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("service"))


@pytest.mark.parametrize(
    ("origin", "status"), [(None, 403), ("https://app.example", 200), ("own", 200), ("https://evil.example", 403)]
)
@pytest.mark.gen_test
async def test_a_cookie_is_accepted_only_from_known_origins(
    origin: str | None, status: int, http_client: AsyncHTTPClient, base_url: str, token: str
) -> None:
    headers = {"Cookie": f"__Host-access_token={token}"}
    if origin is not None:
        headers["Origin"] = base_url if origin == "own" else origin
    response = await http_client.fetch(f"{base_url}/Cookie", method="POST", body="", headers=headers, raise_error=False)
    assert status == response.code
    if status == 403:
        assert "access_denied" == json.loads(response.body)["error"]


@pytest.mark.gen_test
async def test_a_bad_token_in_a_cookie_is_rejected(http_client: AsyncHTTPClient, base_url: str) -> None:
    headers = {"Cookie": "__Host-access_token=abc"}
    response = await http_client.fetch(f"{base_url}/Cookie", headers=headers, raise_error=False)
    assert (401, "invalid_token") == (response.code, json.loads(response.body)["error"])


@pytest.mark.gen_test
async def test_challenges_of_other_schemes_have_header_fields_of_their_own(
    http_client: AsyncHTTPClient, base_url: str
) -> None:
    headers = {"Authorization": "Bearer nonsense"}
    response = await http_client.fetch(f"{base_url}/Legacy", headers=headers, raise_error=False)
    ours, with_proof, *others = response.headers.get_list("WWW-Authenticate")
    assert with_proof.startswith('DPoP realm="api", algs="')
    assert ours.startswith('Bearer realm="api", error="invalid_token"')
    assert ['Basic realm="old"', "Negotiate"] == others


@pytest.mark.gen_test
async def test_the_metadata_lists_the_token_sources(http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(f"{base_url}/.well-known/oauth-protected-resource")
    assert ["header", "body", "query"] == json.loads(response.body)["bearer_methods_supported"]
