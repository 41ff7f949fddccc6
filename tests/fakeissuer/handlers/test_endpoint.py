from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.handle import Handle

Ask = Callable[..., Any]

ENDPOINTS = ["token", "introspect", "revoke", "userinfo", "authorize", "logout", "device/authorize", "par", "keys"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_method_that_an_endpoint_lacks_is_405(fake_issuer: Handle, ask: Ask, endpoint: str, method: str) -> None:
    answer = ask(f"{fake_issuer.issuer_url()}/v1/{endpoint}", method)
    served = {"keys": ("GET",), "userinfo": ("GET", "POST"), "authorize": ("GET", "POST"), "logout": ("GET", "POST")}
    if method in served.get(endpoint, ("POST",)):
        assert answer.status != 405
    else:
        assert (answer.status, answer.json()["errorCode"]) == (405, "E0000022")


def test_servers_that_are_made_up_are_counted_under_one_name(fake_issuer: Handle, ask: Ask) -> None:
    for number in range(3):
        assert ask(f"{fake_issuer.url}/oauth2/made-up-{number}/v1/keys").status == 404
    assert [request.server for request in fake_issuer.requests("keys")] == ["(unknown)"] * 3
    assert [request.path for request in fake_issuer.requests("keys")][2] == "/oauth2/made-up-2/v1/keys"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_preflight_is_answered_for_any_origin(fake_issuer: Handle, ask: Ask, endpoint: str) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/{endpoint}"
    answer = ask(url, "OPTIONS", headers={"Origin": "https://spa.test", "Access-Control-Request-Method": "POST"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.test"
    assert answer.headers["Access-Control-Max-Age"] == "3600"
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("x-okta-user-agent-extended,content-type", "x-okta-user-agent-extended,content-type"),
        ("", "Authorization, Content-Type, DPoP"),
        ("<b>", "Authorization, Content-Type, DPoP"),
    ],
)
def test_a_preflight_allows_the_headers_that_a_library_asks_for(
    fake_issuer: Handle, ask: Ask, asked: str, allowed: str
) -> None:
    answer = ask(f"{fake_issuer.issuer_url()}/v1/token", "OPTIONS", headers={"Access-Control-Request-Headers": asked})
    assert answer.headers["Access-Control-Allow-Headers"] == allowed


def test_the_token_endpoint_allows_post_alone(fake_issuer: Handle, ask: Ask) -> None:
    answer = ask(f"{fake_issuer.issuer_url()}/v1/token", "OPTIONS")
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"


def test_a_preflight_uses_up_no_fault(fake_issuer: Handle, ask: Ask) -> None:
    fake_issuer.fail("token", drop=True, times=1)
    assert ask(f"{fake_issuer.issuer_url()}/v1/token", "OPTIONS").status == 204
    assert len(fake_issuer.faults()) == 1


def test_every_answer_has_a_request_id_of_its_own(fake_issuer: Handle, ask: Ask) -> None:
    ids = {ask(f"{fake_issuer.issuer_url()}/v1/keys").headers["x-okta-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in ids)


def test_head_is_answered_without_a_body(fake_issuer: Handle, ask: Ask) -> None:
    answer = ask(f"{fake_issuer.issuer_url()}/v1/keys", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
