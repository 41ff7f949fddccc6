from __future__ import annotations

import json
import logging

import pytest
from pydantic import SecretStr
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service.app import make_app
from service.settings.program import Settings
from service.web.application.application import ResourceServerApplication

ISSUER = "https://sso.invalid/oauth2/default"


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: object) -> ResourceServerApplication:
    return make_app(Settings(issuer=fake_issuer.issuer_url()))


@pytest.mark.gen_test
async def test_the_service_is_alive_and_ready(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str
) -> None:
    assert 200 == (await http_client.fetch(f"{base_url}/healthz")).code
    assert 200 == (await http_client.fetch(f"{base_url}/readyz")).code
    await app.close()


@pytest.mark.gen_test
async def test_the_service_is_alive_but_not_ready_while_the_issuer_is_down(
    app: ResourceServerApplication,
    http_client: AsyncHTTPClient,
    base_url: str,
    fake_issuer: RunningIssuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake_issuer.fail("discovery", status=500)
    assert 200 == (await http_client.fetch(f"{base_url}/healthz")).code
    with caplog.at_level(logging.INFO, "service.web.endpoints.health"):
        response = await http_client.fetch(f"{base_url}/readyz", raise_error=False)
    assert (503, "no-store") == (response.code, response.headers["Cache-Control"])
    assert {"status": "not ready"} == json.loads(response.body)
    (reason,) = [vars(record)["reason"] for record in caplog.records if record.getMessage() == "not ready"]
    assert "expected 200, got 500" in reason
    await app.close()


@pytest.mark.parametrize("path", ["/readyz", "/api/whoami", "/auth", "/auth/orders", "/healthz", "/nowhere"])
@pytest.mark.gen_test
async def test_no_response_names_an_internal_host(
    path: str, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(
        issuer=ISSUER,
        audience=("api://default",),
        http_proxy=SecretStr("http://u:secret@proxy.invalid"),
        forward_auth=True,
    )
    token = fake_issuer.token(claims={"iss": ISSUER})
    service = make_app(settings)
    server = service.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}{path}"
    with caplog.at_level(logging.INFO):
        response = await http_client.fetch(url, headers={"Authorization": f"Bearer {token}"}, raise_error=False)
    assert (503 == response.code) == (path in {"/readyz", "/api/whoami", "/auth", "/auth/orders"})
    shown = f"{response.headers}{response.body.decode()}"
    assert not any(word in shown for word in ("proxy.invalid", "secret", "resolve", "curl", "127.0.0.1", "Tornado"))
    assert "secret" not in caplog.text
    server.stop()
    await service.close()
