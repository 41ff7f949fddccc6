from __future__ import annotations

from pathlib import Path

from fakeissuer import DPoPClient, running

SERVICE = {"client_id": "0oaservice0000000001", "client_secret": "service-secret-for-tests-only-0000001"}


def test_a_client_exchanges_the_nonce_over_tls(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    with running(tls=True, ca_file=file) as issuer:
        client = DPoPClient(ca_file=str(file))
        form = {"grant_type": "client_credentials", "scope": "api:read", **SERVICE}
        response = client.request("POST", f"{issuer.issuer_url()}/v1/token", form=form)
        token = response.json()["access_token"]
        assert (200, "DPoP") == (response.status, response.json()["token_type"])
        assert [400, 200] == [request.status for request in issuer.requests("token").requests]
    assert token not in repr(response)
