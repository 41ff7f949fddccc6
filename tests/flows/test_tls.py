"""An issuer over TLS: believed with its CA, and never asked in the clear when that is not to be had."""

from __future__ import annotations

from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

import fakeissuer
from service import Settings, make_app


async def _whoami(http_client: AsyncHTTPClient, settings: Settings, token: str) -> int:
    app = make_app(settings)
    server = app.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/api/whoami"
    response = await http_client.fetch(url, headers={"Authorization": f"Bearer {token}"}, raise_error=False)
    server.stop()
    await app.close()
    return response.code


@pytest.fixture
def http_client(io_loop: IOLoop) -> AsyncHTTPClient:
    return AsyncHTTPClient()


@pytest.mark.gen_test
async def test_row_24_an_unknown_ca_is_503_and_its_certificate_is_200(
    tmp_path: Path, http_client: AsyncHTTPClient
) -> None:
    ca_file = tmp_path / "ca.pem"
    with fakeissuer.running(tls=True, ca_file=ca_file) as issuer:
        assert issuer.issuer_url().startswith("https://")
        token = issuer.token()
        trusting = Settings(issuer=issuer.issuer_url(), ca_file=str(ca_file))
        assert 200 == await _whoami(http_client, trusting, token)
        fetches = issuer.requests().count
        assert 503 == await _whoami(http_client, Settings(issuer=issuer.issuer_url()), token)
        assert fetches == issuer.requests().count
