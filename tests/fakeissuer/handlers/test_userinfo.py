from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]


@pytest.fixture
def userinfo(fake_issuer: RunningIssuer, ask: Ask) -> Callable[..., Any]:
    def call(authorization: str | None, query: str = "", method: str = "GET", **more: Any) -> Any:
        headers = {} if authorization is None else {"Authorization": authorization}
        headers |= more.pop("headers", {})
        return ask(f"{fake_issuer.issuer_url()}/v1/userinfo{query}", method, headers=headers, **more)

    return call


def test_a_post_with_a_lower_case_scheme_is_accepted(fake_issuer: RunningIssuer, userinfo: Callable[..., Any]) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="openid")
    user = fake_issuer.get("users", "alice@example.com")
    assert userinfo(f"bearer {token}", method="POST", form={}).json() == {"sub": user["id"]}


def test_two_tokens_are_rejected_for_any_spelling_of_the_media_type(
    fake_issuer: RunningIssuer, userinfo: Callable[..., Any]
) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="openid")
    body, form = f"access_token={token}".encode(), "Application/X-WWW-Form-URLencoded ; charset=UTF-8"
    assert userinfo(f"Bearer {token}", method="POST", body=body, headers={"Content-Type": form}).status == 400


@pytest.mark.parametrize(
    ("mode", "expected"), [("CUSTOM_URL", "https://vanity.test"), ("ORG_URL", None), ("DYNAMIC", "http://other.test")]
)
def test_the_challenge_has_the_urls_of_the_discovery_document(ask: Ask, mode: str, expected: str | None) -> None:
    with running(public_url="https://vanity.test") as issuer:
        issuer.put("servers", "default", audience="api://default", issuer_mode=mode)
        url = issuer.overview().listening_url
        base = url if expected is None else expected
        response = ask(f"{url}/oauth2/default/v1/userinfo", headers={"Host": "other.test"})
    challenge = response.headers["WWW-Authenticate"]
    assert f'authorization_uri="{base}/oauth2/default/v1/authorize", realm="{base}"' in challenge


def test_the_challenge_of_the_org_names_its_own_endpoint(fake_issuer: RunningIssuer, ask: Ask) -> None:
    challenge = ask(f"{fake_issuer.url}/oauth2/v1/userinfo").headers["WWW-Authenticate"]
    assert f'authorization_uri="{fake_issuer.url}/oauth2/v1/authorize", realm="{fake_issuer.url}"' in challenge


def test_the_strict_profile_sends_no_error_code_without_a_token(ask: Ask) -> None:
    with running(profile="strict-rfc") as issuer:
        url = f"{issuer.issuer_url()}/v1/userinfo"
        missing, bad = ask(url), ask(url, headers={"Authorization": "Bearer x"})
    assert (missing.status, "error" in missing.headers["WWW-Authenticate"]) == (401, False)
    assert (bad.status, 'error="invalid_token"' in bad.headers["WWW-Authenticate"]) == (401, True)


def test_a_token_in_a_posted_form_is_accepted_if_it_is_the_only_one(
    fake_issuer: RunningIssuer, userinfo: Callable[..., Any]
) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="openid")
    form = {"access_token": token}
    assert userinfo(None, method="POST", form=form).status == 200
    rejected = [
        userinfo(f"Bearer {token}", method="POST", form=form),
        userinfo("Basic eDp5", method="POST", form=form),
        userinfo(None, method="POST", form={"access_token": [token, token]}),
        userinfo(None, "?access_token=x", method="POST", form=form),
        # RFC 6750 section 2.2: the body of a GET is ignored.
        userinfo(None, form=form),
    ]
    assert [response.status for response in rejected] == [400, 400, 400, 400, 401]
