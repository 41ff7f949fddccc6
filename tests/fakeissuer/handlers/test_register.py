from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.handle import Handle
from fakeissuer.in_process import running

Call = Callable[..., Any]
GOOD: dict[str, Any] = {"client_name": "mine", "redirect_uris": ["https://app.test/cb"], "unknown": 1}


def register(ask: Call, issuer: Handle, metadata: object, **headers: str) -> Any:
    sent = {"Content-Type": "application/json", "Authorization": "SSWS token", **headers}
    return ask(f"{issuer.url}/oauth2/v1/clients", "POST", body=json.dumps(metadata).encode(), headers=sent)


def test_a_client_registers_itself(fake_issuer: Handle, ask: Call) -> None:
    answer = register(ask, fake_issuer, {**GOOD, "grant_types": ["authorization_code", "client_credentials"]})
    assert answer.status == 201
    got = answer.json()
    assert list(got)[:5] == (
        ["client_id", "client_id_issued_at", "client_secret", "client_secret_expires_at", "client_name"]
    )
    client = f"{got['client_id']}:{got['client_secret']}"
    form = {"grant_type": "client_credentials"}
    assert ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", form=form, client=client).status == 200


def test_a_client_with_keys_or_without_a_secret_gets_none(fake_issuer: Handle, ask: Call) -> None:
    keys = {"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]}
    by_key = register(ask, fake_issuer, {**GOOD, "token_endpoint_auth_method": "private_key_jwt", "jwks": keys})
    public = register(ask, fake_issuer, {**GOOD, "token_endpoint_auth_method": "none"})
    assert (by_key.json()["jwks"], "client_secret" in by_key.json()) == (keys, False)
    assert "client_secret" not in public.json()


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({**GOOD, "redirect_uris": []}, "invalid_redirect_uri"),
        ({**GOOD, "redirect_uris": ["http://127.0.0.1:*"]}, "invalid_redirect_uri"),
        ({**GOOD, "redirect_uris": ["javascript:alert(1)"]}, "invalid_client_metadata"),
        ({**GOOD, "redirect_uris": ["https://app.test/\r\n"]}, "invalid_client_metadata"),
        ({**GOOD, "client_name": 5}, "invalid_client_metadata"),
        ({**GOOD, "client_name": ""}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
    ],
)
def test_a_client_that_cannot_be_is_refused(fake_issuer: Handle, ask: Call, metadata: object, error: str) -> None:
    answer = register(ask, fake_issuer, metadata)
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_it_takes_an_api_token_and_json(fake_issuer: Handle, ask: Call) -> None:
    assert register(ask, fake_issuer, GOOD, Authorization="").json()["errorCode"] == "E0000011"
    assert register(ask, fake_issuer, GOOD, **{"Content-Type": "text/plain"}).json()["errorCode"] == "E0000003"
    assert ask(f"{fake_issuer.issuer_url()}/v1/clients", "POST").json()["errorCode"] == "E0000008"


def test_there_is_an_end_to_registering(fake_issuer: Handle, ask: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fakeissuer.handlers.register.MOST_CLIENTS", len(fake_issuer.overview().clients) + 1)
    client_id = register(ask, fake_issuer, GOOD).json()["client_id"]
    refused = register(ask, fake_issuer, GOOD)
    assert (refused.status, refused.json()["error"]) == (400, "invalid_request")
    assert "remove some" in refused.json()["error_description"]
    fake_issuer.remove("clients", client_id)
    assert register(ask, fake_issuer, GOOD).status == 201


def test_the_strict_profile_lets_anybody_register(ask: Call) -> None:
    with running(profile="strict-rfc") as issuer:
        assert register(ask, issuer, GOOD, Authorization="").status == 201
