"""Forward authentication in nginx: what its own settings and errors change about the configuration in ``deploy``."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import proxies
import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app

FIELDS = ("x-auth-subject", "x-auth-client-id", "x-auth-scopes")


Rig = Callable[..., contextlib.AbstractAsyncContextManager["Behind"]]


class Reports(tornado.web.RequestHandler):
    """Reads no tokens, and counts requests."""

    requests: ClassVar[list[str]] = []

    def prepare(self) -> None:
        self.requests.append(self.request.method or "")
        if status := self.request.headers.get("X-Status"):
            raise tornado.web.HTTPError(int(status))

    def get(self) -> None:
        self.write({"headers": [pair for pair in self.request.headers.get_all() if _folded(pair[0]) in FIELDS]})

    def post(self) -> None:
        self.write({"received": self.request.body.decode()})


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A running nginx."""

    url: str
    folder: Path

    async def send(self, headers: Mapping[str, str] | None = None, **request: Any) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(f"{self.url}/reports", raise_error=False, headers=headers, **request)


def _folded(name: str) -> str:
    """Return the name of a header as CGI and WSGI programs read it."""
    return re.sub("[^a-z0-9]", "-", name.lower())


@contextlib.asynccontextmanager
async def _nginx(changes: Mapping[str, str], serve: Callable[[int], None]) -> AsyncIterator[Behind]:
    """Run nginx before a service and an application that reads no tokens."""
    with proxies.running("nginx", changes=changes) as proxy:
        serve(proxy.service)
        reports = tornado.web.Application([(r"/reports.*", Reports)]).listen(proxy.application, "127.0.0.1")
        try:
            yield Behind(url=f"http://127.0.0.1:{proxy.port}", folder=proxy.folder)
        finally:
            reports.stop()
            await reports.close_all_connections()


@pytest.fixture
def rig(fake_issuer: RunningIssuer, io_loop: IOLoop) -> Iterator[Rig]:
    """Return a function that runs nginx with changes to its configuration."""
    Reports.requests.clear()
    opened: list[tuple[HTTPServer, ResourceServerApplication | None]] = []

    def serve(application: tornado.web.Application | None, port: int) -> None:
        settings = Settings(
            issuer=fake_issuer.issuer_url(),
            forward_auth=True,
            forward_auth_gates=("any=", "reports="),
            trusted_proxies=("127.0.0.1",),
        )
        service = make_app(settings) if application is None else None
        opened.append(((application or service).listen(port, "127.0.0.1"), service))  # type: ignore[union-attr]  # one of them is set

    def running(
        changes: Mapping[str, str] | None = None, *, service: tornado.web.Application | None = None
    ) -> contextlib.AbstractAsyncContextManager[Behind]:
        return _nginx(changes or {}, functools.partial(serve, service))

    yield running
    for server, service in opened:
        server.stop()
        io_loop.run_sync(server.close_all_connections)
        if service is not None:
            io_loop.run_sync(service.close)


@pytest.fixture
def bearer(fake_issuer: RunningIssuer) -> dict[str, str]:
    return {"Authorization": f"Bearer {fake_issuer.token(sub='zoë', cid='0oa1', claims={'scp': None})}"}


IDENTITY = [["X-Auth-Subject", "zo%C3%AB"], ["X-Auth-Client-Id", "0oa1"], ["X-Auth-Scopes", "-"]]
SPELLINGS = [
    "X-Auth-Subject",
    "x-auth-scopes",
    "X_Auth_Subject",
    "X_AUTH_SCOPES",
    "X-Auth_Client-Id",
    "X.Auth.Subject",
    "X~Auth-Scopes",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.gen_test
async def test_settings_of_the_block_http_let_no_identity_header_through(
    spelling: str, rig: Rig, bearer: dict[str, str]
) -> None:
    lax = "underscores_in_headers on; ignore_invalid_headers off; include"
    async with rig({"include": lax}) as proxy:
        response = await proxy.send(bearer | {spelling: "root"})
    assert (200, sorted(IDENTITY)) == (response.code, sorted(json.loads(response.body)["headers"]))


@pytest.mark.parametrize("spelling", SPELLINGS[2:])
@pytest.mark.gen_test
async def test_a_similar_header_is_rejected_where_another_server_block_makes_nginx_accept_it(
    spelling: str, rig: Rig, bearer: dict[str, str]
) -> None:
    # nginx reads the headers before Host with the settings of the default server of the address.
    lax = {
        "underscores_in_headers off;": "underscores_in_headers on;",
        "ignore_invalid_headers on;": "ignore_invalid_headers off;",
    }
    async with rig(lax) as proxy:
        response = await proxy.send(bearer | {spelling: "root"})
    assert (400, "invalid_request") == (response.code, json.loads(response.body)["error"])
    assert [] == Reports.requests


class FailsOnce(tornado.web.RequestHandler):
    """Sends one error, and then accepts every request."""

    statuses: ClassVar[list[int]] = []

    def get(self) -> None:
        self.set_status(self.statuses.pop() if self.statuses else 204)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 302])
@pytest.mark.gen_test
async def test_a_service_that_fails_once_does_not_make_the_response_a_success(status: int, rig: Rig) -> None:
    FailsOnce.statuses[:] = [status]
    async with rig(service=tornado.web.Application([(r"/auth.*", FailsOnce)])) as proxy:
        response = await proxy.send(method="POST", body="a report")
        assert ((status if status in {400, 401, 403, 429, 503} else 500), []) == (response.code, Reports.requests)
        assert 200 == (await proxy.send(method="POST", body="a report")).code


@pytest.mark.parametrize(
    ("directive", "status"),
    [
        ("deny all;", 403),
        ("client_body_in_file_only on;", 500),
        ("client_max_body_size 1;", 413),
        ("auth_basic x; auth_basic_user_file /dev/null;", 401),
    ],
    ids=["access denied", "the body cannot be stored", "the body is too large", "another authentication"],
)
@pytest.mark.gen_test
async def test_an_error_of_nginx_itself_never_becomes_a_success(
    directive: str, status: int, rig: Rig, bearer: dict[str, str]
) -> None:
    async with rig({"auth_request /_auth;": f"auth_request /_auth; {directive}"}) as proxy:
        shutil.rmtree(proxy.folder / "body")
        response = await proxy.send(bearer, method="POST", body="a report")
    assert (status, []) == (response.code, Reports.requests)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
@pytest.mark.gen_test
async def test_an_intercepted_error_of_the_backend_never_becomes_a_success(
    status: int, rig: Rig, bearer: dict[str, str]
) -> None:
    async with rig({"auth_request /_auth;": "auth_request /_auth; proxy_intercept_errors on;"}) as proxy:
        response = await proxy.send(bearer | {"X-Status": str(status)}, method="POST", body="a report")
    assert (status, ["POST"]) == (response.code, Reports.requests)


@pytest.mark.parametrize("path", ["/_auth", "/_auth?x", "//_auth", "/%5fauth", "/x/../_auth"])
@pytest.mark.gen_test
async def test_a_client_cannot_reach_the_subrequest_itself(path: str, rig: Rig) -> None:
    async with rig() as proxy:
        response = await AsyncHTTPClient().fetch(f"{proxy.url}{path}", raise_error=False)
    assert response.code == 404
