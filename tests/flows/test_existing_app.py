"""An application that was there before us, with the settings that Tornado's users have, protected in one call."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, Settings, policy, protect


class Orders(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_header("Vary", "Accept")
        self.write({"user": self.principal.subject})

    def post(self) -> None:
        self.write({"user": self.principal.subject})


class Query(Orders):
    token_sources: ClassVar = ["header", "query"]


class Cookie(Orders):
    token_sources = "cookie"


class Basket(Orders):
    optional = True

    def post(self) -> None:
        self.write({"user": self.current_user.subject if self.current_user else None})

    @policy(public=True)
    def put(self) -> None:
        self.write({})


class Trusting(tornado.web.RequestHandler):
    """Trusts an origin of its own."""

    def check_trusted_origin(self, origin: str) -> bool:
        return origin == "https://partner.example"

    def post(self) -> None:
        self.write({})


class Partner(BearerAuthMixin, Trusting):
    """Has the mixin first."""


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop) -> Iterator[tornado.web.Application]:
    application = tornado.web.Application(
        [(f"/{kind.__name__}", kind) for kind in (Orders, Query, Cookie, Basket, Partner)],
        xsrf_cookies=True,
        cross_origin_protection=True,
        trusted_origins=["https://trusted.example"],
        cookie_secret="of-the-application",
    )
    settings = Settings(issuer=fake_issuer.issuer_url(), cors_origins=("https://app.example",))
    guard = protect(application, settings)
    yield application
    io_loop.run_sync(guard.close)


@pytest.mark.gen_test
async def test_a_token_in_a_header_needs_no_xsrf_cookie_beside_it(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    for path in ("Orders", "Basket"):
        headers = {"Authorization": f"Bearer {fake_issuer.token(sub='alice@example.com')}"}
        response = await http_client.fetch(f"{base_url}/{path}", method="POST", body="", headers=headers)
        assert {"user": "alice@example.com"} == json.loads(response.body)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "Orders", {}, 401),
        ("POST", "Orders", {"Authorization": "Bearer a b"}, 400),
        ("POST", "Basket", {"Authorization": "Bearer a b"}, 400),
        ("POST", "Basket", {"Authorization": "Bearer a.b.c"}, 401),
        ("POST", "Basket", {}, 403),
        ("PUT", "Basket", {}, 403),
        ("PUT", "Basket", {"Authorization": "Bearer a.b.c"}, 403),
        ("PUT", "Basket", {"Cookie": "_xsrf=abc", "X-Xsrftoken": "abc"}, 200),
        ("POST", "Cookie", {"Cookie": "__Host-access_token={token}"}, 403),
        ("POST", "Cookie", {"Cookie": "__Host-access_token={token}", "Origin": "https://app.example"}, 200),
    ],
)
@pytest.mark.gen_test
async def test_a_request_without_a_token_is_rejected_for_the_missing_credential(
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    fake_issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
    base_url: str,
) -> None:
    token = fake_issuer.token()
    response = await http_client.fetch(
        f"{base_url}/{path}",
        method=method,
        body="",
        headers={name: value.format(token=token) for name, value in headers.items()},
        raise_error=False,
    )
    assert status == response.code


@pytest.mark.gen_test
async def test_the_applications_log_has_no_query_and_no_token(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "tornado")
    token = fake_issuer.token()
    for path in ("Query", "nowhere"):
        await http_client.fetch(f"{base_url}/{path}?access_token={token}", raise_error=False)
    told = [record.getMessage() for record in caplog.records if record.name == "tornado.access"]
    assert ["200 GET /Query", "404 GET /nowhere"] == [line.partition(" (")[0] for line in told]
    assert token not in caplog.text


@pytest.mark.gen_test
async def test_vary_names_the_handlers_fields_and_origin(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    headers = {"Authorization": f"Bearer {fake_issuer.token()}", "Origin": "https://app.example"}
    response = await http_client.fetch(f"{base_url}/Orders", headers=headers)
    assert ["Accept, Authorization, Origin"] == response.headers.get_list("Vary")
    assert "https://app.example" == response.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://app.example", 200), ("https://trusted.example", 200), ("https://other.example", 403)],
)
@pytest.mark.gen_test
async def test_listed_origins_pass_tornados_cross_origin_protection(
    origin: str, status: int, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    headers = {"Authorization": f"Bearer {fake_issuer.token()}", "Origin": origin, "Sec-Fetch-Site": "cross-site"}
    response = await http_client.fetch(f"{base_url}/Orders", method="POST", body="", headers=headers, raise_error=False)
    assert status == response.code


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://partner.example", 200), ("https://app.example", 200), ("https://other.example", 403)],
)
@pytest.mark.gen_test
async def test_an_origin_that_the_handler_trusts_passes_tornados_cross_origin_protection(
    origin: str, status: int, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    headers = {"Authorization": f"Bearer {fake_issuer.token()}", "Origin": origin, "Sec-Fetch-Site": "cross-site"}
    response = await http_client.fetch(
        f"{base_url}/Partner", method="POST", body="", headers=headers, raise_error=False
    )
    assert status == response.code
