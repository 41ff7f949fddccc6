from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.errors import IssuerUnavailable
from service.issuers.introspection import IntrospectionEndpoint

SIGNED: dict[str, dict[str, Any]] = {
    "another type": {"header": {"typ": "JWT"}},
    "another audience": {"claims": {"aud": "somebody-else"}},
    "another issuer": {"claims": {"iss": "https://other.example"}},
    "an answer of yesterday": {"claims": {"iat": 1}},
    "no date": {"claims": {"iat": None}},
    "no answer in it": {"claims": {"token_introspection": None}},
    "an answer that is a list": {"claims": {"token_introspection": []}},
    "another key": {"key": "unpublished"},
    "no signature": {"alg": "none"},
}


def _signed(issuer: RunningIssuer, spoilt: dict[str, Any]) -> str:
    claims = {"aud": "0oaapi00000000000001", "exp": None, "token_introspection": {"active": True}}
    claims |= spoilt.get("claims", {})
    header = {"typ": "token-introspection+jwt"} | spoilt.get("header", {})
    rest = {name: value for name, value in spoilt.items() if name in {"key", "alg"}}
    return issuer.token(header=header, claims=claims, **rest)


@pytest.mark.parametrize("spoilt", SIGNED.values(), ids=SIGNED.keys())
@pytest.mark.gen_test
async def test_a_signed_answer_is_not_believed_with(
    spoilt: dict[str, Any], connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    endpoint = connect(introspection_jwt=True)
    headers = {"Content-Type": "application/token-introspection+jwt"}
    fake_issuer.fail("introspect", status=200, headers=headers, body=_signed(fake_issuer, spoilt))
    with pytest.raises(IssuerUnavailable, match="not to be believed"):
        await endpoint.introspect("opaque")
    fake_issuer.clear_faults()
    fake_issuer.fail("introspect", status=200, headers=headers, body=_signed(fake_issuer, {}))
    assert {"active": True} == await connect(introspection_jwt=True).introspect("opaque")


@pytest.mark.gen_test
async def test_what_is_no_jws_is_not_believed(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer
) -> None:
    headers = {"Content-Type": "application/token-introspection+jwt"}
    for body in ("", "plain", json.dumps({"active": True})):
        fake_issuer.fail("introspect", status=200, headers=headers, body=body)
        with pytest.raises(IssuerUnavailable):
            await connect(introspection_jwt=True).introspect("opaque")
        fake_issuer.clear_faults()
