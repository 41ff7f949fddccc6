from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.errors import IssuerUnavailable
from service.issuers.introspection import IntrospectionEndpoint

INVALID: dict[str, dict[str, Any]] = {
    "another type": {"header": {"typ": "JWT"}},
    "another audience": {"claims": {"aud": "another-client"}},
    "another issuer": {"claims": {"iss": "https://other.example"}},
    "an old response": {"claims": {"iat": 1}},
    "no iat": {"claims": {"iat": None}},
    "no token_introspection": {"claims": {"token_introspection": None}},
    "a token_introspection that is a list": {"claims": {"token_introspection": []}},
    "another key": {"key": "unpublished"},
    "no signature": {"alg": "none"},
}


def _signed(issuer: RunningIssuer, changes: dict[str, Any]) -> str:
    claims = {"aud": "0oaapi00000000000001", "exp": None, "token_introspection": {"active": True}}
    claims |= changes.get("claims", {})
    header = {"typ": "token-introspection+jwt"} | changes.get("header", {})
    options = {name: value for name, value in changes.items() if name in {"key", "alg"}}
    return issuer.token(header=header, claims=claims, **options)


@pytest.mark.parametrize("changes", INVALID.values(), ids=INVALID.keys())
@pytest.mark.gen_test
async def test_an_invalid_signed_response_is_rejected(
    changes: dict[str, Any], connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    endpoint = connect(introspection_jwt=True)
    headers = {"Content-Type": "application/token-introspection+jwt"}
    fake_issuer.fail("introspect", status=200, headers=headers, body=_signed(fake_issuer, changes))
    with pytest.raises(IssuerUnavailable, match="the signed response is invalid"):
        await endpoint.introspect("opaque")
    fake_issuer.clear_faults()
    fake_issuer.fail("introspect", status=200, headers=headers, body=_signed(fake_issuer, {}))
    assert {"active": True} == await connect(introspection_jwt=True).introspect("opaque")


@pytest.mark.gen_test
async def test_a_response_that_is_not_a_jws_is_rejected(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    headers = {"Content-Type": "application/token-introspection+jwt"}
    for body in ("", "plain", json.dumps({"active": True})):
        fake_issuer.fail("introspect", status=200, headers=headers, body=body)
        with pytest.raises(IssuerUnavailable):
            await connect(introspection_jwt=True).introspect("opaque")
        fake_issuer.clear_faults()
