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


def test_a_token_may_stand_in_a_posted_form_and_nowhere_beside_it(
    fake_issuer: Handle, userinfo: Callable[..., Any]
) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="openid")
    form = {"access_token": token}
    assert userinfo(None, method="POST", form=form).status == 200
    refused = [
        userinfo(f"Bearer {token}", method="POST", form=form),
        userinfo("Basic eDp5", method="POST", form=form),
        userinfo(None, method="POST", form={"access_token": [token, token]}),
        userinfo(None, "?access_token=x", method="POST", form=form),
        # The body of a GET means nothing (RFC 6750 section 2.2).
        userinfo(None, form=form),
    ]
    assert [answer.status for answer in refused] == [400, 400, 400, 400, 401]
