"""Good tokens look like bad ones; the strict validator of the other catalogue accepts each of them."""

from __future__ import annotations

import jwt
import pytest
from plain_http import Send

from fakeissuer import InvalidRequestError
from fakeissuer.control.good_tokens import ROWS
from fakeissuer.server.running_issuer import RunningIssuer


@pytest.mark.parametrize("server", ["default", "partner"])
def test_a_good_token_verifies_and_has_the_audience_of_its_server(fake_issuer: RunningIssuer, server: str) -> None:
    key_set = jwt.PyJWKSet.from_dict(fake_issuer.key_set(server))
    for good in fake_issuer.good_tokens(server):
        header = jwt.get_unverified_header(good.token)
        claims = jwt.decode(
            good.token,
            key_set[header["kid"]],
            algorithms=["RS256"],
            audience=f"api://{server}",
            issuer=fake_issuer.issuer_url(server),
        )
        row = ROWS[good.name]
        assert (row.typ, row.resembles) == (header.get("typ"), good.resembles)
        assert {name for name, value in row.claims.items() if value is not None} <= claims.keys()


def test_a_good_token_is_active_and_its_claims_are_those_of_its_issuer(fake_issuer: RunningIssuer, ask: Send) -> None:
    good = {good.name: good.token for good in fake_issuer.good_tokens()}
    claims = {name: jwt.decode(token, options={"verify_signature": False}) for name, token in good.items()}
    assert claims["auth0"]["aud"] == ["api://default", "https://tenant.example/userinfo"]
    assert "sub" not in claims["duende-service"]
    assert not claims["authentik"].keys() & {"ver", "cid", "scp", "client_id", "scope"}
    for token in good.values():
        form = {"token": token, "client_id": "0oaspa00000000000001"}
        assert ask(f"{fake_issuer.issuer_url()}/v1/introspect", "POST", form=form).json()["active"] is True


def test_the_repr_of_a_good_token_omits_the_token(fake_issuer: RunningIssuer) -> None:
    for good in fake_issuer.good_tokens():
        assert good.token not in repr(good)


@pytest.mark.parametrize("server", ["org", "unknown"])
def test_only_a_custom_server_has_good_tokens(fake_issuer: RunningIssuer, server: str) -> None:
    with pytest.raises(InvalidRequestError):
        fake_issuer.good_tokens(server)
