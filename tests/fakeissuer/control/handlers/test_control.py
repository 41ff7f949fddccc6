"""The control plane over HTTP: valid calls, and invalid calls that change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.control.handlers import CONTROL_ROUTES
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]
Call = Callable[..., Any]


@pytest.fixture
def call(fake_issuer: RunningIssuer, ask: Ask) -> Call:
    def send(method: str, path: str, members: Any = None, **more: Any) -> Any:
        body = None if members is None else json.dumps(members).encode()
        return ask(f"{fake_issuer.url}/_fake/{path}", method, body=body, **more)

    return send


def test_a_call_mints_any_token(call: Call) -> None:
    answer = call("POST", "tokens", {"sub": "carol@example.com", "scp": ["a"], "claims": {"ver": None, "team": "red"}})
    assert answer.status == 200
    assert list(answer.json()) == ["token", "header", "claims"]
    claims = answer.json()["claims"]
    assert (claims["sub"], claims["scp"], claims["team"], "ver" in claims) == ("carol@example.com", ["a"], "red", False)


def test_a_token_can_be_minted_without_a_body(call: Call) -> None:
    assert call("POST", "tokens").json()["claims"]["aud"] == "api://default"


def test_a_call_returns_the_catalogue_of_bad_tokens(call: Call) -> None:
    entries = call("GET", "bad-tokens?server=partner").json()
    assert len(entries) >= 40
    assert all(list(entry) == ["name", "token", "breaks", "status", "error"] for entry in entries)


def test_a_call_returns_the_catalogue_of_good_tokens(call: Call, fake_issuer: RunningIssuer) -> None:
    entries = call("GET", "good-tokens?server=partner").json()
    assert [entry["name"] for entry in entries] == [good.name for good in fake_issuer.good_tokens()]
    assert all(list(entry) == ["name", "token", "resembles"] for entry in entries)


def test_faults_can_be_added_listed_and_cleared(call: Call) -> None:
    assert call("POST", "faults", {"endpoint": "keys", "status": 503, "times": 2}).status == 200
    assert [(fault["endpoint"], fault["status"], fault["times"]) for fault in call("GET", "faults").json()] == [
        ("keys", 503, 2)
    ]
    assert call("DELETE", "faults").json() == []
    assert call("GET", "faults").json() == []


def test_the_clock_can_be_set_and_advanced(call: Call) -> None:
    assert call("POST", "clock", {"set": 2_000_000_000, "freeze": True}).json()["now"] == 2_000_000_000
    assert call("POST", "clock", {"advance": 60}).json() == {
        "now": 2_000_000_060,
        "offset": pytest.approx(2_000_000_060 - call("DELETE", "clock").json()["now"], abs=5),
        "frozen": True,
    }
    assert abs(call("GET", "clock").json()["offset"]) < 1
    call("POST", "clock", {"freeze": True})
    assert call("POST", "clock", {"freeze": False}).json()["frozen"] is False


def test_an_invalid_change_leaves_the_clock_unchanged(call: Call) -> None:
    assert call("POST", "clock", {"set": 5, "advance": -6}).status == 400
    assert abs(call("GET", "clock").json()["offset"]) < 1


def test_keys_can_be_rotated_withdrawn_and_delayed(call: Call) -> None:
    before = call("GET", "keys").json()
    assert [(key["status"], key["published"]) for key in before] == [
        ("ACTIVE", True),
        ("NEXT", True),
        ("EXPIRED", False),
    ]
    after = call("POST", "keys/rotate", {"server": "default"}).json()
    assert after[0]["kid"] == before[1]["kid"]
    withdrawn = call("POST", "keys/withdraw", {"kid": after[0]["kid"]}).json()
    assert withdrawn[0] == {"kid": after[0]["kid"], "status": "ACTIVE", "published": False}
    assert call("POST", "keys/lag", {"seconds": 60}).json()[0]["published"] is False
    assert call("DELETE", "keys/lag").json()[0]["published"] is True


def test_requests_are_listed_without_secrets(call: Call, fake_issuer: RunningIssuer, ask: Ask) -> None:
    ask(f"{fake_issuer.issuer_url()}/v1/keys?x=hidden", headers={"Authorization": "Bearer hidden"})
    ask(f"{fake_issuer.issuer_url('partner')}/v1/keys")
    answer = call("GET", "requests?endpoint=keys&server=default")
    assert (answer.json()["count"], answer.json()["connections"]) == (1, 1)
    request = answer.json()["requests"][0]
    assert (request["method"], request["path"], request["status"]) == ("GET", "/oauth2/default/v1/keys", 200)
    assert (request["credentials"], b"hidden" in answer.body) == ("Bearer", False)
    assert call("GET", "requests?endpoint=&server=").json()["count"] == 2
    latest = call("GET", "requests?latest=1").json()
    assert (latest["count"], [request["server"] for request in latest["requests"]]) == (2, ["partner"])
    assert call("GET", "requests?latest=0").json()["requests"] == []
    assert call("DELETE", "requests").json() == {"count": 0, "connections": 0, "requests": []}


def test_a_token_can_be_revoked(call: Call) -> None:
    token = call("POST", "tokens").json()["token"]
    assert call("POST", "revoke", {"token": token}).json() == {"revoked": True}
    assert call("POST", "revoke", {"token": "unknown"}).status == 404


def test_users_clients_and_servers_can_be_changed(call: Call, fake_issuer: RunningIssuer, ask: Ask) -> None:
    assert call("PUT", "users/carol%40example.com", {"groups": ["Auditors"]}).json()["groups"] == ["Auditors"]
    assert call("GET", "users/carol%40example.com").json()["login"] == "carol@example.com"
    client = {"name": "another", "secret": "s", "grant_types": ["client_credentials"]}
    assert call("PUT", "clients/another", client).status == 200
    assert call("PUT", "servers/orders", {"audience": "api://orders"}).status == 200
    form = {"grant_type": "client_credentials"}
    assert ask(f"{fake_issuer.url}/oauth2/orders/v1/token", "POST", form=form, client="another:s").status == 200
    for path in ("users/carol%40example.com", "clients/another", "servers/orders"):
        assert call("DELETE", path).status == 200
        assert call("GET", path).status == call("DELETE", path).status == 404
    assert ask(f"{fake_issuer.url}/oauth2/orders/v1/token", "POST", form=form).status == 404


def test_a_reset_restores_the_initial_state(call: Call) -> None:
    call("DELETE", "users/alice@example.com")
    assert call("POST", "reset").json() == {"reset": True}
    assert call("GET", "users/alice@example.com").status == 200


def test_the_overview_lists_servers_clients_and_users(call: Call, fake_issuer: RunningIssuer) -> None:
    overview = call("GET", "").json()
    assert [server["id"] for server in overview["servers"]] == ["default", "partner", "org"]
    assert overview["servers"][0]["issuer"] == fake_issuer.issuer_url()
    assert [user["login"] for user in overview["users"]] == ["alice@example.com", "bob@example.com"]
    assert len(overview["clients"]) == 5
    assert overview["links"]["tokens"] == f"{fake_issuer.url}/_fake/tokens"


INVALID_CALLS = [
    ("POST", "tokens", {"unknown": 1}),
    ("POST", "tokens", {"server": "unknown"}),
    ("POST", "tokens", {"server": 1}),
    ("POST", "tokens", {"kind": "magic"}),
    ("POST", "tokens", {"sub": 5}),
    ("POST", "tokens", {"scp": 5}),
    ("POST", "tokens", {"scp": [1]}),
    ("POST", "tokens", {"aud": [1]}),
    ("POST", "tokens", {"expires_in": "60"}),
    ("POST", "tokens", {"expires_in": True}),
    ("POST", "tokens", {"expires_in": 1.5}),
    ("POST", "tokens", {"expires_in": 10**12}),
    ("POST", "tokens", {"claims": []}),
    ("POST", "tokens", {"header": "x"}),
    ("POST", "tokens", {"alg": "RS1"}),
    ("POST", "tokens", {"alg": "ES256", "key": "active"}),
    ("POST", "tokens", {"refresh_token": "unknown"}),
    ("POST", "tokens", []),
    ("POST", "tokens", "text"),
    ("POST", "faults", {}),
    ("POST", "faults", {"endpoint": "keys"}),
    ("POST", "faults", {"endpoint": "unknown", "drop": True}),
    ("POST", "faults", {"endpoint": "keys", "server": "unknown", "drop": True}),
    ("POST", "faults", {"endpoint": "keys", "delay": -1}),
    ("POST", "faults", {"endpoint": "keys", "delay": float("nan")}),
    ("POST", "faults", {"endpoint": "keys", "drop": True, "times": 0}),
    ("POST", "clock", {}),
    ("POST", "clock", {"advance": True}),
    ("POST", "clock", {"advance": "1"}),
    ("POST", "clock", {"advance": float("inf")}),
    ("POST", "clock", {"set": -1}),
    ("POST", "clock", {"freeze": 1}),
    ("POST", "keys/rotate", {"server": "unknown"}),
    ("POST", "keys/rotate", {"unknown": 1}),
    ("POST", "keys/withdraw", {}),
    ("POST", "keys/lag", {"seconds": -1}),
    ("POST", "reset", {"unknown": 1}),
    ("POST", "revoke", {}),
    ("GET", "requests?endpoint=unknown", None),
    ("GET", "requests?server=unknown", None),
    ("GET", "requests?unknown=1", None),
    ("GET", "requests?latest=-1", None),
    ("GET", "requests?latest=1e3", None),
    ("GET", "requests?latest=999999", None),
    ("GET", "requests?server=default&server=partner", None),
    ("GET", "bad-tokens?server=unknown", None),
    ("GET", "bad-tokens?server=org", None),
    ("GET", "good-tokens?server=org", None),
    ("PUT", "users/x", {"password": 1}),
    ("PUT", "users/x", {"login": "y"}),
    ("PUT", "clients/x", {}),
    ("PUT", "clients/x", {"name": "no secret"}),
    ("PUT", "clients/x", {"name": "public with secret", "secret": "s", "auth_methods": ["none"]}),
    ("PUT", "servers/x", {}),
    ("PUT", "servers/org", {"audience": "a"}),
    ("PUT", "servers/v1", {"audience": "a"}),
    ("PUT", "servers/a%20b", {"audience": "a"}),
    ("PUT", "servers/x", {"audience": "a", "issuer_mode": "MAGIC"}),
    ("PUT", "servers/x", {"audience": "a", "claims": {"x": "${user.emial}"}}),
    ("PUT", "servers/x", {"audience": "a", "claims": {"x": 10**400}}),
    ("PUT", "servers/x", {"audience": "a", "default_scopes": ["unknown"]}),
    ("PUT", "servers/x", {"audience": "a", "policy": [{"clients": ["unknown"]}]}),
    ("PUT", "servers/x", {"audience": "a", "policy": [{"groups": ["unknown"]}]}),
    ("PUT", "clients/x", {"name": "x", "secret": "s", "redirect_uris": ["http://[bad:*"]}),
    ("PUT", "clients/x", {"name": "x", "secret": "s", "post_logout_redirect_uris": ["javascript:alert(1)"]}),
    ("PUT", "clients/x", {"name": "x", "secret": "s", "grant_types": ["authorization_code"]}),
    ("PUT", "clients/x", {"name": "x", "auth_methods": ["private_key_jwt"]}),
    ("PUT", "users/x", {"claims": {"x": "${user.password}"}}),
    ("DELETE", "servers/org", None),
]


@pytest.mark.parametrize(("method", "path", "members"), INVALID_CALLS)
def test_an_invalid_call_is_rejected_and_changes_nothing(
    call: Call, fake_issuer: RunningIssuer, method: str, path: str, members: Any
) -> None:
    before = (fake_issuer.overview(), fake_issuer.faults(), fake_issuer.keys(), fake_issuer.key_set())
    answer = call(method, path, members)
    assert (answer.status, list(answer.json())) == (400, ["error", "error_description"])
    assert len(answer.json()["error_description"].split()) > 4
    assert (fake_issuer.overview(), fake_issuer.faults(), fake_issuer.keys(), fake_issuer.key_set()) == before
    assert abs(fake_issuer.clock.state().offset) < 1


@pytest.mark.parametrize(
    "body",
    [b"{", b"{}x", b'{"server": "default", "server": "partner"}', b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b"null"],
)
def test_a_body_that_is_not_a_json_object_is_rejected(fake_issuer: RunningIssuer, ask: Ask, body: bytes) -> None:
    assert ask(f"{fake_issuer.url}/_fake/tokens", "POST", body=body).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nowhere", 404),
        ("GET", "tokens", 405),
        ("PATCH", "clock", 405),
        ("POST", "tokens/", 404),
        ("GET", "users/unknown@example.com", 404),
        ("GET", "groups/x", 404),
    ],
)
def test_an_unknown_call_or_method_is_rejected(call: Call, method: str, path: str, status: int) -> None:
    answer = call(method, path)
    assert (answer.status, list(answer.json())) == (status, ["error", "error_description"])


@pytest.mark.parametrize("kid", ["unknown", ""])
def test_an_unknown_kid_is_not_found(call: Call, kid: str) -> None:
    assert call("POST", "keys/withdraw", {"kid": kid}).status == 404
    assert call("POST", "tokens", {"key": kid}).status == 404


def test_control_calls_are_not_in_the_journal(call: Call) -> None:
    for _, handler in CONTROL_ROUTES:
        assert handler is not None
    call("GET", "requests")
    assert call("GET", "requests").json()["count"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1.attacker.example:9400"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "same-origin, cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_pages_of_other_origins_are_rejected(call: Call, fake_issuer: RunningIssuer, headers: dict[str, str]) -> None:
    """DNS rebinding shows in Host, cross-site request forgery in Origin or Sec-Fetch-Site."""
    before = (fake_issuer.overview(), fake_issuer.keys(), fake_issuer.faults())
    calls: list[tuple[str, str, Any]] = [
        ("POST", "reset", None),
        ("POST", "tokens", None),
        ("GET", "bad-tokens", None),
        ("GET", "good-tokens", None),
        ("POST", "faults", {"endpoint": "keys", "drop": True}),
        ("DELETE", "faults", None),
        ("POST", "clock", {"advance": 60}),
        ("DELETE", "clock", None),
        ("POST", "keys/rotate", None),
        ("DELETE", "keys/lag", None),
        ("DELETE", "requests", None),
        ("PUT", "users/mallory@example.com", {}),
        ("DELETE", "users/alice@example.com", None),
        ("GET", "users/alice@example.com", None),
        ("OPTIONS", "reset", None),
        ("PATCH", "reset", None),
    ]
    for method, path, members in calls:
        assert call(method, path, members, headers=headers).status == 403
    assert (fake_issuer.overview(), fake_issuer.keys(), fake_issuer.faults()) == before
    assert abs(fake_issuer.clock.state().offset) < 1


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_issuers_own_origin_has_access(call: Call, fake_issuer: RunningIssuer, site: str) -> None:
    assert call("POST", "reset", headers={"Origin": fake_issuer.url, "Sec-Fetch-Site": site}).status == 200
    assert call("POST", "reset", headers={"Sec-Fetch-Site": site}).status == 200


def test_a_control_token_is_required_if_set(ask: Ask) -> None:
    with running(control_token="a-control-token") as issuer:
        url = f"{issuer.url}/_fake/clock"
        refused = ask(url)
        assert (refused.status, refused.json()["error"]) == (401, "access_denied")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
        assert ask(url, headers={"Authorization": "Bearer wrong"}).status == 401
        assert ask(url, headers={"Authorization": "bearer a-control-token", "Host": "elsewhere.test"}).status == 200
