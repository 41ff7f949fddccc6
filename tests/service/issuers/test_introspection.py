from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jwk import JWK

from fakeissuer import RunningIssuer
from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.issuers.breaker import CredentialsRejected
from service.issuers.introspection import IntrospectionEndpoint

LONG_SECRET = "a-secret-of-thirty-two-characters-or-more"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
@pytest.mark.gen_test
async def test_a_secret_authenticates_the_request(
    method: str, connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    fake_issuer.put("clients", "ours", name="ours", secret=LONG_SECRET, auth_methods=[method])
    endpoint = connect(client_id="ours", client_secret=LONG_SECRET, introspection_auth_method=method)
    assert (await endpoint.introspect(fake_issuer.token()))["active"] is True
    # An assertion is accepted only once, so the second request needs a new one.
    assert (await endpoint.introspect(fake_issuer.token()))["active"] is True


@pytest.mark.parametrize("kind", [{"kty": "RSA", "size": 2048}, {"kty": "EC", "crv": "P-256"}])
@pytest.mark.gen_test
async def test_a_private_key_authenticates_the_request(
    kind: dict[str, Any], connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer, tmp_path: Path
) -> None:
    key = JWK.generate(kid="ours", **kind)
    (tmp_path / "key.json").write_text(key.export())
    public = key.export_public(as_dict=True)
    fake_issuer.put("clients", "ours", name="ours", auth_methods=["private_key_jwt"], jwks={"keys": [public]})
    endpoint = connect(client_id="ours", client_secret=None, private_key_file=str(tmp_path / "key.json"))
    assert (await endpoint.introspect(fake_issuer.token()))["active"] is True


@pytest.mark.gen_test
async def test_the_error_lists_the_methods_if_the_server_supports_none_of_ours(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    document = {
        "issuer": fake_issuer.issuer_url(),
        "introspection_endpoint": f"{fake_issuer.issuer_url()}/v1/introspect",
        "introspection_endpoint_auth_methods_supported": ["private_key_jwt"],
    }
    fake_issuer.fail("discovery", status=200, body=document)
    endpoint = connect()
    with pytest.raises(CredentialsRejected, match="it supports private_key_jwt"):
        await endpoint.introspect("opaque")
    with pytest.raises(CredentialsRejected):
        await endpoint.check_ready()


@pytest.mark.gen_test
async def test_metadata_without_an_introspection_endpoint_raises_issuer_unavailable(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    url = fake_issuer.url
    fake_issuer.fail("discovery", status=200, body={"issuer": url})
    with pytest.raises(IssuerUnavailable, match="no introspection_endpoint"):
        await connect(issuer=url, audience="api").introspect("opaque")


@pytest.mark.gen_test
async def test_a_token_that_the_issuer_rejects_with_400_does_not_pause_other_requests(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer, issuer_clock: ManualClock
) -> None:
    endpoint = connect()
    for number in range(5):
        await endpoint.introspect(f"opaque-{number}")
        fake_issuer.fail("introspect", status=400, body={"error": "invalid_request"}, times=1)
        with pytest.raises(IssuerUnavailable, match="expected 200, got 400"):
            await endpoint.introspect("malformed")
        issuer_clock.advance(3)
    assert 10 == fake_issuer.requests("introspect").count
    assert (await endpoint.introspect(fake_issuer.token()))["active"] is True


@pytest.mark.gen_test
async def test_rejected_credentials_pause_requests_until_the_next_attempt(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer, issuer_clock: ManualClock
) -> None:
    endpoint = connect()
    fake_issuer.fail("introspect", status=401, body={"error": "invalid_client"}, times=2)
    with pytest.raises(CredentialsRejected):
        await endpoint.introspect("opaque")
    with pytest.raises(IssuerUnavailable) as exc_info:
        await endpoint.introspect("opaque")
    assert 9 < exc_info.value.retry_after <= 10
    issuer_clock.advance(10)
    assert {"active": False} == await endpoint.introspect("opaque")
    await endpoint.check_ready()
