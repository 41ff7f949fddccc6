from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.handle import Handle

Ask = Callable[..., Any]


@pytest.fixture
def userinfo(fake_issuer: Handle, ask: Ask) -> Callable[..., Any]:
    def call(authorization: str | None, query: str = "", method: str = "GET", **more: Any) -> Any:
        headers = {} if authorization is None else {"Authorization": authorization}
        return ask(f"{fake_issuer.issuer_url()}/v1/userinfo{query}", method, headers=headers, **more)

    return call


def test_a_token_may_be_posted_and_its_scheme_written_small(fake_issuer: Handle, userinfo: Callable[..., Any]) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="openid")
    user = fake_issuer.entry("users", "alice@example.com")
    assert userinfo(f"bearer {token}", method="POST", form={}).json() == {"sub": user["id"]}
