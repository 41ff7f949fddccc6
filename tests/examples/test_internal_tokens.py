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
    """Two kinds of tokens side by side: Okta's, and those of our own machines."""
    monkeypatch.setenv("INTERNAL_TOKEN_SECRET", SECRET.decode())
    ours = IssuerSettings(
        issuer="https://machines.example", audience=("api://default",), validation="internal_tokens:build"
    )
    settings = Settings(issuer=fake_issuer.issuer_url(), issuers=(ours,))
    return make_app(settings, clock=ManualClock(fake_issuer.clock.now()))


@pytest.mark.gen_test
async def test_both_kinds_of_tokens_are_judged_each_by_its_own_validator(
    app: ResourceServerApplication, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    now = int(fake_issuer.clock.now())
    good = sign("billing", expiry=now + 60, secret=SECRET)
    for token, status in [
        (fake_issuer.token(), 200),
        (good, 200),
        (good.replace("billing", "payroll"), 401),
        (sign("billing", expiry=now - 600, secret=SECRET), 401),
        (sign("billing", expiry=now + 60, secret=b"f" * 32), 401),
        ("internal.billing", 401),
    ]:
        headers = {"Authorization": f"Bearer {token}"}
        response = await http_client.fetch(f"{base_url}/api/whoami", headers=headers, raise_error=False)
        assert status == response.code, token.partition(".")[0]
        if token == good:
            assert "billing" == json.loads(response.body)["client_id"]
    await app.close()


def test_a_short_secret_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERNAL_TOKEN_SECRET", "short")
    with pytest.raises(SettingsError, match="INTERNAL_TOKEN_SECRET"):
        make_app(Settings(issuer="https://machines.example", audience=("api://x",), validation="internal_tokens:build"))
    assert callable(build)
