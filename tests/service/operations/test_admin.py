from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import servers
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.web import Application

from service.caches import deny_list as module
from service.caches.deny_file import DenyListFile
from service.caches.deny_list import DenyEntry, DenyList
from service.caches.shared import SharedCache, open_cache
from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.operations.admin import make_admin_app
from service.operations.admin_hosts import ForeignHost
from service.operations.admin_requests import MAX_ENTRY_LIFETIME
from service.operations.logs.fields import fields_of
from service.operations.metrics import Metrics

ADMIN = "admin-token"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def app(deny_list: DenyList, clock: ManualClock, metrics: Metrics) -> Application:
    return _make(deny_list, clock=clock, metrics=metrics)


def _make(deny_list: DenyList, *, clock: ManualClock, metrics: Metrics, token: str | None = ADMIN) -> Application:
    return make_admin_app(
        deny_list,
        clock=clock,
        token=token,
        metrics=metrics,
        check_ready=_check_ready,
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


@pytest.mark.gen_test
async def test_changes_are_logged_without_the_value_of_the_entry(
    http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for method in ("POST", "DELETE"):
        await _send(http_client, f"{base_url}/deny-list", method, {"sub": "mallory", "expires_in": 60})
    fields = [fields_of(record) for record in caplog.records]
    assert ["deny list entry added", "deny list entry removed"] == caplog.messages
    assert [{"kind": "sub", "expires_at": "2023-11-14T22:14:20+00:00"}, {"kind": "sub"}] == fields


@pytest.mark.parametrize("token", ["", "wrong", "admin-token2", "é"])
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
    deny_list: DenyList, clock: ManualClock, http_client: AsyncHTTPClient, base_url: str, app: Application
) -> None:
    app.default_router.rules.clear()
    app.add_handlers(".*", [*_make(deny_list, clock=clock, token=None, metrics=Metrics()).default_router.rules])
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
) -> None:
    deny_list = DenyList(cache, clock=clock, file=DenyListFile(tmp_path / "deny-list.json", clock=clock))
    app.default_router.rules.clear()
    app.add_handlers(".*", [*_make(deny_list, clock=clock, metrics=Metrics()).default_router.rules])
    for method in ("POST", "DELETE"):
        body = json.loads((await _send(http_client, f"{base_url}/deny-list", method, {"jti": "x"})).body)
        assert (False, True) == (body["shared"], body["saved"])


@pytest.mark.gen_test
async def test_the_list_of_a_process_without_requests_is_read_before_it_is_shown(
    clock: ManualClock, app: Application, http_client: AsyncHTTPClient, base_url: str
) -> None:
    with servers.running("redis") as server:
        here, there = (open_cache(server.url, clock=clock, key=b"key") for _ in range(2))
        lists = [DenyList(cache, clock=clock) for cache in (here, there)]
        await lists[0].add(DenyEntry(kind="jti", value="x", issuer=None, expires_at=clock.now() + 60))
        app.default_router.rules.clear()
        app.add_handlers(".*", [*_make(lists[1], clock=clock, metrics=Metrics()).default_router.rules])
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
    assert {"status": "ready"} == json.loads(found[1].body)


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
    metrics.on_response(method="GET", status=401, seconds=0.001, reason="expired")
    response = await http_client.fetch(f"{base_url}/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert b'resource_server_rejections_total{reason="expired"} 1.0\n' in response.body
