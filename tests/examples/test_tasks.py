from __future__ import annotations

import asyncio
import json
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Literal

import pytest
from tasks.app import make_tasks
from tasks.login import LoginHandler
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.tcpclient import TCPClient

import fakeissuer
from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings

ALICE = {"sub": "alice@example.com", "scp": "api:read api:write"}
FROM_ANOTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
Call = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture(scope="module")
def started_issuer() -> Iterator[RunningIssuer]:
    with fakeissuer.running(auto_login="alice@example.com") as issuer:
        yield issuer


@pytest.fixture
def issuer(started_issuer: RunningIssuer) -> RunningIssuer:
    started_issuer.reset()
    return started_issuer


@pytest.fixture
def app(
    issuer: RunningIssuer, io_loop: IOLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ResourceServerApplication]:
    monkeypatch.setenv("TASKS_FOLDER", str(tmp_path))
    tasks = make_tasks(Settings.from_keywords(issuer=issuer.issuer_url()))
    yield tasks
    io_loop.run_sync(tasks.close)


@pytest.fixture
def call(http_client: AsyncHTTPClient, base_url: str, issuer: RunningIssuer) -> Call:
    alice = issuer.token(**ALICE)

    async def fetch(method: str, path: str, body: Any = None, *, token: str = alice, **headers: str) -> HTTPResponse:
        if token and "Cookie" not in headers:
            headers["Authorization"] = f"Bearer {token}"
        return await http_client.fetch(
            path if path.startswith("http") else f"{base_url}{path}",
            method=method,
            headers=headers,
            body=body if body is None or isinstance(body, str | bytes) else json.dumps(body),
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
        )

    return fetch


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.gen_test
async def test_a_task_is_added_read_replaced_and_removed(call: Call) -> None:
    added = await call("POST", "/api/tasks", {"title": "Buy milk"})
    task = {"id": 1, "title": "Buy milk", "done": False}
    assert (added.code, json.loads(added.body)) == (201, task)
    path = added.headers["Location"]
    assert json.loads((await call("GET", path)).body) == task
    assert json.loads((await call("GET", "/api/tasks")).body) == {"tasks": [task]}
    replaced = await call("PUT", path, {"title": "Buy bread", "done": True})
    assert json.loads(replaced.body) == task | {"title": "Buy bread", "done": True}
    assert (await call("DELETE", path)).code == 204
    for method, body in [("GET", None), ("PUT", {"title": "Buy bread"}), ("DELETE", None)]:
        gone = await call(method, path, body)
        assert (gone.code, json.loads(gone.body)["error_description"]) == (404, "there is no such task")


@pytest.mark.gen_test
async def test_the_tasks_of_a_user_are_those_of_no_other(call: Call, issuer: RunningIssuer) -> None:
    await call("POST", "/api/tasks", {"title": "Buy milk"})
    bob = issuer.token(sub="bob@example.com", scp=ALICE["scp"])
    assert json.loads((await call("GET", "/api/tasks", token=bob)).body) == {"tasks": []}
    for method, body in [("GET", None), ("PUT", {"title": "Mine"}), ("DELETE", None)]:
        assert (await call(method, "/api/tasks/1", body, token=bob)).code == 404
    assert (await call("PUT", "/api/tasks/1/attachment", "x", token=bob)).code == 404


@pytest.mark.gen_test
async def test_each_method_requires_its_scope(call: Call, issuer: RunningIssuer) -> None:
    tokens = {scope: issuer.token(sub="alice@example.com", scp=scope) for scope in ("api:read", "api:write", "email")}
    for path, method, scope in [
        ("/api/tasks", "GET", "api:read"),
        ("/api/tasks", "POST", "api:write"),
        ("/api/tasks/1", "GET", "api:read"),
        ("/api/tasks/1", "PUT", "api:write"),
        ("/api/tasks/1", "DELETE", "api:write"),
        ("/api/tasks/1/attachment", "GET", "api:read"),
        ("/api/tasks/1/attachment", "PUT", "api:write"),
        ("/", "GET", "api:read"),
    ]:
        for name, token in tokens.items():
            assert ((await call(method, path, "{}", token=token)).code != 403) is (name == scope), (method, path, name)
    assert (await call("GET", "/api/tasks", token="")).code == 401


@pytest.mark.gen_test
async def test_a_token_without_a_subject_has_no_tasks(call: Call, issuer: RunningIssuer) -> None:
    token = issuer.token(scp="api:read", claims={"sub": None})
    assert (await call("GET", "/api/tasks", token=token)).code == 403


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"title": ""}', '{"title": "\\ud800"}', '{"title": "a", "owner": "b"}', "[" * 100_000]
)
async def test_a_malformed_task_is_a_bad_request(call: Call, body: str) -> None:
    assert (await call("POST", "/api/tasks", body)).code == 400


@pytest.mark.gen_test
async def test_an_attachment_over_the_usual_limit_is_saved_and_sent(call: Call, tmp_path: Path) -> None:
    await call("POST", "/api/tasks", {"title": "Buy milk"})
    assert (await call("GET", "/api/tasks/1/attachment")).code == 404
    data = bytes(range(256)) * 20_000
    assert (await call("PUT", "/api/tasks/1/attachment", data)).code == 204
    assert (await call("GET", "/api/tasks/1/attachment")).body == data
    await call("DELETE", "/api/tasks/1")
    assert files(tmp_path) == ["tasks.sqlite"]


@pytest.mark.gen_test
async def test_an_upload_without_a_token_is_rejected_before_its_body(call: Call, tmp_path: Path) -> None:
    assert (await call("PUT", "/api/tasks/1/attachment", "x", token="")).code == 401
    assert files(tmp_path) == ["tasks.sqlite"]


@pytest.mark.gen_test
async def test_an_upload_that_breaks_off_leaves_no_file(
    call: Call, http_port: int, issuer: RunningIssuer, tmp_path: Path
) -> None:
    await call("POST", "/api/tasks", {"title": "Buy milk"})
    stream: IOStream = await TCPClient().connect("127.0.0.1", http_port)
    head = "PUT /api/tasks/1/attachment HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n"
    await stream.write(f"{head}Authorization: Bearer {issuer.token(**ALICE)}\r\n\r\nhalf".encode())
    while len(files(tmp_path)) == 1:  # noqa: ASYNC110  # the other side is a handler
        await asyncio.sleep(0.01)
    stream.close()
    while len(files(tmp_path)) > 1:  # noqa: ASYNC110  # the other side is a handler
        await asyncio.sleep(0.01)


@pytest.mark.gen_test
async def test_the_events_follow_the_changes_of_their_user(
    call: Call, http_client: AsyncHTTPClient, base_url: str, issuer: RunningIssuer
) -> None:
    received: asyncio.Queue[bytes] = asyncio.Queue()
    stream = asyncio.ensure_future(
        http_client.fetch(
            f"{base_url}/events",
            headers={"Authorization": f"Bearer {issuer.token(**ALICE)}"},
            streaming_callback=received.put_nowait,
            request_timeout=2,
        )
    )
    assert await received.get() == b"data: []\n\n"
    await call("POST", "/api/tasks", {"title": "Theirs"}, token=issuer.token(**ALICE | {"sub": "bob@example.com"}))
    await call("POST", "/api/tasks", {"title": "Buy milk"})
    assert await received.get() == b'data: [{"id": 2, "title": "Buy milk", "done": false}]\n\n'
    with pytest.raises(HTTPTimeoutError):
        await stream


@pytest.mark.gen_test
async def test_the_events_end_with_their_token(call: Call, issuer: RunningIssuer, base_url: str) -> None:
    token = issuer.token(**ALICE, expires_in=2)
    ended = await call("GET", "/events", token=token)
    assert (ended.code, ended.body) == (200, b"data: []\n\n")


@pytest.mark.gen_test
async def test_a_message_on_the_websocket_adds_a_task(
    issuer: RunningIssuer, base_url: str, http_server: HTTPServer, open_socket: Callable[..., Any]
) -> None:
    cookie = f"__Host-tasks={issuer.token(**ALICE)}"
    socket = await open_socket(f"{base_url}/live", Cookie=cookie, Origin=base_url)
    await socket.write_message('{"title": "Buy milk"}')
    assert json.loads(await socket.read_message()) == {"id": 1, "title": "Buy milk", "done": False}
    await socket.write_message("nonsense")
    assert (await socket.read_message(), socket.close_code) == (None, 1007)


def cookies(response: HTTPResponse) -> dict[str, str]:
    found = [SimpleCookie(field) for field in response.headers.get_list("Set-Cookie")]
    return {name: morsel.value for cookie in found for name, morsel in cookie.items()}


@pytest.fixture
def sign_in(call: Call) -> Callable[[], Awaitable[tuple[str, str]]]:
    """Return a function that goes to the issuer and back, up to the callback: its URL and the browser's cookie."""

    async def go() -> tuple[str, str]:
        login = await call("GET", "/login", token="")
        issuer_page = await call("GET", login.headers["Location"], token="")
        return issuer_page.headers["Location"], f"__Host-login={cookies(login)['__Host-login']}"

    return go


@pytest.mark.gen_test
async def test_a_browser_signs_in_and_out(call: Call, sign_in: Any, base_url: str) -> None:
    assert (await call("GET", "/", token="")).headers["Location"] == "/login?next=%2F"
    callback, cookie = await sign_in()
    back = await call("GET", callback, Cookie=cookie, **FROM_ANOTHER_SITE)
    assert (back.code, back.headers["Location"]) == (302, "/")
    for field in back.headers.get_list("Set-Cookie"):
        assert field.startswith("__Host-")
        assert {"Path=/", "Secure"} <= set(field.split("; "))
    token = f"__Host-tasks={cookies(back)['__Host-tasks']}"
    await call("POST", "/api/tasks", {"title": "<script>"}, Cookie=token, Origin=base_url)
    page = await call("GET", "/", Cookie=token, **FROM_ANOTHER_SITE)
    assert (page.code, b"alice@example.com" in page.body, b"<li>&lt;script&gt;</li>" in page.body) == (200, True, True)
    out = await call("POST", "/logout", "", Cookie=token, Origin=base_url)
    assert (out.code, cookies(out)) == (200, {"__Host-tasks": ""})


@pytest.mark.gen_test
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/tasks"), ("POST", "/logout"), ("GET", "/events")])
async def test_another_site_cannot_use_the_cookie(call: Call, issuer: RunningIssuer, method: str, path: str) -> None:
    cookie = f"__Host-tasks={issuer.token(**ALICE)}"
    body = "" if method == "POST" else None
    rejected = await call(method, path, body, Cookie=cookie, Origin="https://evil.example")
    assert (rejected.code, cookies(rejected)) == (403, {})


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"state": "of-the-attacker"}, 400),
        ({"state": None}, 400),
        ({"code": "wrong"}, 400),
        ({"code": None}, 400),
        ({"error": "access_denied"}, 403),
    ],
)
async def test_a_login_that_was_tampered_with_fails(
    call: Call, sign_in: Any, change: dict[str, str | None], status: int
) -> None:
    callback, cookie = await sign_in()
    url, _, query = callback.partition("?")
    parameters = {name: value for name, value in (dict(urllib.parse.parse_qsl(query)) | change).items() if value}
    response = await call("GET", f"{url}?{urllib.parse.urlencode(parameters)}", Cookie=cookie)
    assert (response.code, "__Host-tasks" in cookies(response)) == (status, False)


@pytest.mark.gen_test
async def test_a_login_of_another_browser_fails(call: Call, sign_in: Any) -> None:
    callback, _ = await sign_in()
    assert (await call("GET", callback, token="")).code == 400
    assert (await call("GET", f"{callback.partition('?')[0]}?state=&code=1", token="")).code == 400


@pytest.mark.gen_test
@pytest.mark.parametrize("endpoint", ["discovery", "token"])
async def test_a_login_is_unavailable_as_long_as_the_issuer_is(
    call: Call, sign_in: Any, issuer: RunningIssuer, endpoint: Literal["discovery", "token"]
) -> None:
    callback, cookie = await sign_in()
    issuer.fail(endpoint, status=500)
    assert (await call("GET", callback, Cookie=cookie)).code == 503


def test_the_cookies_can_be_set_by_this_host_alone() -> None:
    assert LoginHandler.cookie.startswith("__Host-")
