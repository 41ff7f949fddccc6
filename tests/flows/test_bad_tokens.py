"""Each token of the fake issuer's catalogue, sent to the service, gets exactly the answer that the catalogue states."""

from __future__ import annotations

import asyncio
import json

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop) -> ResourceServerApplication:
    return make_app(Settings(issuer=fake_issuer.issuer_url()))


async def _get(url: str, token: str) -> tuple[int, dict[str, str]]:
    """Return status and headers of a request whose header is sent byte for byte, as no client library would."""
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    path = "/" + url.removeprefix("http://").partition("/")[2]
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer "
    writer.write(head.encode() + token.encode("utf-8") + b"\r\n\r\n")
    await writer.drain()
    answer = await reader.read()
    writer.close()
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    fields = (line.partition(": ") for line in reversed(lines[1:]))  # the first challenge is that of the tried scheme
    return int(lines[0].split()[1]), {name.lower(): value for name, _, value in fields}


@pytest.mark.gen_test(timeout=60)
async def test_every_bad_token_gets_the_response_in_the_catalogue(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str, fake_issuer: RunningIssuer
) -> None:
    catalogue = fake_issuer.bad_tokens()
    assert len(catalogue) > 180
    expected, got = {}, {}
    for bad in catalogue:
        status, headers = await _get(f"{base_url}/api/whoami", bad.token)
        error = headers.get("www-authenticate", "").partition('error="')[2].partition('"')[0]
        expected[bad.name] = (bad.status, bad.error)
        got[bad.name] = (status, error)
    assert expected == got
    await app.close()


@pytest.mark.gen_test(timeout=60)
async def test_every_good_token_is_accepted(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str, fake_issuer: RunningIssuer
) -> None:
    got = {good.name: (await _get(f"{base_url}/api/whoami", good.token))[0] for good in fake_issuer.good_tokens()}
    assert dict.fromkeys(got, 200) == got
    await app.close()


@pytest.mark.gen_test(timeout=60)
async def test_a_bad_token_does_not_affect_a_public_route(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str, fake_issuer: RunningIssuer
) -> None:
    got = {bad.name: (await _get(f"{base_url}/api/hello", bad.token))[0] for bad in fake_issuer.bad_tokens()}
    assert dict.fromkeys(got, 200) == got
    assert 0 == fake_issuer.requests("keys").count
    await app.close()


@pytest.mark.gen_test(timeout=60)
async def test_a_good_token_is_accepted_among_bad_ones(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str, fake_issuer: RunningIssuer
) -> None:
    good = fake_issuer.token()
    for bad in fake_issuer.bad_tokens():
        await _get(f"{base_url}/api/whoami", bad.token)
        response = await http_client.fetch(f"{base_url}/api/whoami", headers={"Authorization": f"Bearer {good}"})
        assert fake_issuer.issuer_url() == json.loads(response.body)["iss"]
    await app.close()
