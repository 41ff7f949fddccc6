from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import servers
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application

from service.caches import deny_list as module
from service.caches.deny_file import DenyListFile
from service.caches.deny_list import DenyEntry, DenyList
from service.caches.shared import SharedCache, open_cache
from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.health import Health
from service.operations.admin.application import make_admin_app
from service.operations.admin.hosts import ForeignHost
from service.operations.admin.operators import BURST
from service.operations.admin.requests import MAX_ENTRY_LIFETIME
from service.operations.logs.fields import fields_of
from service.operations.metrics.metrics import Metrics
from service.web.connections.trusted_proxies import TrustedProxies

ADMIN = "operators-only-0123456789-abcdefghij"
ALICE = "alice-0123456789-abcdefghijklmnopqrst"
TOKENS = {"admin_token": ADMIN, "alice": ALICE}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def app(deny_list: DenyList, clock: ManualClock, metrics: Metrics, health: Health) -> Application:
    return _make(deny_list, clock=clock, metrics=metrics, health=health)


@pytest.fixture
def health(health: Health, monkeypatch: pytest.MonkeyPatch) -> Health:
    monkeypatch.setattr(health.authenticators, "check_ready", _check_ready)
    return health


def _make(
    deny_list: DenyList,
    *,
    clock: ManualClock,
    metrics: Metrics,
    health: Health,
    tokens: Mapping[str, str] = TOKENS,
) -> Application:
    return make_admin_app(
        deny_list,
        clock=clock,
        tokens=tokens,
        trusted_proxies=TrustedProxies(["127.0.0.1"]),
        metrics=metrics,
        health=health,
        foreign_host=ForeignHost("127.0.0.1", ["admin.internal"]),
    )


TROUBLE: list[str] = []


async def _check_ready() -> None:
    if TROUBLE:
        raise IssuerUnavailable(TROUBLE.pop())


async def _send(
    client: AsyncHTTPClient, url: str, method: str = "POST", body: Any = None, token: str = ADMIN
) -> HTTPResponse:
    headers = {"Authorization": f"Bearer {token}"}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = None if method == "GET" else text
    return await client.fetch(
        url, method=method, headers=headers, body=sent, allow_nonstandard_methods=True, raise_error=False
    )


@pytest.mark.gen_test
async def test_entries_are_added_listed_and_removed(
    http_client: AsyncHTTPClient, base_url: str, clock: ManualClock
) -> None:
    url = f"{base_url}/deny-list"
    added = await _send(http_client, url, body={"sub": "mallory", "issuer": "https://i.example", "expires_in": 60})
    shown = {"kind": "sub", "value": "mallory", "issuer": "https://i.example", "expires_at": clock.now() + 60}
    assert (201, shown | {"shared": False}) == (added.code, json.loads(added.body))
    assert {"denied": [shown]} == json.loads((await _send(http_client, url, "GET")).body)
    removed = await _send(http_client, url, "DELETE", {"sub": "mallory", "issuer": "https://i.example"})
    assert 200 == removed.code
    assert {"denied": []} == json.loads((await _send(http_client, url, "GET")).body)


Lines = Callable[[], list[tuple[str, dict[str, Any]]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Return a function that returns the new lines of the audit log: the event and its fields but the request ID."""
    caplog.set_level(logging.INFO, "service.audit")

    def read() -> list[tuple[str, dict[str, Any]]]:
        found = [record for record in caplog.records if record.name == "service.audit"]
        caplog.clear()
        fields = [fields_of(record) for record in found]
        assert all(re.fullmatch("[0-9a-f]{32}", each.pop("request_id")) for each in fields)
        return [(record.getMessage(), each) for record, each in zip(found, fields, strict=True)]

    return read


REQUEST = {"remote_ip": "127.0.0.1", "operator": "alice"}
DIGEST = hashlib.sha256(b"mallory").hexdigest()[:16]
ENTRY = {"kind": "sub", "value_sha256": DIGEST}


@pytest.mark.gen_test
async def test_each_request_of_an_operator_is_one_line(
    http_client: AsyncHTTPClient, base_url: str, lines: Lines
) -> None:
    url, body = f"{base_url}/deny-list", {"sub": "mallory", "expires_in": 60}
    for method in ("POST", "GET", "DELETE", "DELETE", "PUT"):
        await _send(http_client, url, method, body, ALICE)
    here = REQUEST | {"path": "/deny-list"}
    added = {"method": "POST", "status": 201, "shared": False, "expires_at": "2023-11-14T22:14:20+00:00"}
    assert [
        ("deny list entry added", here | ENTRY | added),
        ("deny list read", here | {"method": "GET", "status": 200}),
        ("deny list entry removed", here | ENTRY | {"method": "DELETE", "status": 200, "shared": False}),
        ("admin request rejected", here | ENTRY | {"method": "DELETE", "status": 404, "reason": "no_such_entry"}),
        ("admin request rejected", here | {"method": "PUT", "status": 405, "reason": "method_not_allowed"}),
    ] == lines()  # fmt: skip


@pytest.mark.gen_test
async def test_a_method_or_host_of_an_attacker_is_one_short_line(
    http_client: AsyncHTTPClient, base_url: str, lines: Lines
) -> None:
    await _send(http_client, f"{base_url}/deny-list", "X" * 500, b"", "wrong")
    await http_client.fetch(f"{base_url}/{'x' * 500}", headers={"Host": "evil.example"}, raise_error=False)
    (unknown, foreign) = [fields for _, fields in lines()]
    assert ("X" * 100, "method_not_allowed") == (unknown["method"], unknown["reason"])
    assert (f"/{'x' * 99}", "foreign_host") == (foreign["path"], foreign["reason"])


@pytest.mark.gen_test
async def test_a_client_at_a_unix_socket_has_no_address(app: Application, tmp_path: Path, lines: Lines) -> None:
    server = HTTPServer(app)
    server.add_socket(bind_unix_socket(str(tmp_path / "admin.sock")))
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "admin.sock"))
    writer.write(f"GET /deny-list HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {ALICE}\r\n\r\n".encode())
    assert b" 200 " in await reader.readline()
    writer.close()
    server.stop()
    ((_, fields),) = lines()
    assert ("unix", False) == (fields["remote_ip"], "proxy" in fields)


VALUES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "a client": ({"cid": "0oa1"}, {"kind": "cid", "value": "0oa1"}),
    "a key": ({"kid": "k1", "issuer": "https://i.example"}, {"kind": "kid", "value": "k1", "issuer": "https://i.example"}),
    "an issuer": ({"iss": "https://i.example"}, {"kind": "iss", "value": "https://i.example"}),
    "a token": ({"jti": "mallory"}, {"kind": "jti", "value_sha256": DIGEST}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "fields"), VALUES.values(), ids=VALUES)
@pytest.mark.gen_test
async def test_a_value_is_logged_unless_it_is_personal(
    body: dict[str, str], fields: dict[str, str], http_client: AsyncHTTPClient, base_url: str, lines: Lines
) -> None:
    await _send(http_client, f"{base_url}/deny-list", body=body)
    ((_, logged),) = lines()
    assert fields == {name: logged[name] for name in logged.keys() & {"kind", "value", "value_sha256", "issuer"}}
    assert "admin_token" == logged["operator"]


@pytest.mark.gen_test
async def test_a_failure_is_logged_with_its_operator(
    deny_list: DenyList, http_client: AsyncHTTPClient, base_url: str, lines: Lines
) -> None:
    async def fetch(issuer: str | None) -> dict[str, bool]:
        return {"https://i.example": issuer is None}

    deny_list.on_key_refresh(fetch)
    url = f"{base_url}/key-sets/refresh"
    await _send(http_client, url, body={"issuer": "https://i.example"}, token=ALICE)
    await _send(http_client, url, body=b"", token=ALICE)
    await _send(http_client, url, body=b"{", token=ALICE)
    here = REQUEST | {"path": "/key-sets/refresh", "method": "POST"}
    failed = {"status": 503, "reason": "key_set_unavailable", "issuer": "https://i.example"}
    assert [
        ("admin request failed", here | failed),
        ("key sets refreshed", here | {"status": 200, "shared": False}),
        ("admin request rejected", here | {"status": 400, "reason": "malformed"}),
    ] == lines()


@pytest.mark.gen_test
async def test_attempts_without_a_token_are_logged_and_limited(
    http_client: AsyncHTTPClient, base_url: str, lines: Lines, clock: ManualClock
) -> None:
    url = f"{base_url}/deny-list"
    assert [401] * BURST == [(await _send(http_client, url, token="wrong")).code for _ in range(BURST)]
    rejected = {"path": "/deny-list", "method": "POST", "remote_ip": "127.0.0.1"}
    wrong = ("admin request rejected", rejected | {"status": 401, "reason": "wrong_token"})
    assert [wrong] * BURST == lines()
    limited = [await _send(http_client, url, token=token) for token in ("wrong", ALICE, ADMIN)]
    assert [429] * 3 == [response.code for response in limited]
    assert {"2"} == {response.headers["Retry-After"] for response in limited}
    assert [("admin request rejected", rejected | {"status": 429, "reason": "too_many_attempts"})] == lines()
    elsewhere = await http_client.fetch(
        url, headers={"Authorization": f"Bearer {ALICE}", "X-Forwarded-For": "192.0.2.1"}
    )
    assert 200 == elsewhere.code
    clock.advance(2.0)
    assert 401 == (await _send(http_client, url, token="")).code
    assert ("admin request rejected", rejected | {"status": 401, "reason": "wrong_token", "left_out": 2}) == lines()[-1]
    clock.advance(2.0)
    assert 200 == (await _send(http_client, url, "GET", token=ALICE)).code


@pytest.mark.gen_test
async def test_a_trusted_proxy_names_the_client_and_the_request(
    http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for identifier, is_kept in (("deploy-42", True), ("a b", False), ("x" * 129, False)):
        headers = {"X-Forwarded-For": "192.0.2.7", "X-Request-Id": identifier, "Authorization": f"Bearer {ALICE}"}
        response = await http_client.fetch(f"{base_url}/deny-list", method="POST", headers=headers, body='{"jti": "x"}')
        fields = fields_of(caplog.records[-1])
        assert ("192.0.2.7", "127.0.0.1") == (fields["remote_ip"], fields["proxy"])
        assert response.headers["X-Request-Id"] == fields["request_id"]
        assert is_kept == (identifier == fields["request_id"])


@pytest.mark.gen_test
async def test_the_headers_of_an_untrusted_client_are_ignored(
    deny_list: DenyList, clock: ManualClock, http_client: AsyncHTTPClient, base_url: str, app: Application, lines: Lines
) -> None:
    app.settings["access"] = replace(app.settings["access"], trusted_proxies=None)
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Request-Id": "deploy-42", "Authorization": f"Bearer {ALICE}"}
    await http_client.fetch(f"{base_url}/deny-list", headers=headers)
    assert [("deny list read", REQUEST | {"path": "/deny-list", "method": "GET", "status": 200})] == lines()


@pytest.mark.gen_test
async def test_a_mistyped_issuer_is_rejected_with_the_nearest_one(
    cache: SharedCache,
    clock: ManualClock,
    app: Application,
    http_client: AsyncHTTPClient,
    base_url: str,
    health: Health,
) -> None:
    known = ["https://one.example/oauth2/default", "https://two.example"]
    deny_list = DenyList(cache, clock=clock, issuers=known)
    app.default_router.rules.clear()
    app.add_handlers(".*", [*_make(deny_list, clock=clock, metrics=Metrics(), health=health).default_router.rules])
    mistyped = "https://one.example/oauth2/defualt"
    for path, body, status in (
        ("/deny-list", {"sub": "x", "issuer": mistyped}, 400),
        ("/deny-list", {"iss": f"{known[0]}/"}, 400),
        ("/key-sets/refresh", {"issuer": mistyped}, 404),
    ):
        response = await _send(http_client, base_url + path, body=body)
        assert status == response.code
        assert f"did you mean '{known[0]}'?" in json.loads(response.body)["error_description"]
    unlike = await _send(http_client, f"{base_url}/deny-list", body={"iss": "x"})
    assert f"expected {known[0]} or {known[1]}" in json.loads(unlike.body)["error_description"]
    assert [] == list(deny_list)
    for body in ({"sub": "x", "issuer": known[0]}, {"iss": known[1]}, {"sub": "x"}):
        assert 201 == (await _send(http_client, f"{base_url}/deny-list", body=body)).code
    assert 404 == (await _send(http_client, f"{base_url}/deny-list", "DELETE", {"sub": "x", "issuer": mistyped})).code
    without_keys = await _send(http_client, f"{base_url}/key-sets/refresh", body={"issuer": known[1]})
    assert (404, True) == (without_keys.code, b"introspects" in without_keys.body)


@pytest.mark.parametrize("token", ["", "wrong", f"{ADMIN}2", f"{ADMIN}, Bearer {ADMIN}", "é"])
@pytest.mark.gen_test
async def test_without_the_admin_token_every_change_is_rejected(
    token: str, http_client: AsyncHTTPClient, base_url: str
) -> None:
    for method in ("GET", "POST", "DELETE"):
        response = await _send(http_client, f"{base_url}/deny-list", method, {"jti": "x"}, token)
        assert 401 == response.code
        assert "Bearer" in response.headers["WWW-Authenticate"]


@pytest.mark.gen_test
async def test_without_a_configured_admin_token_the_response_names_the_setting(
    deny_list: DenyList,
    clock: ManualClock,
    http_client: AsyncHTTPClient,
    base_url: str,
    app: Application,
    health: Health,
) -> None:
    app.default_router.rules.clear()
    app.add_handlers(
        ".*", [*_make(deny_list, clock=clock, tokens={}, metrics=Metrics(), health=health).default_router.rules]
    )
    response = await _send(http_client, f"{base_url}/deny-list", body={"jti": "x"})
    assert 403 == response.code
    assert b"SERVICE_ADMIN_TOKEN" in response.body


MALFORMED: dict[str, Any] = {
    "not JSON": b"{",
    "a list": [],
    "no kind": {},
    "two kinds": {"jti": "x", "sub": "y"},
    "an unknown member": {"jti": "x", "for": 3},
    "a value that is a number": {"jti": 1},
    "an empty value": {"sub": ""},
    "a value that is too long": {"sub": "x" * 2000},
    "a value of too many bytes": {"sub": "\N{SNOWMAN}" * 342},
    "an issuer that is too long": {"sub": "x", "issuer": "x" * 2000},
    "an issuer with an issuer": {"iss": "https://i.example", "issuer": "https://i.example"},
    "only an issuer": {"issuer": "https://i.example"},
    "an issuer that is a list": {"sub": "x", "issuer": []},
    "a lifetime that is true": {"jti": "x", "expires_in": True},
    "a lifetime that is text": {"jti": "x", "expires_in": "60"},
    "a lifetime of zero": {"jti": "x", "expires_in": 0},
    "a lifetime that is too long": {"jti": "x", "expires_in": MAX_ENTRY_LIFETIME + 1},
    "an infinite lifetime": b'{"jti": "x", "expires_in": 1e400}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.gen_test
async def test_malformed_input_is_rejected(
    body: Any, http_client: AsyncHTTPClient, base_url: str, deny_list: DenyList
) -> None:
    for method in ("POST", "DELETE"):
        response = await _send(http_client, f"{base_url}/deny-list", method, body)
        assert (400, "invalid_request") == (response.code, json.loads(response.body)["error"])
    assert [] == list(deny_list)


@pytest.mark.gen_test
async def test_a_full_deny_list_is_reported(
    http_client: AsyncHTTPClient, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAPACITY", 0)
    assert 400 == (await _send(http_client, f"{base_url}/deny-list", body={"jti": "x"})).code


@pytest.mark.parametrize("kind", ["jti", "sub", "cid", "kid", "iss"])
@pytest.mark.gen_test
async def test_every_kind_can_be_denied(kind: str, http_client: AsyncHTTPClient, base_url: str) -> None:
    url = f"{base_url}/deny-list"
    assert 201 == (await _send(http_client, url, body={kind: "x"})).code
    (listed,) = json.loads((await _send(http_client, url, "GET")).body)["denied"]
    assert (kind, "x", None) == (listed["kind"], listed["value"], listed["issuer"])
    assert 200 == (await _send(http_client, url, "DELETE", {kind: "x"})).code


@pytest.mark.gen_test
async def test_a_list_on_the_disk_says_so(
    cache: SharedCache,
    clock: ManualClock,
    app: Application,
    http_client: AsyncHTTPClient,
    base_url: str,
    tmp_path: Path,
    health: Health,
) -> None:
    deny_list = DenyList(cache, clock=clock, file=DenyListFile(tmp_path / "deny-list.json", clock=clock))
    app.default_router.rules.clear()
    app.add_handlers(".*", [*_make(deny_list, clock=clock, metrics=Metrics(), health=health).default_router.rules])
    for method in ("POST", "DELETE"):
        body = json.loads((await _send(http_client, f"{base_url}/deny-list", method, {"jti": "x"})).body)
        assert (False, True) == (body["shared"], body["saved"])


@pytest.mark.gen_test
async def test_the_list_of_a_process_without_requests_is_read_before_it_is_shown(
    clock: ManualClock, app: Application, http_client: AsyncHTTPClient, base_url: str, health: Health
) -> None:
    with servers.running("redis") as server:
        here, there = (open_cache(server.url, clock=clock, key=b"key") for _ in range(2))
        lists = [DenyList(cache, clock=clock) for cache in (here, there)]
        await lists[0].add(DenyEntry(kind="jti", value="x", issuer=None, expires_at=clock.now() + 60))
        app.default_router.rules.clear()
        app.add_handlers(".*", [*_make(lists[1], clock=clock, metrics=Metrics(), health=health).default_router.rules])
        assert 1 == len(json.loads((await _send(http_client, f"{base_url}/deny-list", "GET")).body)["denied"])
        for each in lists:
            await each.close()
        for cache in (here, there):
            await cache.close()


@pytest.mark.gen_test
async def test_an_operator_can_refresh_key_sets(
    deny_list: DenyList, http_client: AsyncHTTPClient, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[str | None] = []

    async def fetch(issuer: str | None) -> dict[str, bool]:
        requested.append(issuer)
        return {"https://i.example": True, "https://j.example": issuer is None} if issuer != "https://k.example" else {}

    deny_list.on_key_refresh(fetch)
    url = f"{base_url}/key-sets/refresh"
    everything = await _send(http_client, url, body=b"")
    assert (200, {"refreshed": ["https://i.example", "https://j.example"], "shared": False}) == (
        everything.code, json.loads(everything.body),
    )  # fmt: skip
    failed = await _send(http_client, url, body={"issuer": "https://j.example"})
    assert (503, "temporarily_unavailable") == (failed.code, json.loads(failed.body)["error"])
    assert "https://j.example" in json.loads(failed.body)["error_description"]
    assert 404 == (await _send(http_client, url, body={"issuer": "https://k.example"})).code
    for body in (b"{", b"[]", {"issuer": 1}, {"issuer": ""}, {"iss": "x"}):
        assert 400 == (await _send(http_client, url, body=body)).code
    assert [None, "https://j.example", "https://k.example"] == requested
    assert 401 == (await _send(http_client, url, body=b"", token="wrong")).code
    monkeypatch.setattr(module, "CAPACITY", 0)
    assert 400 == (await _send(http_client, url, body=b"")).code
    assert [] == list(deny_list)


@pytest.mark.gen_test
async def test_healthz_is_served_and_other_paths_are_404(http_client: AsyncHTTPClient, base_url: str) -> None:
    assert 200 == (await _send(http_client, f"{base_url}/healthz", "GET")).code
    assert 404 == (await _send(http_client, f"{base_url}/elsewhere", "GET")).code
    assert 405 == (await _send(http_client, f"{base_url}/healthz", "POST")).code


@pytest.mark.gen_test
async def test_readiness_is_shown_with_its_reason(http_client: AsyncHTTPClient, base_url: str) -> None:
    TROUBLE.append("GET https://issuer.example: Could not resolve proxy: proxy.internal")
    found = [await http_client.fetch(f"{base_url}/readyz", raise_error=False) for _ in range(2)]
    assert [503, 200] == [response.code for response in found]
    assert {"status": "not ready", "reason": "GET https://issuer.example: Could not resolve proxy: proxy.internal"} == (
        json.loads(found[0].body)
    )
    assert {"status": "ready", "problems": []} == json.loads(found[1].body)


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/deny-list", "/elsewhere"])
@pytest.mark.gen_test
async def test_a_page_whose_name_resolves_to_the_admin_port_reads_nothing(
    path: str, http_client: AsyncHTTPClient, base_url: str
) -> None:
    headers = {"Host": "attacker.example:9001", "Authorization": f"Bearer {ADMIN}"}
    response = await http_client.fetch(f"{base_url}{path}", headers=headers, raise_error=False)
    assert (403, "access_denied") == (response.code, json.loads(response.body)["error"])
    assert b"SERVICE_ADMIN_HOSTS" in response.body
    headers["Host"] = "admin.internal"
    assert response.code != (await http_client.fetch(f"{base_url}{path}", headers=headers, raise_error=False)).code


@pytest.mark.gen_test
async def test_no_response_names_the_server(http_client: AsyncHTTPClient, base_url: str) -> None:
    for path in ("/metrics", "/deny-list", "/elsewhere"):
        assert "Server" not in (await http_client.fetch(f"{base_url}{path}", raise_error=False)).headers


@pytest.mark.gen_test
async def test_metrics_need_no_admin_token(metrics: Metrics, http_client: AsyncHTTPClient, base_url: str) -> None:
    metrics.on_response(method="GET", status=401, seconds=0.001, reason="expired", route="/", scheme="http")
    response = await http_client.fetch(f"{base_url}/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert b'resource_server_rejections_total{reason="expired"} 1.0\n' in response.body


@pytest.mark.gen_test
async def test_the_status_describes_this_process(http_client: AsyncHTTPClient, base_url: str) -> None:
    status = json.loads((await http_client.fetch(f"{base_url}/status")).body)
    assert {"pid": os.getpid(), "draining": False, "problems": [], "issuers": []}.items() <= status.items()
    assert {"entries": 0, "age": None} == status["deny_list"]
    assert "workers" not in status
