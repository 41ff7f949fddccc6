"""The handlers whose types are checked do at run time what their types promise."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import typed_handlers
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop) -> Iterator[ResourceServerApplication]:
    typed_handlers.RAN.clear()
    service = make_app(Settings(issuer=fake_issuer.issuer_url()), routes=typed_handlers.ROUTES)
    yield service
    io_loop.run_sync(service.close)


@pytest.mark.parametrize(
    ("path", "method", "status", "content"),
    [
        ("/items", "GET", 403, None),
        ("/orders/7", "GET", 200, {"order": "7", "subject": "alice@example.com"}),
        ("/orders/7", "POST", 422, {"code": 422, "detail": "order 7 has no lines"}),
        ("/orders/7", "PUT", 405, {"code": 405, "detail": ""}),
        ("/last", "GET", 200, {}),
        ("/page", "GET", 200, {"user": "alice@example.com"}),
        ("/prepared", "GET", 200, {"session": "open"}),
        ("/overriding", "GET", 200, {"user": "alice@example.com"}),
        ("/overriding", "PUT", 405, None),
        ("/awaiting", "GET", 200, {"subject": "alice@example.com"}),
        ("/socket", "GET", 426, None),
        ("/site", "GET", 403, None),
        ("/decorated", "GET", 403, None),
        ("/notice", "GET", 200, None),
        ("/moved", "GET", 301, None),
    ],
)
@pytest.mark.gen_test
async def test_each_handler_responds(
    path: str,
    method: str,
    status: int,
    content: object,
    fake_issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
    base_url: str,
) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="orders:write")
    response = await http_client.fetch(
        base_url + path,
        method=method,
        headers={"Authorization": f"Bearer {token}"},
        follow_redirects=False,
        allow_nonstandard_methods=True,
        raise_error=False,
    )
    assert status == response.code
    if content is not None:
        assert content == json.loads(response.body)
    if path.startswith("/orders"):
        assert ["redirects=False"] == typed_handlers.RAN


@pytest.mark.gen_test
async def test_the_application_has_its_own_login_and_preflight(http_client: AsyncHTTPClient, base_url: str) -> None:
    visitor = await http_client.fetch(f"{base_url}/page", follow_redirects=False, raise_error=False)
    assert (302, "/sign-in?next=%2Fpage") == (visitor.code, visitor.headers["Location"])
    signed_in = await http_client.fetch(f"{base_url}/page", headers={"Cookie": "user=bob"})
    assert {"user": "bob"} == json.loads(signed_in.body)
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    preflight = await http_client.fetch(f"{base_url}/orders/7", method="OPTIONS", headers=headers)
    assert "https://page.example" == preflight.headers["Access-Control-Allow-Origin"]
