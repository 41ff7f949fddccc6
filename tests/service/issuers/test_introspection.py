from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jwk import JWK

from fakeissuer import RunningIssuer
from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.issuers.introspection import CredentialsRejected, IntrospectionEndpoint

LONG = "a-secret-of-thirty-two-characters-or-more"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
@pytest.mark.gen_test
async def test_proves_who_we_are_with_a_secret(
    method: str, connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    fake_issuer.put("clients", "ours", name="ours", secret=LONG, auth_methods=[method])
    endpoint = connect(client_id="ours", client_secret=LONG, introspection_auth_method=method)
    assert (await endpoint.introspect(fake_issuer.token()))["active"] is True
    assert (await endpoint.introspect(fake_issuer.token()))[
        "active"
    ] is True  # with an assertion that was not used before


@pytest.mark.parametrize("kind", [{"kty": "RSA", "size": 2048}, {"kty": "EC", "crv": "P-256"}])
@pytest.mark.gen_test
async def test_proves_who_we_are_with_a_key(
    kind: dict[str, Any], connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer, tmp_path: Path
) -> None:
    key = JWK.generate(kid="ours", **kind)
    (tmp_path / "key.json").write_text(key.export())
    public = key.export_public(as_dict=True)
    fake_issuer.put("clients", "ours", name="ours", auth_methods=["private_key_jwt"], jwks={"keys": [public]})
    endpoint = connect(client_id="ours", client_secret=None, private_key_file=str(tmp_path / "key.json"))
    assert (await endpoint.introspect(fake_issuer.token()))["active"] is True


@pytest.mark.gen_test
async def test_names_the_methods_when_the_server_offers_none_of_ours(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    document = {
        "issuer": fake_issuer.issuer_url(),
        "introspection_endpoint": f"{fake_issuer.issuer_url()}/v1/introspect",
        "introspection_endpoint_auth_methods_supported": ["private_key_jwt"],
    }
    fake_issuer.fail("discovery", status=200, body=document)
    endpoint = connect()
    with pytest.raises(CredentialsRejected, match="it offers private_key_jwt"):
        await endpoint.introspect("opaque")
    with pytest.raises(CredentialsRejected):
        await endpoint.check_ready()


@pytest.mark.gen_test
async def test_an_issuer_that_names_no_endpoint_cannot_be_asked(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    partly = fake_issuer.url
    fake_issuer.fail("discovery", status=200, body={"issuer": partly})
    with pytest.raises(IssuerUnavailable, match="no introspection_endpoint"):
        await connect(issuer=partly, audience="api").introspect("opaque")


@pytest.mark.gen_test
async def test_one_token_that_the_issuer_dislikes_silences_nobody(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    endpoint = connect()
    fake_issuer.fail("introspect", status=400, body={"error": "invalid_request"}, times=5)
    for _ in range(5):
        with pytest.raises(IssuerUnavailable, match="expected 200, got 400"):
            await endpoint.introspect("odd")
    assert (await endpoint.introspect(fake_issuer.token()))["active"] is True


@pytest.mark.gen_test
async def test_after_our_credentials_were_refused_it_waits_and_then_tries_again(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer, issuer_clock: ManualClock
) -> None:
    endpoint = connect()
    fake_issuer.fail("introspect", status=401, body={"error": "invalid_client"}, times=1)
    with pytest.raises(CredentialsRejected):
        await endpoint.introspect("opaque")
    with pytest.raises(IssuerUnavailable) as waiting:
        await endpoint.introspect("opaque")
    assert 9 < waiting.value.retry_after <= 10
    issuer_clock.advance(10)
    assert {"active": False} == await endpoint.introspect("opaque")
    await endpoint.check_ready()
