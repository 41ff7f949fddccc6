from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop
from tornado.routing import HostMatches, Rule
from tornado.web import Application, RequestHandler

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ForwardAuth, ResourceServerApplication, Settings, make_app, protect
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
        (None, None, None, ("-", "-", "-")),
        ("-", "--", ["-"], ("%2D", "--", "%2D")),
        ("a b", "%41", ["%"], ("a%20b", "%2541", "%25")),
        ("Zoë \N{SNOWMAN}", "c", ["é"], ("Zo%C3%AB%20%E2%98%83", "c", "%C3%A9")),
        ("bob\r\nX-Auth-Scopes: all", "\x00\x7f", ["a"], ("bob%0D%0AX-Auth-Scopes:%20all", "%00%7F", "a")),
    ],
    ids=["plain", "none", "the text for none", "percent", "unicode", "line ends"],
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
    assert (200, b"", "no-store") == (response.code, response.body, response.headers["Cache-Control"])
    names = ("X-Auth-Subject", "X-Auth-Client-Id", "X-Auth-Scopes")
    assert [[value] for value in expected] == [response.headers.get_list(name) for name in names]


@pytest.mark.parametrize(("credentials", "status"), [(None, 401), ("good~a", 200), ("bad", 401), ("unknown", 503)])
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


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("bad", 401), ("good", 200)])
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


class Gate(ForwardAuth):
    scopes: ClassVar = {"GET": "reports:read"}


GATES = [(r"/auth/reports(?:/.*)?", Gate)]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FINISH", "WRITE_ERROR"]


@pytest.fixture
def fetch(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, io_loop: IOLoop
) -> Iterator[Callable[..., Awaitable[HTTPResponse]]]:
    """Return a function that sends a request with a good token to an application with these routes."""
    services: list[ResourceServerApplication] = []

    async def fetching(
        path: str, routes: list[Any] | None = None, *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        services.append(make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True), routes=routes))
        server = services[-1].listen(0, "127.0.0.1")
        (socket,) = server._sockets.values()
        sent = {"Authorization": f"Bearer {fake_issuer.token(scp='email')}", **(headers or {})}
        url = f"http://127.0.0.1:{socket.getsockname()[1]}{path}"
        response = await http_client.fetch(
            url, method=method, headers=sent, raise_error=False, allow_nonstandard_methods=True
        )
        server.stop()
        return response

    yield fetching
    for service in services:
        io_loop.run_sync(service.close)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.gen_test
async def test_every_method_is_authenticated_and_allowed(
    method: str, fetch: Callable[..., Awaitable[HTTPResponse]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "service.access"):
        allowed = await fetch("/auth", method=method)
    assert (200, "email") == (allowed.code, allowed.headers["X-Auth-Scopes"])
    assert [method] == [vars(record)["method"] for record in caplog.records if record.name == "service.access"]
    rejected = await fetch("/auth", method=method, headers={"Authorization": "Bearer x"})
    assert (401, b"" if method == "HEAD" else rejected.headers["X-Auth-Error"].encode()) == (
        rejected.code,
        rejected.body,
    )


@pytest.mark.parametrize("path", ["/auth/", "/auth/orders/1?a=b", "/auth/healthz", "/auth/caf%C3%A9?x=%2F;%23"])
@pytest.mark.gen_test
async def test_the_original_method_and_path_may_follow_the_prefix(
    path: str, fetch: Callable[..., Awaitable[HTTPResponse]]
) -> None:
    for method in ("GET", "PUT", "UNKNOWN"):
        allowed = await fetch(path, method=method)
        assert (200, b"", "email") == (allowed.code, allowed.body, allowed.headers["X-Auth-Scopes"])
        assert 401 == (await fetch(path, method=method, headers={"Authorization": ""})).code


@pytest.mark.gen_test
async def test_no_header_of_the_client_changes_the_status(fetch: Callable[..., Awaitable[HTTPResponse]]) -> None:
    for headers in ({"If-None-Match": "*"}, {"X-Envoy-Internal": "true"}, {"Range": "bytes=0-"}):
        assert 200 == (await fetch("/auth", method="POST", headers=headers)).code


@pytest.mark.parametrize("path", ["/auth//x", "/auth/../healthz", "/auth/%FF%2e%2e", "/auth/a;b", "/auth/a%2Fb"])
@pytest.mark.gen_test
async def test_an_ambiguous_path_below_is_rejected(path: str, fetch: Callable[..., Awaitable[HTTPResponse]]) -> None:
    for method in ("GET", "PUT"):
        rejected = await fetch(path, method=method)
        assert (400, "invalid_request") == (rejected.code, json.loads(rejected.body)["error"])
        assert "X-Auth-Subject" not in rejected.headers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.gen_test
async def test_a_gate_requires_its_scopes_whatever_the_method(
    method: str, fetch: Callable[..., Awaitable[HTTPResponse]]
) -> None:
    for path in ("/auth/reports", "/auth/reports/1"):
        assert 403 == (await fetch(path, GATES, method=method)).code


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_gate_cannot_have_requirements_for_a_method_that_it_does_not_see(method: str) -> None:
    with pytest.raises(ValueError, match="which are not methods"):
        type("Gate", (ForwardAuth,), {"scopes": {method: "reports:write"}})


class Login(BearerAuthMixin, RequestHandler):
    public = True

    def get(self) -> None:
        self.write("sign in")


@pytest.mark.parametrize(
    ("routes", "path", "status"),
    [
        ([(r"/(?:auth)/reports", Gate)], "/auth/reports", 403),
        ([Rule(HostMatches(".*"), [(r"^/auth/reports", Gate)])], "/auth/reports", 403),
        (GATES, "/auth/report", 404),
        (GATES, "/auth", 200),
        ([(r"/auth/login", Login)], "/auth/login", 200),
        ([(r"/auth/login", Login)], "/auth/orders", 404),
        ([(r"/.*", Login)], "/auth/orders", 200),
    ],
    ids=["gate", "nested gate", "no gate", "beside gates", "login", "beside login", "catch-all"],
)
@pytest.mark.gen_test
async def test_the_paths_below_belong_to_the_routes_that_are_there(
    routes: list[Any], path: str, status: int, fetch: Callable[..., Awaitable[HTTPResponse]]
) -> None:
    response = await fetch(path, routes)
    assert status == response.code
    assert (b"sign in" == response.body) == (path == "/auth/login")


@pytest.mark.gen_test
async def test_the_paths_below_stay_with_a_protected_application(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    application = Application([(r"/auth/login", Login)])
    service = protect(application, Settings(issuer=fake_issuer.issuer_url(), forward_auth=True))
    server = application.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/auth"
    statuses = [(await http_client.fetch(f"{url}{path}", raise_error=False)).code for path in ("", "/login", "/orders")]
    assert [401, 200, 404] == statuses
    server.stop()
    await service.close()


@pytest.mark.parametrize(
    "name", ["X_Auth_Subject", "x_auth-scopes", "X-AUTH_CLIENT-ID", "X.Auth.Scopes", "x!auth^subject"]
)
@pytest.mark.gen_test
async def test_an_identity_header_of_the_client_in_another_spelling_is_rejected(
    name: str, fetch: Callable[..., Awaitable[HTTPResponse]]
) -> None:
    response = await fetch("/auth", headers={name: "root"})
    assert (400, "invalid_request") == (response.code, json.loads(response.body)["error"])
    assert "X-Auth-Subject" not in response.headers


@pytest.mark.parametrize("name", ["X-Auth-Subject", "x-auth-subject", "X-Auth-Subjects", "XAuthSubject", "X_Auth"])
@pytest.mark.gen_test
async def test_other_headers_of_the_client_have_no_effect(
    name: str, fetch: Callable[..., Awaitable[HTTPResponse]]
) -> None:
    response = await fetch("/auth", headers={name: "root"})
    assert (200, ["email"]) == (response.code, response.headers.get_list("X-Auth-Scopes"))
    assert ["root"] != response.headers.get_list("X-Auth-Subject")


@pytest.fixture
def fetch_gate(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, io_loop: IOLoop
) -> Iterator[Callable[..., Awaitable[int]]]:
    """Return a function that sends a request with a token of one scope to gates from the settings."""
    services: list[ResourceServerApplication] = []

    async def fetching(path: str, scope: str, *, how: str = "own") -> int:
        gates = ("any=", "reports=a:read b")
        settings = Settings(issuer=fake_issuer.issuer_url(), forward_auth=True, forward_auth_gates=gates)
        application: Application
        if how == "own":
            application = make_app(settings)
            services.append(application)
        else:
            application = Application([(r"/auth/own", Login), (r"/.*", Login)])
            services.append(protect(application, settings))
        server = application.listen(0, "127.0.0.1")
        (socket,) = server._sockets.values()
        headers = {"Authorization": f"Bearer {fake_issuer.token(scp=scope)}"}
        url = f"http://127.0.0.1:{socket.getsockname()[1]}{path}"
        response = await http_client.fetch(url, headers=headers, raise_error=False)
        server.stop()
        if response.body == b"sign in":
            return 0
        return response.code

    yield fetching
    for service in services:
        io_loop.run_sync(service.close)


@pytest.mark.parametrize("how", ["own", "protected"])
@pytest.mark.parametrize(
    ("path", "scope", "status"),
    [
        ("/auth", "email", 200),
        ("/auth/any", "email", 200),
        ("/auth/any/reports/1", "email", 200),
        ("/auth/reports", "email", 403),
        ("/auth/reports", "a:read", 403),
        ("/auth/reports", "b a:read", 200),
        ("/auth/reports/reports/1?scope=", "a:read b", 200),
        ("/auth/reports/any/1?scope=email", "email", 403),
        ("/auth/reports?scope=email", "email", 403),
        ("/auth?scope=b", "email", 200),
        ("/auth/any/../reports", "a:read b", 400),
    ],
)
@pytest.mark.gen_test
async def test_a_gate_of_the_settings_requires_its_scopes_whatever_the_query(
    path: str, scope: str, status: int, how: str, fetch_gate: Callable[..., Awaitable[int]]
) -> None:
    assert status == await fetch_gate(path, scope, how=how)


@pytest.mark.parametrize(
    ("path", "how", "status"),
    [
        ("/auth/report", "own", 404),
        ("/auth/reportsx", "own", 404),
        ("/auth/x", "protected", 0),
        ("/auth/own", "protected", 0),
    ],
)
@pytest.mark.gen_test
async def test_a_path_that_no_gate_has_is_not_authenticated(
    path: str, how: str, status: int, fetch_gate: Callable[..., Awaitable[int]]
) -> None:
    assert status == await fetch_gate(path, "a:read b", how=how)


@pytest.mark.gen_test
async def test_gates_are_documented(fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, io_loop: IOLoop) -> None:
    settings = Settings(
        issuer=fake_issuer.issuer_url(), forward_auth=True, forward_auth_gates=("a-b=", "reports=things:read")
    )
    service = make_app(settings)
    server = service.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    response = await http_client.fetch(f"http://127.0.0.1:{socket.getsockname()[1]}/openapi.json")
    assert b"things:read" in response.body
    server.stop()
    await service.close()
