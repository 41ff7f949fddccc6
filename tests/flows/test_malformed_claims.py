"""Claims of a wrong type or form are rejected, whether a JWT or an introspection response has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app

CLIENT: dict[str, Any] = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}

MALFORMED: dict[str, dict[str, Any]] = {
    "a subject that is a number": {"sub": 7},
    "a subject that is true": {"sub": True},
    "a subject that is a list": {"sub": ["alice@example.com"]},
    "a subject that is an object": {"sub": {"id": "alice@example.com"}},
    "a token ID that is a number": {"jti": 7},
    "scopes separated by a tab": {"scp": "api:read\tapi:admin"},
    "scopes separated by a line end": {"scp": "api:read\napi:admin"},
    "scopes separated by a no-break space": {"scp": "api:read\u00a0api:admin"},
    "scopes separated by an em space": {"scp": "api:read\u2003api:admin"},
}


@pytest.mark.parametrize("claims", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize(("validation", "opaque"), [("jwt", False), ("introspection", False), ("introspection", True)])
@pytest.mark.gen_test
async def test_a_token_with_malformed_claims_is_rejected(
    fake_issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
    listen: Callable[[ResourceServerApplication], str],
    claims: dict[str, Any],
    validation: str,
    *,
    opaque: bool,
) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), audience=("api://default",), validation=validation, **CLIENT)
    url = f"{listen(make_app(settings))}/api/whoami"
    expected = {200: {"sub": "alice@example.com", "scp": "api:read api:admin"}, 401: claims}
    for status, each in expected.items():
        token = fake_issuer.token(claims=each, opaque=opaque)
        response = await http_client.fetch(url, headers={"Authorization": f"Bearer {token}"}, raise_error=False)
        assert status == response.code
