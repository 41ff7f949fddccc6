"""The configuration that the documentation shows, in a real nginx between a client and what knows no tokens."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import docutils.core
import docutils.nodes
import nginx
import pytest
import tornado.web
from programs import free_port
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from fakeissuer import RunningIssuer
from service import ForwardAuth, ResourceServerApplication, Settings, make_app

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "forward-auth.rst"
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

    async def send(self, headers: Mapping[str, str] | None = None, **request: Any) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(f"{self.url}/reports", raise_error=False, headers=headers, **request)


def _folded(name: str) -> str:
    """Return the name of a header as CGI and WSGI programs read it."""
    return re.sub("[^a-z0-9]", "-", name.lower())


def _server(changes: Mapping[str, str], **ports: int) -> str:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"))
    (shown,) = [b.astext() for b in document.findall(docutils.nodes.literal_block) if "nginx" in b["classes"]]
    ours = {
        "listen 8000": f"listen 127.0.0.1:{ports['proxy']}",
        "127.0.0.1:8080": f"127.0.0.1:{ports['service']}",
        "127.0.0.1:9000": f"127.0.0.1:{ports['reports']}",
    }
    for old, new in {**ours, **changes}.items():
        assert old in shown
        shown = shown.replace(old, new)
    return shown


@contextlib.asynccontextmanager
async def _nginx(folder: Path, *, service: int, changes: Mapping[str, str], http: str) -> AsyncIterator[Behind]:
    """Run nginx as the page shows it, before the service and an application that reads no tokens."""
    reports = tornado.web.Application([(r"/reports.*", Reports)]).listen(0, "127.0.0.1")
    (listening,) = reports._sockets.values()
    port = free_port()
    shown = _server(changes, proxy=port, service=service, reports=listening.getsockname()[1])
    try:
        async with nginx.running(folder, port=port, http=f"{http}\n{shown}") as url:
            yield Behind(url=url)
    finally:
        reports.stop()


@pytest.fixture
def rig(fake_issuer: RunningIssuer, listen: Callable[[ResourceServerApplication], str], tmp_path: Path) -> Rig:
    """Return a function that runs nginx with changes to the configuration of the page."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed; Debian has it as nginx-light")
    Reports.requests.clear()

    def running(
        changes: Mapping[str, str] | None = None, *, http: str = "", service: int | None = None
    ) -> contextlib.AbstractAsyncContextManager[Behind]:
        if service is None:
            url = listen(make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True)))
            service = int(url.rpartition(":")[2])
        return _nginx(tmp_path, service=service, changes=changes or {}, http=http)

    return running


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
@pytest.mark.parametrize("http", ["", "underscores_in_headers on; ignore_invalid_headers off;"], ids=["default", "lax"])
@pytest.mark.gen_test
async def test_a_client_cannot_send_an_identity_header_in_any_spelling(
    http: str, spelling: str, rig: Rig, bearer: dict[str, str]
) -> None:
    async with rig(http=http) as proxy:
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


@pytest.mark.gen_test
async def test_the_request_body_reaches_the_backend(rig: Rig, bearer: dict[str, str]) -> None:
    async with rig() as proxy:
        response = await proxy.send(bearer, method="POST", body="a report")
    assert {"received": "a report"} == json.loads(response.body)


@pytest.mark.parametrize(
    ("authorization", "status", "error"),
    [
        (None, 401, "missing_token"),
        ("Bearer a.b.c", 401, "invalid_token"),
        ("Bearer a b", 400, "invalid_request"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PROPFIND"])
@pytest.mark.gen_test
async def test_a_rejection_passes_the_proxy_unchanged(
    method: str, authorization: str | None, status: int, error: str, rig: Rig
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    body = "a report" if method == "POST" else None
    async with rig() as proxy:
        response = await proxy.send(headers, method=method, body=body, allow_nonstandard_methods=True)
    assert (status, "no-store") == (response.code, response.headers["Cache-Control"])
    assert "application/json" == response.headers["Content-Type"]
    (challenge,) = response.headers.get_list("WWW-Authenticate")
    assert challenge.startswith('Bearer realm="api"')
    assert method == "HEAD" or error == json.loads(response.body)["error"]
    assert [] == Reports.requests


@pytest.mark.gen_test
async def test_a_missing_scope_is_403_with_its_challenge(
    rig: Rig, bearer: dict[str, str], listen: Callable[[ResourceServerApplication], str], fake_issuer: RunningIssuer
) -> None:
    class Gate(ForwardAuth):
        scopes = "reports:read"

    url = listen(make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True), routes=[(r"/auth/gate", Gate)]))
    async with rig({"/auth;": "/auth/gate;"}, service=int(url.rpartition(":")[2])) as proxy:
        response = await proxy.send(bearer)
    assert (403, "insufficient_scope") == (response.code, json.loads(response.body)["error"])
    (challenge,) = response.headers.get_list("WWW-Authenticate")
    assert 'scope="reports:read"' in challenge


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.gen_test
async def test_an_unavailable_issuer_is_503_behind_the_proxy(
    method: str, rig: Rig, fake_issuer: RunningIssuer, bearer: dict[str, str]
) -> None:
    fake_issuer.fail("discovery", status=500)
    async with rig() as proxy:
        response = await proxy.send(bearer, method=method, body="a report" if method == "POST" else None)
    assert (503, "temporarily_unavailable") == (response.code, json.loads(response.body)["error"])
    assert int(response.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in response.headers


class FailsOnce(tornado.web.RequestHandler):
    """Sends one error, and then accepts every request."""

    statuses: ClassVar[list[int]] = []

    def get(self) -> None:
        self.set_status(self.statuses.pop() if self.statuses else 204)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 302])
@pytest.mark.gen_test
async def test_a_service_that_fails_once_does_not_make_the_response_a_success(status: int, rig: Rig) -> None:
    server = tornado.web.Application([(r"/auth", FailsOnce)]).listen(0, "127.0.0.1")
    (listening,) = server._sockets.values()
    FailsOnce.statuses[:] = [status]
    async with rig(service=listening.getsockname()[1]) as proxy:
        response = await proxy.send(method="POST", body="a report")
        assert ((status if status in {400, 401, 403, 429, 503} else 500), []) == (response.code, Reports.requests)
        assert 200 == (await proxy.send(method="POST", body="a report")).code
    server.stop()


@pytest.mark.gen_test
async def test_a_service_that_is_not_there_lets_no_request_through(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with rig(service=port) as proxy:
        assert (500, []) == ((await proxy.send()).code, Reports.requests)


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
    directive: str, status: int, rig: Rig, bearer: dict[str, str], tmp_path: Path
) -> None:
    async with rig({"auth_request /_auth;": f"auth_request /_auth; {directive}"}) as proxy:
        shutil.rmtree(tmp_path / "body")
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
