from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from seeded_clients import WEB

from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]


@pytest.fixture
def post(fake_issuer: RunningIssuer, ask: Ask) -> Callable[..., Any]:
    def call(endpoint: str, token: str, client: str = WEB) -> Any:
        return ask(f"{fake_issuer.issuer_url()}/v1/{endpoint}", "POST", form={"token": token}, client=client)

    return call


def test_revoking_a_refresh_token_revokes_its_access_tokens(
    fake_issuer: RunningIssuer, post: Callable[..., Any]
) -> None:
    refresh_token = fake_issuer.token(kind="refresh", sub="alice@example.com")
    bound = fake_issuer.mint(sub="alice@example.com", refresh_token=refresh_token)
    other = fake_issuer.token(sub="alice@example.com")
    assert bound.claims["jti"].split(".")[2].startswith("oar")
    post("revoke", refresh_token)
    active = [post("introspect", token).json()["active"] for token in (refresh_token, bound.token, other)]
    assert active == [False, False, True]
