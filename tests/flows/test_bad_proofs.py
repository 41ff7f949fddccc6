"""Each proof of the fake issuer's catalogue, sent to the service, is rejected for the reason that belongs to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import pytest
from recording_instrumentation import RecordingInstrumentation

from fakeissuer import DPoPClient, RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.errors import Reason

REASONS = {
    "alg-of-another-curve": Reason.PROOF_KEY,
    "alg-of-another-kind-of-key": Reason.PROOF_KEY,
    "iat-in-the-future": Reason.PROOF_IN_FUTURE,
    "iat-long-ago": Reason.PROOF_TOO_OLD,
    "jwk-of-another-client": Reason.PROOF_KEY_MISMATCH,
    "payload-changed-after-signing": Reason.PROOF_SIGNATURE,
    "proof-missing": Reason.MISSING_PROOF,
    "proof-twice": Reason.SEVERAL_PROOFS,
    "replayed": Reason.PROOF_REPLAYED,
    "signature-padded": Reason.MALFORMED_PROOF,
    "token-bound-to-a-certificate-too": Reason.SENDER_CONSTRAINED,
    "token-unbound": Reason.NOT_BOUND,
}
REASONS_BY_PREFIX = {
    "alg": Reason.PROOF_ALGORITHM,
    "ath": Reason.PROOF_TOKEN,
    "htm": Reason.PROOF_METHOD,
    "htu": Reason.PROOF_URL,
    "jwk": Reason.PROOF_KEY,
    "nonce": Reason.PROOF_NONCE,
    "scheme": Reason.SENDER_CONSTRAINED,
    "signature": Reason.PROOF_SIGNATURE,
    "typ": Reason.PROOF_TYPE,
    **dict.fromkeys(
        ("b64", "crit", "four", "header", "iat", "json", "jti", "oversize", "payload", "proof", "proofs", "quoted"),
        Reason.MALFORMED_PROOF,
    ),
    **dict.fromkeys(("two", "zip"), Reason.MALFORMED_PROOF),
}


def _expected_reason(name: str) -> Reason:
    return REASONS.get(name) or REASONS_BY_PREFIX[name.partition("-")[0]]


@pytest.fixture
def rejections() -> RecordingInstrumentation:
    return RecordingInstrumentation()


@pytest.fixture
def url(
    fake_issuer: RunningIssuer,
    listen: Callable[[ResourceServerApplication], str],
    rejections: RecordingInstrumentation,
) -> str:
    settings = Settings(issuer=fake_issuer.issuer_url(), dpop_nonce=True)
    return listen(make_app(settings, instrumentation=rejections)) + "/api/whoami"


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
    url: str, fake_issuer: RunningIssuer, dpop_client: DPoPClient, rejections: RecordingInstrumentation
) -> None:
    nonce = await _nonce(url, fake_issuer, dpop_client)
    expected, got, found = {}, {}, {}
    for bad in fake_issuer.bad_proofs("GET", url, nonce=nonce):
        for _ in range(bad.times - 1):
            assert (200, "", "") == await _get(url, bad.fields)
        expected[bad.name] = (bad.status, bad.error)
        got[bad.name] = (await _get(url, bad.fields))[:2]
        found[bad.name] = rejections.responses[-1][2]
    assert expected == got
    assert {name: str(_expected_reason(name)) for name in expected} == found
