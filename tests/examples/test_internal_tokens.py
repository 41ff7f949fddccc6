from __future__ import annotations

import json

import pytest
from internal_tokens import build, sign
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, SettingsError, make_app
from service.clock import ManualClock
from service.settings.issuers import IssuerSettings

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> ResourceServerApplication:
    """An application that accepts Okta's tokens and internal tokens."""
    monkeypatch.setenv("INTERNAL_TOKEN_SECRET", SECRET.decode())
    internal = IssuerSettings(
        issuer="https://internal.example", audience=("api://default",), validation="internal_tokens:build"
    )
    settings = Settings(issuer=fake_issuer.issuer_url(), issuers=(internal,))
    return make_app(settings, clock=ManualClock(fake_issuer.clock.now()))


@pytest.mark.gen_test
async def test_each_issuer_has_its_own_validator(
    app: ResourceServerApplication, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    now = int(fake_issuer.clock.now())
    valid = sign("billing", expiry=now + 60, secret=SECRET)
    for token, status in [
        (fake_issuer.token(), 200),
        (valid, 200),
        (valid.replace("billing", "payroll"), 401),
        (sign("billing", expiry=now - 600, secret=SECRET), 401),
        (sign("billing", expiry=now + 60, secret=b"f" * 32), 401),
        ("internal.billing", 401),
    ]:
        headers = {"Authorization": f"Bearer {token}"}
        response = await http_client.fetch(f"{base_url}/api/whoami", headers=headers, raise_error=False)
        assert status == response.code, token.partition(".")[0]
        if token == valid:
            assert "billing" == json.loads(response.body)["client_id"]
    await app.close()


def test_a_short_secret_is_rejected_at_startup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERNAL_TOKEN_SECRET", "short")
    with pytest.raises(SettingsError, match="INTERNAL_TOKEN_SECRET"):
        make_app(Settings(issuer="https://internal.example", audience=("api://x",), validation="internal_tokens:build"))
    assert callable(build)
