from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app, protect
from service.web.application.application import ResourceServerApplication as Served
from service.web.endpoints import forward_auth


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop) -> Iterator[ResourceServerApplication]:
    service = make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True))
    yield service
    io_loop.run_sync(service.close)


@pytest.mark.parametrize(
    ("subject", "client", "scopes", "expected"),
    [
        ("alice@example.com", "0oa1", ["b", "a:x"], ("alice@example.com", "0oa1", "a:x b")),
        (None, None, None, ("", "", "")),
        ("a b", "%41", ["%"], ("a%20b", "%2541", "%25")),
        ("Zoë \N{SNOWMAN}", "c", ["é"], ("Zo%C3%AB%20%E2%98%83", "c", "%C3%A9")),
        ("bob\r\nX-Auth-Scopes: all", "\x00\x7f", ["\u2028"], ("bob%0D%0AX-Auth-Scopes:%20all", "%00%7F", "%E2%80%A8")),
    ],
    ids=["plain", "none", "percent", "unicode", "line ends"],
)
@pytest.mark.gen_test
async def test_the_response_headers_identify_the_caller(
    subject: str | None,
    client: str | None,
    scopes: list[str] | None,
    expected: tuple[str, str, str],
    fake_issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
    base_url: str,
) -> None:
    token = fake_issuer.token(claims={"sub": subject, "cid": client, "scp": scopes})
    response = await http_client.fetch(f"{base_url}/auth", headers={"Authorization": f"Bearer {token}"})
    assert (204, b"", "no-store") == (response.code, response.body, response.headers["Cache-Control"])
    names = ("X-Auth-Subject", "X-Auth-Client-Id", "X-Auth-Scopes")
    assert [[value] for value in expected] == [response.headers.get_list(name) for name in names]


@pytest.mark.parametrize(("credentials", "status"), [(None, 401), ("good~a", 204), ("bad", 401), ("unknown", 503)])
@pytest.mark.gen_test
async def test_errors_have_the_same_status_as_in_any_handler(
    credentials: str | None, status: int, serve: Callable[..., Served], http_client: AsyncHTTPClient
) -> None:
    server = serve(forward_auth.ROUTES).listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    headers = {"Authorization": f"Bearer {credentials}"} if credentials else {}
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/auth"
    assert status == (await http_client.fetch(url, headers=headers, raise_error=False)).code
    server.stop()


@pytest.mark.parametrize(("enabled", "status"), [(True, 401), (False, 404)])
@pytest.mark.gen_test
async def test_a_protected_application_serves_it_if_enabled(
    enabled: bool,  # noqa: FBT001  # a row of the table
    status: int,
    http_client: AsyncHTTPClient,
) -> None:
    application = Application([])
    resource_server = protect(
        application, Settings(issuer="https://dev-1.okta.com/oauth2/default", forward_auth=enabled)
    )
    server = application.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/auth"
    assert status == (await http_client.fetch(url, raise_error=False)).code
    server.stop()
    await resource_server.close()


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("bad", 401), ("good", 405)])
@pytest.mark.gen_test
async def test_a_preflight_is_authenticated(
    token: str | None, status: int, serve: Callable[..., Served], http_client: AsyncHTTPClient
) -> None:
    server = serve(forward_auth.ROUTES, cors_origins=["*"]).listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/auth"
    response = await http_client.fetch(url, method="OPTIONS", headers=headers, raise_error=False)
    assert status == response.code
    server.stop()
