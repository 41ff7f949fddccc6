"""The guide's two endpoints over real HTTP, with tokens of the fake issuer, good and bad; nothing is patched."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app

DPOP = 'DPoP realm="api", algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 RS256"'
"""The challenge beside the one for bearer tokens."""

APP = "https://app.example"

Call = Callable[..., Any]


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop) -> ResourceServerApplication:
    return make_app(Settings(issuer=fake_issuer.issuer_url(), cors_origins=(APP,)))


@pytest.fixture
def call(http_client: AsyncHTTPClient, base_url: str) -> Call:
    """Return what sends a request, with a credential where one is given."""

    async def send(path: str, authorization: str | None = None, method: str = "GET", **headers: str) -> HTTPResponse:
        if authorization is not None:
            headers["Authorization"] = authorization
        return await http_client.fetch(
            base_url + path, method=method, headers=headers, raise_error=False, allow_nonstandard_methods=True
        )

    return send


def _active(issuer: RunningIssuer) -> str:
    return next(key.kid for key in issuer.keys() if key.status == "ACTIVE")


NONSENSE = {
    "no credential": None,
    "a word": "nonsense",
    "a scheme alone": "Bearer",
    "a token that is none": "Bearer nonsense",
    "dots": "Bearer ...",
    "an API key": "SSWS 00abc",
    "a password": "Basic YWxpY2U6cGFzc3dvcmQ=",
}


@pytest.mark.parametrize("authorization", NONSENSE.values(), ids=NONSENSE.keys())
@pytest.mark.gen_test
async def test_hello_is_200_with(authorization: str | None, call: Call) -> None:
    response = await call("/api/hello", authorization)
    assert (200, {"message": "Hello world!"}) == (response.code, json.loads(response.body))


@pytest.mark.gen_test
async def test_hello_is_200_with_a_good_token_that_is_not_read(call: Call, fake_issuer: RunningIssuer) -> None:
    assert 200 == (await call("/api/hello", f"Bearer {fake_issuer.token()}")).code
    assert 0 == fake_issuer.requests().count


@pytest.mark.gen_test
async def test_whoami_is_200_with_a_good_token(call: Call, fake_issuer: RunningIssuer) -> None:
    minted = fake_issuer.mint(sub="alice@example.com")
    response = await call("/api/whoami", f"Bearer {minted.token}")
    assert (200, minted.claims) == (response.code, json.loads(response.body))


@pytest.mark.gen_test
async def test_whoami_without_a_token_is_401_with_a_bare_challenge(call: Call) -> None:
    response = await call("/api/whoami")
    assert (401, ['Bearer realm="api"', DPOP]) == (response.code, response.headers.get_list("WWW-Authenticate"))
    assert "missing_token" == json.loads(response.body)["error"]


REFUSED: dict[str, Callable[[RunningIssuer], str]] = {
    "expired": lambda issuer: issuer.token(expires_in=-600),
    "for another audience": lambda issuer: issuer.token(aud="api://other"),
    "of another server": lambda issuer: issuer.token(server="partner"),
    "of the org server": lambda issuer: issuer.token(server="org"),
    "signed by another key under the same key ID": lambda issuer: issuer.token(
        key="unpublished", header={"kid": _active(issuer)}
    ),
    "signed by a key that is not published": lambda issuer: issuer.token(key="unpublished"),
    "not signed": lambda issuer: issuer.token(alg="none"),
    "signed with the public key as a secret": lambda issuer: issuer.token(alg="HS256"),
    "an ID token": lambda issuer: issuer.token(kind="id"),
    "a refresh token": lambda issuer: issuer.token(kind="refresh"),
    "bound to a key": lambda issuer: issuer.token(dpop_jkt="0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
    "from the future": lambda issuer: issuer.token(claims={"iat": int(issuer.clock.now()) + 600}),
    "not valid yet": lambda issuer: issuer.token(claims={"nbf": int(issuer.clock.now()) + 600}),
    "without end": lambda issuer: issuer.token(claims={"exp": None}),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.gen_test
async def test_whoami_is_401_with_a_token(
    make: Callable[[RunningIssuer], str], call: Call, fake_issuer: RunningIssuer
) -> None:
    response = await call("/api/whoami", f"Bearer {make(fake_issuer)}")
    assert (401, "invalid_token") == (response.code, json.loads(response.body)["error"])
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.gen_test
async def test_a_token_is_rejected_once_it_has_expired(call: Call, fake_issuer: RunningIssuer) -> None:
    fake_issuer.clock.advance(-3600 - 60)
    within_leeway = fake_issuer.token(expires_in=3600)
    fake_issuer.clock.advance(-120)
    beyond = fake_issuer.token(expires_in=3600)
    assert 200 == (await call("/api/whoami", f"Bearer {within_leeway}")).code
    assert 401 == (await call("/api/whoami", f"Bearer {beyond}")).code


@pytest.mark.gen_test
async def test_an_unavailable_issuer_is_503_and_never_401(call: Call, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", status=500)
    response = await call("/api/whoami", f"Bearer {fake_issuer.token()}", Origin=APP)
    assert (503, None) == (response.code, response.headers.get("WWW-Authenticate"))
    assert int(response.headers["Retry-After"]) >= 1
    assert APP == response.headers["Access-Control-Allow-Origin"]
    assert 401 == (await call("/api/whoami")).code


@pytest.mark.gen_test
async def test_a_rotation_rejects_no_good_token(call: Call, fake_issuer: RunningIssuer) -> None:
    tokens = [fake_issuer.token()]
    assert 200 == (await call("/api/whoami", f"Bearer {tokens[-1]}")).code
    for _ in range(2):  # the second brings a key that was not published when we last asked
        fake_issuer.rotate()
        tokens.append(fake_issuer.token())
        for token in tokens[-2:]:
            assert 200 == (await call("/api/whoami", f"Bearer {token}")).code


@pytest.mark.gen_test
async def test_a_page_of_a_listed_origin_can_send_requests_and_read_rejections(call: Call) -> None:
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    preflight = await call("/api/whoami", None, "OPTIONS", Origin=APP, **asks)
    assert (204, APP, "authorization") == (
        preflight.code,
        preflight.headers["Access-Control-Allow-Origin"],
        preflight.headers["Access-Control-Allow-Headers"],
    )
    error_reply = await call("/api/whoami", Origin=APP)
    assert (401, APP) == (error_reply.code, error_reply.headers["Access-Control-Allow-Origin"])
    assert "WWW-Authenticate" in error_reply.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in (await call("/api/whoami", Origin="https://evil.example")).headers


@pytest.mark.gen_test
async def test_no_token_reaches_the_log(
    call: Call, fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="service")
    tokens = [fake_issuer.token(), *(make(fake_issuer) for make in REFUSED.values())]
    for token in tokens:
        await call(f"/api/whoami?access_token={token}", f"Bearer {token}")
        await call("/api/whoami", f"Bearer {token}, {token}")
    parts = {part for token in tokens for part in token.split(".") if len(part) > 20}
    assert len(caplog.records) >= 2 * len(tokens)
    assert not [part for part in parts if part in caplog.text]
