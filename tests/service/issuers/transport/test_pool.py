from __future__ import annotations

import asyncio
import base64

import pytest

from fakeissuer import RunningIssuer
from service.errors import IssuerUnavailable
from service.issuers.client import MAX_CONNECTIONS, JSONClient


@pytest.fixture
def url(fake_issuer: RunningIssuer) -> str:
    return f"{fake_issuer.issuer_url()}/v1/keys"


@pytest.mark.gen_test
async def test_a_connection_is_reused(client: JSONClient, url: str, fake_issuer: RunningIssuer) -> None:
    for _ in range(50):
        await client.get(url)
    assert (50, 1) == (fake_issuer.requests("keys").count, fake_issuer.requests("keys").connections)


@pytest.mark.gen_test
async def test_the_connections_of_a_burst_stay_open_while_traffic_is_low(
    client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/introspect"
    fake_issuer.fail("introspect", delay=0.1)
    for requests in (MAX_CONNECTIONS, *[1] * 15, MAX_CONNECTIONS):
        await asyncio.gather(*(client.post(url, {"token": "t"}, headers={}) for _ in range(requests)))
    assert MAX_CONNECTIONS == fake_issuer.requests("introspect").connections


@pytest.mark.gen_test
async def test_requests_go_through_the_proxy() -> None:
    received = b""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        received = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + b'{"keys": []}')
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(respond, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    client = JSONClient(proxy=f"http://alice:sec%2Fret@127.0.0.1:{port}")
    assert {"keys": []} == (await client.get("http://issuer.example/keys")).document
    client.close()
    proxy.close()
    assert received.startswith(b"GET http://issuer.example/keys HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"alice:sec/ret") in received


@pytest.mark.gen_test
async def test_closing_during_a_request_logs_no_error(
    fake_issuer: RunningIssuer, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = JSONClient()
    fake_issuer.fail("keys", delay=5.0)
    request = asyncio.ensure_future(client.get(url))
    while not fake_issuer.requests("keys").count:  # noqa: ASYNC110  # the fake issuer has no event to wait for
        await asyncio.sleep(0.01)
    client.close()
    for _ in range(10):
        await asyncio.sleep(0)
    request.cancel()
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_an_unused_client_can_be_closed() -> None:
    JSONClient().close()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", None])
@pytest.mark.gen_test
async def test_a_request_to_a_loopback_address_never_goes_to_a_proxy(
    proxy: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without TLS, the proxy would see the token and the client secret."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    client = JSONClient(proxy=proxy)
    assert (await client.get(url)).document["keys"]
    with pytest.raises(IssuerUnavailable, match="proxy"):
        await client.get("http://issuer.example/keys")
    assert (await client.get(url)).document["keys"]
    client.close()
