from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]

ENDPOINTS = ["token", "introspect", "revoke", "userinfo", "authorize", "logout", "device/authorize", "par", "keys"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_unsupported_method_gets_405(fake_issuer: RunningIssuer, ask: Ask, endpoint: str, method: str) -> None:
    response = ask(f"{fake_issuer.issuer_url()}/v1/{endpoint}", method)
    supported = {"keys": ("GET",), "userinfo": ("GET", "POST"), "authorize": ("GET", "POST"), "logout": ("GET", "POST")}
    if method in supported.get(endpoint, ("POST",)):
        assert response.status != 405
    else:
        assert (response.status, response.json()["errorCode"]) == (405, "E0000022")


def test_unknown_servers_are_journaled_under_one_name(fake_issuer: RunningIssuer, ask: Ask) -> None:
    for number in range(3):
        assert ask(f"{fake_issuer.url}/oauth2/made-up-{number}/v1/keys").status == 404
    assert [request.server for request in fake_issuer.requests("keys")] == ["(unknown)"] * 3
    assert [request.path for request in fake_issuer.requests("keys")][2] == "/oauth2/made-up-2/v1/keys"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_preflight_request_succeeds_for_any_origin(fake_issuer: RunningIssuer, ask: Ask, endpoint: str) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/{endpoint}"
    response = ask(url, "OPTIONS", headers={"Origin": "https://spa.test", "Access-Control-Request-Method": "POST"})
    assert (response.status, response.body) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "https://spa.test"
    assert response.headers["Access-Control-Max-Age"] == "3600"
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("requested", "allowed"),
    [
        ("x-okta-user-agent-extended,content-type", "x-okta-user-agent-extended,content-type"),
        ("", "Authorization, Content-Type, DPoP"),
        ("<b>", "Authorization, Content-Type, DPoP"),
    ],
)
def test_a_preflight_response_allows_the_requested_headers(
    fake_issuer: RunningIssuer, ask: Ask, requested: str, allowed: str
) -> None:
    response = ask(
        f"{fake_issuer.issuer_url()}/v1/token", "OPTIONS", headers={"Access-Control-Request-Headers": requested}
    )
    assert response.headers["Access-Control-Allow-Headers"] == allowed


def test_the_token_endpoint_allows_only_post(fake_issuer: RunningIssuer, ask: Ask) -> None:
    response = ask(f"{fake_issuer.issuer_url()}/v1/token", "OPTIONS")
    assert response.headers["Access-Control-Allow-Methods"] == "POST"


def test_a_preflight_request_uses_up_no_fault(fake_issuer: RunningIssuer, ask: Ask) -> None:
    fake_issuer.fail("token", drop=True, times=1)
    assert ask(f"{fake_issuer.issuer_url()}/v1/token", "OPTIONS").status == 204
    assert len(fake_issuer.faults()) == 1


def test_the_error_names_a_repeated_parameter_as_it_was_sent(fake_issuer: RunningIssuer, ask: Ask) -> None:
    for name in ("scope", "grüße", "𐀀", "\udcff"):
        body = f"{quote(name, errors='surrogateescape')}=1&".encode() * 2
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", body=body, headers=headers)
        shown = name.replace("\udcff", "\ufffd")
        assert response.json()["error_description"] == f"The parameter {shown} came more than once."


def test_every_response_has_its_own_request_id(fake_issuer: RunningIssuer, ask: Ask) -> None:
    ids = {ask(f"{fake_issuer.issuer_url()}/v1/keys").headers["x-okta-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in ids)


def test_a_head_response_has_no_body(fake_issuer: RunningIssuer, ask: Ask) -> None:
    response = ask(f"{fake_issuer.issuer_url()}/v1/keys", "HEAD")
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 503},
        {"status": 503, "body": "down"},
        {"status": 302, "headers": {"Location": "/"}},
        {"redirect": True},
        {"refuse": "user_rate"},
        {"truncate": True},
        {"garbage": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("endpoint", ["token", "userinfo", "keys"])
def test_a_faulty_response_has_the_common_headers(
    fake_issuer: RunningIssuer, ask: Ask, endpoint: Any, fault: Any
) -> None:
    fake_issuer.fail(endpoint, **fault)
    url = urlsplit(f"{fake_issuer.issuer_url()}/v1/{endpoint}")
    connection = http.client.HTTPConnection(url.netloc)
    connection.request("POST" if endpoint == "token" else "GET", url.path, headers={"Origin": "https://spa.test"})
    headers = connection.getresponse().headers
    connection.close()
    assert re.fullmatch(r"[0-9a-f]{32}", headers["x-okta-request-id"])
    assert headers["Access-Control-Allow-Origin"] == "https://spa.test"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_headers_of_a_fault_replace_the_common_ones(fake_issuer: RunningIssuer, ask: Ask) -> None:
    own = {"X-Okta-Request-Id": "mine", "access-control-allow-origin": "*", "X-RATE-LIMIT-LIMIT": "0"}
    fake_issuer.fail("token", status=429, headers=own)
    response = ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", headers={"Origin": "https://spa.test"})
    assert {name: response.headers.get_all(name) for name in own} == {name: [text] for name, text in own.items()}


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 429, "body": "{}"}, {"refuse": "user_rate"}, {"refuse": "too_many_requests"}]
)
@pytest.mark.parametrize("endpoint", ["token", "userinfo", "authorize", "keys", "revoke"])
def test_every_429_has_rate_limit_headers(fake_issuer: RunningIssuer, ask: Ask, endpoint: Any, fault: Any) -> None:
    fake_issuer.clock.set(2_000_000_000)
    fake_issuer.clock.freeze()
    fake_issuer.fail(endpoint, **fault)
    response = ask(f"{fake_issuer.issuer_url()}/v1/{endpoint}", "POST" if endpoint in ("token", "revoke") else "GET")
    limit = [response.headers[f"x-rate-limit-{name}"] for name in ("limit", "remaining", "reset")]
    assert (response.status, limit) == (429, ["600", "0", "2000000060"])


def test_an_unknown_path_gets_the_common_headers(fake_issuer: RunningIssuer, ask: Ask) -> None:
    response = ask(f"{fake_issuer.url}/nowhere", headers={"Origin": "https://spa.test"})
    assert (response.status, response.json()["errorCode"]) == (404, "E0000008")
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-okta-request-id"])
    assert response.headers["Access-Control-Allow-Origin"] == "https://spa.test"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/oauth2/default/v1/token", "POST"),
        ("/oauth2/default/v1/keys", "GET, HEAD"),
        ("/signin", "GET, HEAD, POST"),
        ("/api/v1/authn", "POST"),
    ],
)
def test_the_strict_profile_lists_the_methods_in_a_405(
    fake_issuer: RunningIssuer, ask: Ask, path: str, methods: str
) -> None:
    assert ask(fake_issuer.url + path, "PUT").headers["Allow"] is None
    with running(profile="strict-rfc") as issuer:
        response = ask(issuer.url + path, "PUT")
    assert (response.status, response.headers["Allow"]) == (405, methods)
    assert list(response.json()) == ["error", "error_description"]


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/oauth2/nowhere/v1/keys", 404), ("/oauth2/nowhere/v1/token", 404)]
)
def test_the_strict_profile_reports_not_found_as_an_oauth_error(ask: Ask, path: str, status: int) -> None:
    with running(profile="strict-rfc") as issuer:
        response = ask(issuer.url + path)
    assert (response.status, response.json()["error"]) == (status, "not_found")


def test_the_strict_profile_sends_a_fault_without_a_body_as_an_oauth_error(ask: Ask) -> None:
    with running(profile="strict-rfc") as issuer:
        issuer.fail("keys", status=503)
        response = ask(f"{issuer.issuer_url()}/v1/keys")
    assert (response.status, response.json()["error"]) == (503, "temporarily_unavailable")


def test_the_journal_truncates_long_paths(fake_issuer: RunningIssuer, ask: Ask) -> None:
    ask(f"{fake_issuer.url}/oauth2/{'a' * 20_000}/v1/keys")
    assert len(fake_issuer.requests("keys").requests[-1].path) == 500


@pytest.mark.parametrize(
    ("status", "code"), [(401, "E0000011"), (418, "E0000003"), (500, "E0000009"), (599, "E0000009")]
)
def test_a_fault_with_a_status_has_the_error_code_of_that_status(
    status: int, code: str, fake_issuer: RunningIssuer, ask: Ask
) -> None:
    fake_issuer.fail("keys", status=status)
    response = ask(f"{fake_issuer.issuer_url()}/v1/keys")
    assert (response.status, response.json()["errorCode"]) == (status, code)


def test_the_expiry_of_a_session_token_is_capped_at_the_year_9999(fake_issuer: RunningIssuer, ask: Ask) -> None:
    fake_issuer.clock.set(253_402_300_700)
    fake_issuer.clock.freeze()
    body = b'{"username": "alice@example.com", "password": "password"}'
    response = ask(f"{fake_issuer.url}/api/v1/authn", "POST", body=body, headers={"Content-Type": "application/json"})
    assert response.json()["expiresAt"] == "9999-12-31T23:59:59.000Z"
