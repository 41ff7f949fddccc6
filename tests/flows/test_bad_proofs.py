"""Each proof of the fake issuer's catalogue, sent to the service, is rejected for the reason that belongs to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import pytest

from fakeissuer import DPoPClient, RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.errors import Reason
from service.web.endpoints.okta_guide import WhoAmI

REASONS: dict[str, Reason] = {}


class Recording(WhoAmI):
    """Records the reason of each rejection."""

    reasons: list[str | None]

    def initialize(self, *, reasons: list[str | None]) -> None:  # type: ignore[override]
        self.reasons = reasons

    def on_finish(self) -> None:
        self.reasons.append(self.rejection_reason)
        super().on_finish()


@pytest.fixture
def reasons() -> list[str | None]:
    return []


@pytest.fixture
def url(
    fake_issuer: RunningIssuer, listen: Callable[[ResourceServerApplication], str], reasons: list[str | None]
) -> str:
    settings = Settings(issuer=fake_issuer.issuer_url(), dpop_nonce=True)
    return listen(make_app(settings, routes=[(r"/whoami", Recording, {"reasons": reasons})])) + "/whoami"


async def _get(url: str, fields: Iterable[tuple[str, str]]) -> tuple[int, str, str]:
    """Return status, error code and nonce of the response to a request whose header is sent byte for byte."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    lines = [*head, *(f"{name}: {value}" for name, value in fields), "", ""]
    writer.write("\r\n".join(lines).encode())
    await writer.drain()
    response = (await reader.read()).decode()
    writer.close()
    error = re.search(r'error="(\w+)"', response)
    nonce = re.search(r"(?mi)^dpop-nonce: (\S+)", response)
    return int(response.split()[1]), error[1] if error else "", nonce[1] if nonce else ""


async def _nonce(url: str, issuer: RunningIssuer, client: DPoPClient) -> str:
    token = issuer.token(dpop_jkt=client.thumbprint)
    status, error, nonce = await _get(url, client.headers("GET", url, token).items())
    assert (401, "use_dpop_nonce") == (status, error)
    client.remember_nonce(url, nonce)
    assert (200, "", "") == await _get(url, client.headers("GET", url, token).items())
    return nonce


@pytest.mark.gen_test(timeout=60)
async def test_each_bad_proof_is_rejected_for_its_own_reason(
    url: str, fake_issuer: RunningIssuer, dpop_client: DPoPClient, reasons: list[str | None]
) -> None:
    nonce = await _nonce(url, fake_issuer, dpop_client)
    expected, got, found = {}, {}, {}
    for bad in fake_issuer.bad_proofs("GET", url, nonce=nonce):
        for _ in range(bad.times - 1):
            assert (200, "", "") == await _get(url, bad.fields)
        reasons.clear()
        expected[bad.name] = (bad.status, bad.error)
        got[bad.name] = (await _get(url, bad.fields))[:2]
        found[bad.name] = reasons[0]
    assert expected == got
    assert REASONS == found
