"""An issuer over TLS: believed with its CA, and never asked in the clear when that is not to be had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

import fakeissuer
from service import ResourceServerApplication, Settings, make_app


@pytest.fixture
def http_client(io_loop: IOLoop) -> AsyncHTTPClient:
    return AsyncHTTPClient()


@pytest.mark.gen_test
async def test_row_24_an_unknown_ca_is_503_and_a_configured_ca_is_200(
    tmp_path: Path, http_client: AsyncHTTPClient, listen: Callable[[ResourceServerApplication], str]
) -> None:
    async def whoami(settings: Settings) -> int:
        url = f"{listen(make_app(settings))}/api/whoami"
        return (await http_client.fetch(url, headers={"Authorization": f"Bearer {token}"}, raise_error=False)).code

    ca_file = tmp_path / "ca.pem"
    with fakeissuer.running(tls=True, ca_file=ca_file) as issuer:
        assert issuer.issuer_url().startswith("https://")
        token = issuer.token()
        trusting = Settings(issuer=issuer.issuer_url(), ca_file=str(ca_file))
        assert 200 == await whoami(trusting)
        fetches = issuer.requests().count
        assert 503 == await whoami(Settings(issuer=issuer.issuer_url()))
        assert fetches == issuer.requests().count
