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
    response = ask(f"{fake_issuer.issuer_url()}/v1/introspect", "POST", form={"token": token}, client=API)
    return bool(response.json()["active"])


def test_a_code_is_exchanged_for_tokens_in_okta_order(code: Call, redeem: Call) -> None:
    scope = "openid profile email offline_access api:read groups"
    response = redeem("authorization_code", code=code(scope=scope), redirect_uri=CALLBACK)
    assert response.status == 200
    names = ["token_type", "expires_in", "access_token", "scope", "refresh_token", "id_token"]
    assert list(response.json()) == names
    access, id_token = claims(response.json()["access_token"]), claims(response.json()["id_token"])
    assert " ".join(id_token) == (
        "sub name email ver iss aud iat exp jti amr idp nonce preferred_username auth_time at_hash"
    )
    assert access["sub"] == "alice@example.com"
    assert id_token["sub"] == access["uid"] != access["sub"]
    assert id_token["at_hash"] == left_half_hash(response.json()["access_token"])
    assert (id_token["nonce"], id_token["aud"], id_token["amr"]) == ("n-1", WEB, ["pwd"])
    assert ".oar" in access["jti"]


def test_without_offline_access_there_is_no_refresh_token(code: Call, redeem: Call) -> None:
    response = redeem("authorization_code", code=code(scope="api:read"), redirect_uri=CALLBACK)
    assert list(response.json()) == ["token_type", "expires_in", "access_token", "scope"]


def test_a_public_client_sends_the_code_verifier(code: Call, redeem: Call) -> None:
    sent = code(client_id=SPA, code_challenge=CHALLENGE, code_challenge_method="S256")
    form = {"client_id": SPA, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert redeem("authorization_code", client=None, code=sent, **form).status == 200


@pytest.mark.parametrize(
    ("parameters", "form", "status", "error"),
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
def test_a_failed_attempt_uses_up_the_code(
    code: Call, redeem: Call, parameters: dict[str, str], form: dict[str, Any], status: int, error: str
) -> None:
    sent = code(**parameters)
    response = redeem("authorization_code", **{"code": sent, "redirect_uri": CALLBACK, **form})
    assert (response.status, response.json()["error"]) == (status, error)
    if "code" not in form:
        right = {"code": sent, "redirect_uri": CALLBACK}
        if "code_challenge" in parameters:
            right["code_verifier"] = VERIFIER
        client = {"client": None, "client_id": SPA} if "client_id" in parameters else {}
        assert redeem("authorization_code", **right, **client).json()["error"] == "invalid_grant"


def test_a_second_use_of_a_code_revokes_its_tokens(
    fake_issuer: RunningIssuer, ask: Call, code: Call, redeem: Call
) -> None:
    sent = code(scope="openid offline_access")
    response = redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()
    assert is_active(fake_issuer, ask, response["access_token"])
    assert redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()["error"] == "invalid_grant"
    tokens = [response[name] for name in ("access_token", "refresh_token", "id_token")]
    assert [is_active(fake_issuer, ask, token) for token in tokens] == [False] * 3


def test_a_code_is_valid_for_five_minutes(fake_issuer: RunningIssuer, code: Call, redeem: Call) -> None:
    early, late = code(), code()
    fake_issuer.clock.advance(299)
    assert redeem("authorization_code", code=early, redirect_uri=CALLBACK).status == 200
    fake_issuer.clock.advance(2)
    assert redeem("authorization_code", code=late, redirect_uri=CALLBACK).json()["error"] == "invalid_grant"


SPECIAL = "\"<b>&amp;'\r\n\\\u2028" + "".join(chr(plane * 0x10000 + 0x1041) for plane in range(17))
"""Quotes, angle brackets, line ends and a character of each plane of Unicode; no space, which separates scopes."""


@pytest.fixture
def special_names(fake_issuer: RunningIssuer) -> None:
    """A user, a server and a client whose names contain special characters."""
    claims = {SPECIAL: [SPECIAL, {SPECIAL: SPECIAL}]}
    fake_issuer.put("users", "ann", given_name=SPECIAL, family_name="O'Hara", groups=[SPECIAL], claims=claims)
    fake_issuer.put("servers", "default", audience=SPECIAL, scopes=["openid", "profile", "groups", SPECIAL])
    known = {"secret": "s", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code"]}
    fake_issuer.put("clients", "special", name=SPECIAL, consent_method="REQUIRED", **known)


def test_special_characters_survive_in_names_claims_and_scopes(
    special_names: None, fake_issuer: RunningIssuer, ask: Call, browser: Browser, redeem: Call
) -> None:
    scope = f"openid profile groups {SPECIAL}"
    signed_in = browser.sign_in(browser.authorize(client_id="special", scope=scope, state=SPECIAL), "ann")
    response = browser.consent(signed_in)
    assert "\r\n" not in response.headers["Location"]
    sent = redirected(response)
    assert sent["state"] == SPECIAL
    response = redeem("authorization_code", client="special:s", code=sent["code"], redirect_uri=CALLBACK).json()
    assert response["scope"] == scope
    id_token, access = claims(response["id_token"]), claims(response["access_token"])
    assert id_token["name"] == f"{SPECIAL} O'Hara"
    assert (access["aud"], access["scp"], access["groups"]) == (SPECIAL, scope.split(" "), [SPECIAL])
    assert access[SPECIAL] == [SPECIAL, {SPECIAL: SPECIAL}]
    form = {"token": response["access_token"]}
    introspected = ask(f"{fake_issuer.issuer_url()}/v1/introspect", "POST", form=form, client=API).json()
    assert (introspected["active"], introspected["scope"], introspected[SPECIAL]) == (True, scope, access[SPECIAL])
    bearer = {"Authorization": f"Bearer {response['access_token']}"}
    userinfo = ask(f"{fake_issuer.issuer_url()}/v1/userinfo", headers=bearer).json()
    assert (userinfo["given_name"], userinfo["groups"]) == (SPECIAL, [SPECIAL])


def test_special_characters_in_names_are_escaped_in_pages(special_names: None, browser: Browser) -> None:
    started = browser.authorize(client_id="special", scope=f"openid {SPECIAL}", login_hint=SPECIAL)
    pages = [browser.get(started.headers["Location"])]
    pages.append(browser.get(browser.sign_in(started, "ann").headers["Location"]))
    for page in pages:
        text = page.body.decode()
        assert "<b>" not in text
        assert "&lt;b&gt;&amp;amp;" in text
        assert chr(0x101041) in text
        assert "script-src 'nonce-" in page.headers["Content-Security-Policy"]


def test_scopes_and_policy_are_checked_again_when_a_code_is_exchanged(
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
        response = redeem("authorization_code", code=approved, redirect_uri=CALLBACK)
        assert response.status == status, response.body
        if status == 200:
            assert (
                jwt.decode(response.json()["access_token"], options={"verify_signature": False})["aud"] == "api://new"
            )
