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
    response = register(ask, fake_issuer, {**GOOD, "grant_types": ["authorization_code", "client_credentials"]})
    assert response.status == 201
    registered = response.json()
    assert list(registered)[:5] == (
        ["client_id", "client_id_issued_at", "client_secret", "client_secret_expires_at", "client_name"]
    )
    client = f"{registered['client_id']}:{registered['client_secret']}"
    form = {"grant_type": "client_credentials"}
    assert ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", form=form, client=client).status == 200


def test_only_a_client_that_authenticates_with_a_secret_gets_one(fake_issuer: RunningIssuer, ask: Call) -> None:
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
def test_invalid_client_metadata_is_rejected(
    fake_issuer: RunningIssuer, ask: Call, metadata: object, error: str
) -> None:
    response = register(ask, fake_issuer, metadata)
    assert (response.status, response.json()["error"]) == (400, error)


def test_registration_requires_an_api_token_and_json(fake_issuer: RunningIssuer, ask: Call) -> None:
    assert register(ask, fake_issuer, GOOD, Authorization="").json()["errorCode"] == "E0000011"
    assert register(ask, fake_issuer, GOOD, **{"Content-Type": "text/plain"}).json()["errorCode"] == "E0000003"
    assert ask(f"{fake_issuer.issuer_url()}/v1/clients", "POST").json()["errorCode"] == "E0000008"


def test_the_number_of_clients_is_limited(
    fake_issuer: RunningIssuer, ask: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fakeissuer.handlers.clients.MAX_CLIENTS", len(fake_issuer.overview().clients) + 1)
    client_id = register(ask, fake_issuer, GOOD).json()["client_id"]
    rejected = register(ask, fake_issuer, GOOD)
    assert (rejected.status, rejected.json()["error"]) == (400, "invalid_request")
    assert "remove some" in rejected.json()["error_description"]
    fake_issuer.remove("clients", client_id)
    assert register(ask, fake_issuer, GOOD).status == 201


def test_the_strict_profile_registers_clients_without_a_token(ask: Call) -> None:
    with running(profile="strict-rfc") as issuer:
        assert register(ask, issuer, GOOD, Authorization="").status == 201


@pytest.mark.parametrize(
    ("requested", "registered"),
    [
        ({}, ["code"]),
        ({"response_types": ["id_token"], "grant_types": ["implicit"]}, ["id_token"]),
        ({"response_types": ["token id_token", "code"], "grant_types": ["implicit"]}, ["token id_token"]),
        ({"response_types": ["code id_token"], "grant_types": ["implicit", "authorization_code"]}, ["code id_token"]),
        ({"grant_types": ["client_credentials"]}, []),
    ],
)
def test_the_response_types_are_limited_to_those_of_the_grants(
    fake_issuer: RunningIssuer, ask: Call, requested: dict[str, Any], registered: list[str]
) -> None:
    assert register(ask, fake_issuer, {**GOOD, **requested}).json()["response_types"] == registered


def test_a_configured_client_has_the_response_types_of_its_grants(fake_issuer: RunningIssuer, ask: Call) -> None:
    known = {"name": "x", "secret": "s", "redirect_uris": ["https://app.test/cb"]}
    fake_issuer.put("clients", "both", **known, grant_types=["authorization_code", "implicit"])
    response = ask(f"{fake_issuer.url}/oauth2/v1/clients/both", headers={"Authorization": "SSWS token"})
    assert response.json()["response_types"] == ["code", "id_token", "token"]


def test_the_time_of_registration_does_not_change(fake_issuer: RunningIssuer, ask: Call) -> None:
    registered = register(ask, fake_issuer, GOOD).json()
    fake_issuer.clock.advance(86_400)
    sent = {"Content-Type": "application/json", "Authorization": "SSWS token"}
    url = f"{fake_issuer.url}/oauth2/v1/clients/{registered['client_id']}"
    calls = [
        ask(url, headers=sent),
        ask(url, "PUT", body=json.dumps(GOOD).encode(), headers=sent),
        ask(f"{url}/lifecycle/newSecret", "POST", headers=sent),
    ]
    assert {call.json()["client_id_issued_at"] for call in calls} == {registered["client_id_issued_at"]}


def test_a_configured_client_counts_as_registered_at_the_start(fake_issuer: RunningIssuer, ask: Call) -> None:
    url = f"{fake_issuer.url}/oauth2/v1/clients/0oaservice0000000001"
    first = ask(url, headers={"Authorization": "SSWS token"}).json()["client_id_issued_at"]
    fake_issuer.clock.advance(86_400)
    assert ask(url, headers={"Authorization": "SSWS token"}).json()["client_id_issued_at"] == first


def test_the_strict_profile_has_the_errors_of_rfc_7591_and_rfc_7592(ask: Call) -> None:
    with running(profile="strict-rfc") as issuer:
        no_json = register(ask, issuer, GOOD, **{"Content-Type": "text/plain"})
        url = f"{issuer.url}/oauth2/v1/clients/unknown"
        no_token, no_client = ask(url), ask(url, headers={"Authorization": "Bearer x"})
    assert (no_json.status, no_json.json()["error"]) == (400, "invalid_client_metadata")
    for response in (no_token, no_client):
        assert (response.status, response.json()["error"]) == (401, "invalid_token")
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
