from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from scripted_browser import CALLBACK, CHALLENGE, SPA, VERIFIER, WEB, Browser, redirected
from seeded_clients import API

from fakeissuer.model.claims import left_half_hash
from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def is_active(fake_issuer: RunningIssuer, ask: Call, token: str) -> bool:
    answer = ask(f"{fake_issuer.issuer_url()}/v1/introspect", "POST", form={"token": token}, client=API)
    return bool(answer.json()["active"])


def test_a_code_gives_tokens_in_okta_order(code: Call, redeem: Call) -> None:
    scope = "openid profile email offline_access api:read groups"
    answer = redeem("authorization_code", code=code(scope=scope), redirect_uri=CALLBACK)
    assert answer.status == 200
    names = ["token_type", "expires_in", "access_token", "scope", "refresh_token", "id_token"]
    assert list(answer.json()) == names
    access, id_token = claims(answer.json()["access_token"]), claims(answer.json()["id_token"])
    assert " ".join(id_token) == (
        "sub name email ver iss aud iat exp jti amr idp nonce preferred_username auth_time at_hash groups"
    )
    assert access["sub"] == "alice@example.com"
    assert id_token["sub"] == access["uid"] != access["sub"]
    assert id_token["at_hash"] == left_half_hash(answer.json()["access_token"])
    assert (id_token["nonce"], id_token["aud"], id_token["amr"]) == ("n-1", WEB, ["pwd"])
    assert ".oar" in access["jti"]


def test_without_offline_access_there_is_no_refresh_token(code: Call, redeem: Call) -> None:
    answer = redeem("authorization_code", code=code(scope="api:read"), redirect_uri=CALLBACK)
    assert list(answer.json()) == ["token_type", "expires_in", "access_token", "scope"]


def test_a_public_client_proves_that_it_asked_for_the_code(code: Call, redeem: Call) -> None:
    sent = code(client_id=SPA, code_challenge=CHALLENGE, code_challenge_method="S256")
    form = {"client_id": SPA, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert redeem("authorization_code", client=None, code=sent, **form).status == 200


@pytest.mark.parametrize(
    ("asked", "form", "status", "error"),
    [
        ({}, {"code": "unknown"}, 400, "invalid_grant"),
        ({}, {"redirect_uri": f"{CALLBACK}/"}, 400, "invalid_grant"),
        ({}, {"server": "partner"}, 400, "invalid_request"),
        ({}, {"code_verifier": VERIFIER}, 400, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S256"}, {}, 400, "invalid_request"),
        (
            {"code_challenge": CHALLENGE, "code_challenge_method": "S256"},
            {"code_verifier": "w" * 43},
            400,
            "invalid_grant",
        ),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S256"}, {"code_verifier": "v"}, 400, "invalid_grant"),
        ({}, {"client": None, "client_id": SPA}, 400, "invalid_grant"),
        (
            {"client_id": SPA, "code_challenge": CHALLENGE, "code_challenge_method": "S256"},
            {"client": None, "client_id": SPA},
            401,
            "invalid_client",
        ),
    ],
)
def test_a_code_is_for_nobody_else_and_dies_of_the_attempt(
    code: Call, redeem: Call, asked: dict[str, str], form: dict[str, Any], status: int, error: str
) -> None:
    sent = code(**asked)
    answer = redeem("authorization_code", **{"code": sent, "redirect_uri": CALLBACK, **form})
    assert (answer.status, answer.json()["error"]) == (status, error)
    if "code" not in form:
        right = {"code": sent, "redirect_uri": CALLBACK}
        if "code_challenge" in asked:
            right["code_verifier"] = VERIFIER
        client = {"client": None, "client_id": SPA} if "client_id" in asked else {}
        assert redeem("authorization_code", **right, **client).json()["error"] == "invalid_grant"


def test_a_code_that_comes_twice_kills_what_it_gave(
    fake_issuer: RunningIssuer, ask: Call, code: Call, redeem: Call
) -> None:
    sent = code(scope="openid offline_access")
    got = redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()
    assert is_active(fake_issuer, ask, got["access_token"])
    assert redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()["error"] == "invalid_grant"
    tokens = [got[name] for name in ("access_token", "refresh_token", "id_token")]
    assert [is_active(fake_issuer, ask, token) for token in tokens] == [False] * 3


def test_a_code_is_good_for_five_minutes(fake_issuer: RunningIssuer, code: Call, redeem: Call) -> None:
    early, late = code(), code()
    fake_issuer.clock.advance(299)
    assert redeem("authorization_code", code=early, redirect_uri=CALLBACK).status == 200
    fake_issuer.clock.advance(2)
    assert redeem("authorization_code", code=late, redirect_uri=CALLBACK).json()["error"] == "invalid_grant"


ODD = "\"<b>&amp;'\r\n\\\u2028" + "".join(chr(plane * 0x10000 + 0x1041) for plane in range(17))
"""Quotes, angle brackets, line ends, and a character of each plane of Unicode; no space, so that it may be a scope."""


@pytest.fixture
def odd(fake_issuer: RunningIssuer) -> None:
    """Everything that has a name has an odd one."""
    claims = {ODD: [ODD, {ODD: ODD}]}
    fake_issuer.put("users", "ann", given_name=ODD, family_name="O'Hara", groups=[ODD], claims=claims)
    fake_issuer.put("servers", "default", audience=ODD, scopes=["openid", "profile", "groups", ODD])
    known = {"secret": "s", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code"]}
    fake_issuer.put("clients", "odd", name=ODD, consent_method="REQUIRED", **known)


def test_odd_names_claims_and_scopes_come_out_intact(
    odd: None, fake_issuer: RunningIssuer, ask: Call, browser: Browser, redeem: Call
) -> None:
    scope = f"openid profile groups {ODD}"
    signed_in = browser.sign_in(browser.authorize(client_id="odd", scope=scope, state=ODD), "ann")
    answer = browser.consent(signed_in)
    assert "\r\n" not in answer.headers["Location"]
    sent = redirected(answer)
    assert sent["state"] == ODD
    got = redeem("authorization_code", client="odd:s", code=sent["code"], redirect_uri=CALLBACK).json()
    assert got["scope"] == scope
    id_token, access = claims(got["id_token"]), claims(got["access_token"])
    assert (id_token["name"], id_token["groups"]) == (f"{ODD} O'Hara", [ODD])
    assert (access["aud"], access["scp"], access["groups"]) == (ODD, scope.split(" "), [ODD])
    assert access[ODD] == [ODD, {ODD: ODD}]
    form = {"token": got["access_token"]}
    told = ask(f"{fake_issuer.issuer_url()}/v1/introspect", "POST", form=form, client=API).json()
    assert (told["active"], told["scope"], told[ODD]) == (True, scope, access[ODD])
    bearer = {"Authorization": f"Bearer {got['access_token']}"}
    assert ask(f"{fake_issuer.issuer_url()}/v1/userinfo", headers=bearer).json()["given_name"] == ODD


def test_odd_names_do_no_harm_in_pages(odd: None, browser: Browser) -> None:
    started = browser.authorize(client_id="odd", scope=f"openid {ODD}", login_hint=ODD)
    pages = [browser.get(started.headers["Location"])]
    pages.append(browser.get(browser.sign_in(started, "ann").headers["Location"]))
    for page in pages:
        text = page.body.decode()
        assert "<b>" not in text
        assert "&lt;b&gt;&amp;amp;" in text
        assert chr(0x101041) in text
        assert "script-src 'nonce-" in page.headers["Content-Security-Policy"]


def test_an_approval_is_looked_at_again_when_it_is_redeemed(
    fake_issuer: RunningIssuer, code: Callable[..., str], redeem: Callable[..., Any]
) -> None:
    changes: list[tuple[dict[str, Any], int]] = [
        ({"audience": "api://new"}, 200),
        ({"audience": "api://new", "scopes": ["openid"]}, 400),
        ({"audience": "api://new", "policy": []}, 401),
    ]
    for change, status in changes:
        fake_issuer.put("servers", "default", audience="api://default")
        approved = code(scope="openid api:read")
        fake_issuer.put("servers", "default", **change)
        got = redeem("authorization_code", code=approved, redirect_uri=CALLBACK)
        assert got.status == status, got.body
        if status == 200:
            assert jwt.decode(got.json()["access_token"], options={"verify_signature": False})["aud"] == "api://new"
