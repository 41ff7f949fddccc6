from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from scripted_browser import CALLBACK, CHALLENGE, SPA, VERIFIER, WEB, Browser, redirected

from fakeissuer.handle import Handle
from fakeissuer.tokens import half_hash

Call = Callable[..., Any]
API = "0oaapi00000000000001:api-secret"


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def is_active(fake_issuer: Handle, ask: Call, token: str) -> bool:
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
    assert id_token["at_hash"] == half_hash(answer.json()["access_token"])
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


def test_a_code_that_comes_twice_kills_what_it_gave(fake_issuer: Handle, ask: Call, code: Call, redeem: Call) -> None:
    sent = code(scope="openid offline_access")
    got = redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()
    assert is_active(fake_issuer, ask, got["access_token"])
    assert redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()["error"] == "invalid_grant"
    tokens = [got[name] for name in ("access_token", "refresh_token", "id_token")]
    assert [is_active(fake_issuer, ask, token) for token in tokens] == [False] * 3


def test_a_code_is_good_for_five_minutes(fake_issuer: Handle, code: Call, redeem: Call) -> None:
    early, late = code(), code()
    fake_issuer.clock.advance(299)
    assert redeem("authorization_code", code=early, redirect_uri=CALLBACK).status == 200
    fake_issuer.clock.advance(2)
    assert redeem("authorization_code", code=late, redirect_uri=CALLBACK).json()["error"] == "invalid_grant"


def test_names_of_every_plane_come_out_intact(fake_issuer: Handle, browser: Browser, redeem: Call) -> None:
    name = '"Ann" <b>&amp;\r\n\u00e9\u4e2d\U0001f600\U000e0041\''
    fake_issuer.put("users", "ann", given_name=name, family_name="O'Hara")
    answer = browser.sign_in(browser.authorize(scope="openid profile", state=name), "ann")
    assert "\r\n" not in answer.headers["Location"]
    sent = redirected(answer)
    assert sent["state"] == name
    got = redeem("authorization_code", code=sent["code"], redirect_uri=CALLBACK).json()
    assert claims(got["id_token"])["name"] == f"{name} O'Hara"
    page = browser.get(browser.authorize(prompt="login").headers["Location"]).body.decode()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
