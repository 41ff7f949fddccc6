from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]
GENERATING = {
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": {"keys": [{"kty": "RSA", "generate": "RSA", "size": 4096}]},
}
GOOD: dict[str, Any] = {"client_name": "mine", "redirect_uris": ["https://app.test/cb"], "unknown": 1}


def register(ask: Call, issuer: RunningIssuer, metadata: object, **headers: str) -> Any:
    sent = {"Content-Type": "application/json", "Authorization": "SSWS token", **headers}
    return ask(f"{issuer.url}/oauth2/v1/clients", "POST", body=json.dumps(metadata).encode(), headers=sent)


def test_a_client_registers_itself(fake_issuer: RunningIssuer, ask: Call) -> None:
    answer = register(ask, fake_issuer, {**GOOD, "grant_types": ["authorization_code", "client_credentials"]})
    assert answer.status == 201
    got = answer.json()
    assert list(got)[:5] == (
        ["client_id", "client_id_issued_at", "client_secret", "client_secret_expires_at", "client_name"]
    )
    client = f"{got['client_id']}:{got['client_secret']}"
    form = {"grant_type": "client_credentials"}
    assert ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", form=form, client=client).status == 200


def test_a_client_with_keys_or_without_a_secret_gets_none(fake_issuer: RunningIssuer, ask: Call) -> None:
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
        ({**GOOD, "redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({**GOOD, "redirect_uris": ["https://app.test/\r\n"]}, "invalid_redirect_uri"),
        ({**GOOD, "redirect_uris": ["https://app.test/#x"]}, "invalid_redirect_uri"),
        ({**GOOD, "redirect_uris": ["http://[bad/"]}, "invalid_redirect_uri"),
        ({**GOOD, "post_logout_redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({**GOOD, "grant_types": ["authorisation_code"]}, "invalid_client_metadata"),
        ({**GOOD, "token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({**GOOD, **GENERATING}, "invalid_client_metadata"),
        ({**GOOD, "response_types": ["id_token code", "cookie"]}, "invalid_client_metadata"),
        ({**GOOD, "client_name": 5}, "invalid_client_metadata"),
        ({**GOOD, "client_name": ""}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
    ],
)
def test_a_client_that_cannot_be_is_refused(
    fake_issuer: RunningIssuer, ask: Call, metadata: object, error: str
) -> None:
    answer = register(ask, fake_issuer, metadata)
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_it_takes_an_api_token_and_json(fake_issuer: RunningIssuer, ask: Call) -> None:
    assert register(ask, fake_issuer, GOOD, Authorization="").json()["errorCode"] == "E0000011"
    assert register(ask, fake_issuer, GOOD, **{"Content-Type": "text/plain"}).json()["errorCode"] == "E0000003"
    assert ask(f"{fake_issuer.issuer_url()}/v1/clients", "POST").json()["errorCode"] == "E0000008"


def test_there_is_an_end_to_registering(fake_issuer: RunningIssuer, ask: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fakeissuer.handlers.clients.MAX_CLIENTS", len(fake_issuer.overview().clients) + 1)
    client_id = register(ask, fake_issuer, GOOD).json()["client_id"]
    refused = register(ask, fake_issuer, GOOD)
    assert (refused.status, refused.json()["error"]) == (400, "invalid_request")
    assert "remove some" in refused.json()["error_description"]
    fake_issuer.remove("clients", client_id)
    assert register(ask, fake_issuer, GOOD).status == 201


def test_the_strict_profile_lets_anybody_register(ask: Call) -> None:
    with running(profile="strict-rfc") as issuer:
        assert register(ask, issuer, GOOD, Authorization="").status == 201


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, ["code"]),
        ({"response_types": ["id_token"], "grant_types": ["implicit"]}, ["id_token"]),
        ({"response_types": ["token id_token", "code"], "grant_types": ["implicit"]}, ["token id_token"]),
        ({"response_types": ["code id_token"], "grant_types": ["implicit", "authorization_code"]}, ["code id_token"]),
        ({"grant_types": ["client_credentials"]}, []),
    ],
)
def test_the_response_types_are_those_that_its_grants_allow(
    fake_issuer: RunningIssuer, ask: Call, asked: dict[str, Any], told: list[str]
) -> None:
    assert register(ask, fake_issuer, {**GOOD, **asked}).json()["response_types"] == told


def test_a_client_that_did_not_register_itself_has_those_of_its_grants(fake_issuer: RunningIssuer, ask: Call) -> None:
    known = {"name": "x", "secret": "s", "redirect_uris": ["https://app.test/cb"]}
    fake_issuer.put("clients", "both", **known, grant_types=["authorization_code", "implicit"])
    answer = ask(f"{fake_issuer.url}/oauth2/v1/clients/both", headers={"Authorization": "SSWS token"})
    assert answer.json()["response_types"] == ["code", "id_token", "token"]


def test_the_moment_of_registration_is_kept(fake_issuer: RunningIssuer, ask: Call) -> None:
    started = register(ask, fake_issuer, GOOD).json()
    fake_issuer.clock.advance(86_400)
    sent = {"Content-Type": "application/json", "Authorization": "SSWS token"}
    url = f"{fake_issuer.url}/oauth2/v1/clients/{started['client_id']}"
    calls = [
        ask(url, headers=sent),
        ask(url, "PUT", body=json.dumps(GOOD).encode(), headers=sent),
        ask(f"{url}/lifecycle/newSecret", "POST", headers=sent),
    ]
    assert {call.json()["client_id_issued_at"] for call in calls} == {started["client_id_issued_at"]}


def test_a_client_of_the_start_is_as_old_as_the_issuer(fake_issuer: RunningIssuer, ask: Call) -> None:
    url = f"{fake_issuer.url}/oauth2/v1/clients/0oaservice0000000001"
    first = ask(url, headers={"Authorization": "SSWS token"}).json()["client_id_issued_at"]
    fake_issuer.clock.advance(86_400)
    assert ask(url, headers={"Authorization": "SSWS token"}).json()["client_id_issued_at"] == first


def test_the_strict_profile_refuses_as_the_rfcs_of_registration_do(ask: Call) -> None:
    with running(profile="strict-rfc") as issuer:
        no_json = register(ask, issuer, GOOD, **{"Content-Type": "text/plain"})
        url = f"{issuer.url}/oauth2/v1/clients/nobody"
        no_token, no_client = ask(url), ask(url, headers={"Authorization": "Bearer x"})
    assert (no_json.status, no_json.json()["error"]) == (400, "invalid_client_metadata")
    for answer in (no_token, no_client):
        assert (answer.status, answer.json()["error"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
