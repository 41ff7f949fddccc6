from __future__ import annotations

import base64
import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from plain_http import Send
from scripted_browser import CALLBACK, CHALLENGE, SPA, VERIFIER, Browser
from seeded_clients import SERVICE
from seeded_clients import WEB as WEB_CREDENTIALS

from fakeissuer import DPoPClient, RunningIssuer
from fakeissuer.oauth.dpop import PROOF_ALGORITHMS, ProofProblem
from fakeissuer.server.dpop_client import DPoPResponse
from fakeissuer.state.seed import SERVICE_APP

CLIENT_CREDENTIALS = {"grant_type": "client_credentials", "scope": "api:read"}


def _basic(credentials: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def _token(
    issuer: RunningIssuer, client: DPoPClient, form: dict[str, str] = CLIENT_CREDENTIALS, credentials: str = SERVICE
) -> DPoPResponse:
    headers = _basic(credentials) if credentials else {}
    return client.request("POST", f"{issuer.issuer_url()}/v1/token", form=form, headers=headers)


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_token_is_bound_after_the_exchange_of_a_nonce(fake_issuer: RunningIssuer, dpop_client: DPoPClient) -> None:
    response = _token(fake_issuer, dpop_client)
    assert (200, "DPoP") == (response.status, response.json()["token_type"])
    assert {"jkt": dpop_client.thumbprint} == _claims(response.json()["access_token"])["cnf"]
    assert [400, 200] == [request.status for request in fake_issuer.requests("token").requests]
    assert 32 == len(response.headers["dpop-nonce"])
    assert 200 == _token(fake_issuer, dpop_client).status
    assert 3 == fake_issuer.requests("token").count  # the nonce is still good


def test_a_nonce_is_renewed_after_a_day_and_accepted_for_three_days_more(
    fake_issuer: RunningIssuer, dpop_client: DPoPClient
) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/token"
    nonces = [_token(fake_issuer, dpop_client).headers["dpop-nonce"]]
    fake_issuer.clock.advance(86_401)
    nonces.append(_token(fake_issuer, dpop_client).headers["dpop-nonce"])
    assert nonces[0] != nonces[1]
    fake_issuer.clock.advance(3 * 86_400 - 10)
    dpop_client.remember_nonce(url, nonces[0])
    fake_issuer.clear_requests()
    assert 200 == _token(fake_issuer, dpop_client).status
    assert [200] == [request.status for request in fake_issuer.requests("token").requests]
    fake_issuer.clock.advance(10)
    dpop_client.remember_nonce(url, nonces[0])
    fake_issuer.clear_requests()
    assert 200 == _token(fake_issuer, dpop_client).status
    assert [400, 200] == [request.status for request in fake_issuer.requests("token").requests]


BAD_PROOFS: list[tuple[ProofProblem, dict[str, Any]]] = [
    (ProofProblem.TYPE, {"header": {"typ": "JWT"}}),
    (ProofProblem.TYPE, {"header": {"crit": ["x"]}}),
    (ProofProblem.ALGORITHM, {"header": {"alg": "none"}}),
    (ProofProblem.ALGORITHM, {"header": {"alg": "HS256"}}),
    (ProofProblem.KEY, {"header": {"jwk": None}}),
    (ProofProblem.KEY, {"header": {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}}),
    (ProofProblem.KEY, {"header": {"jwk": {"kty": "EC", "crv": "P-256"}}}),
    (ProofProblem.KEY, {"header": {"jwk": DPoPClient().public_jwk | {"d": "AQAB"}}}),
    (ProofProblem.SIGNATURE, {"header": {"jwk": DPoPClient().public_jwk}}),
    (ProofProblem.METHOD, {"claims": {"htm": "GET"}}),
    (ProofProblem.METHOD, {"claims": {"htm": None}}),
    (ProofProblem.URL, {"claims": {"htu": "http://127.0.0.1/token"}}),
    (ProofProblem.ISSUED_AT, {"claims": {"iat": None}}),
    (ProofProblem.ISSUED_AT, {"claims": {"iat": "now"}}),
    (ProofProblem.ISSUED_AT, {"claims": {"iat": 1}}),
    (ProofProblem.ISSUED_AT, {"claims": {"iat": 4_000_000_000}}),
    (ProofProblem.JTI, {"claims": {"jti": None}}),
    (ProofProblem.JTI, {"claims": {"jti": 7}}),
]


@pytest.mark.parametrize(("problem", "changes"), BAD_PROOFS)
def test_a_bad_proof_is_rejected(
    problem: ProofProblem, changes: dict[str, Any], fake_issuer: RunningIssuer, dpop_client: DPoPClient, ask: Send
) -> None:
    _token(fake_issuer, dpop_client)
    url = f"{fake_issuer.issuer_url()}/v1/token"
    proof = dpop_client.proof("POST", url, **changes)
    response = ask(url, "POST", form=CLIENT_CREDENTIALS, client=SERVICE, headers={"DPoP": proof})
    assert (400, "invalid_dpop_proof") == (response.status, response.json()["error"])
    assert problem in response.json()["error_description"]


@pytest.mark.parametrize("text", ["x", "a.b.c", "=.=.=", "e30.W10.x"])
def test_a_text_that_is_no_proof_is_rejected(text: str, fake_issuer: RunningIssuer, ask: Send) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/token"
    response = ask(url, "POST", form=CLIENT_CREDENTIALS, client=SERVICE, headers={"DPoP": text})
    assert (400, "invalid_dpop_proof") == (response.status, response.json()["error"])


# What RFC 9449 leaves to the server, or what other endpoints check.
ACCEPTED = {"jti-long", "oversize"}


def test_userinfo_rejects_the_catalogue_of_bad_proofs(fake_issuer: RunningIssuer) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/userinfo"
    parts = urlsplit(url)
    accepted = set()
    for bad in fake_issuer.bad_proofs("GET", url, token={"sub": "alice@example.com", "scp": "openid"}):
        for _ in range(bad.times):
            connection = http.client.HTTPConnection(parts.netloc)
            connection.putrequest("GET", parts.path)
            for field in bad.fields:
                connection.putheader(*field)  # a mapping would send one of two fields
            connection.endheaders()
            status = connection.getresponse().status
            connection.close()
        assert status in {200, 400, 401}
        accepted |= {bad.name} if status == 200 else set()
    assert ACCEPTED == accepted


@pytest.mark.parametrize("jwk", [{"n": "=", "e": "AQAB"}, {"n": "AQAB", "e": "AQAB"}])
def test_a_malformed_key_is_rejected(
    jwk: dict[str, str], fake_issuer: RunningIssuer, dpop_client: DPoPClient, ask: Send
) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/token"
    proof = dpop_client.proof("POST", url, header={"alg": "RS256", "jwk": {"kty": "RSA", **jwk}})
    response = ask(url, "POST", form=CLIENT_CREDENTIALS, client=SERVICE, headers={"DPoP": proof})
    assert ProofProblem.KEY in response.json()["error_description"]


def test_a_proof_is_accepted_once(fake_issuer: RunningIssuer, dpop_client: DPoPClient, ask: Send) -> None:
    _token(fake_issuer, dpop_client)
    url = f"{fake_issuer.issuer_url()}/v1/token"
    proof = {"DPoP": dpop_client.proof("POST", url)}
    responses = [ask(url, "POST", form=CLIENT_CREDENTIALS, client=SERVICE, headers=proof) for _ in range(2)]
    assert [200, 400] == [response.status for response in responses]
    assert ProofProblem.USED in responses[1].json()["error_description"]


def test_a_client_can_require_proofs(fake_issuer: RunningIssuer, dpop_client: DPoPClient, ask: Send) -> None:
    fake_issuer.put(
        "clients",
        SERVICE_APP,
        name="service",
        dpop_bound_access_tokens=True,
        secret=SERVICE.partition(":")[2],
        grant_types=["client_credentials"],
    )
    url = f"{fake_issuer.issuer_url()}/v1/token"
    response = ask(url, "POST", form=CLIENT_CREDENTIALS, client=SERVICE)
    assert (400, "invalid_dpop_proof") == (response.status, response.json()["error"])
    assert 200 == _token(fake_issuer, dpop_client).status


@pytest.mark.parametrize("alg", PROOF_ALGORITHMS)
def test_each_listed_algorithm_is_accepted(alg: str, fake_issuer: RunningIssuer, ask: Send) -> None:
    metadata = ask(f"{fake_issuer.issuer_url()}/.well-known/openid-configuration").json()
    assert alg in metadata["dpop_signing_alg_values_supported"]
    assert 200 == _token(fake_issuer, DPoPClient(alg)).status


def _code_form(code: str, client_id: str | None = SPA) -> dict[str, str]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return form if client_id is None else form | {"client_id": client_id}


def test_a_refresh_token_is_bound_to_the_key(
    fake_issuer: RunningIssuer, dpop_client: DPoPClient, code: Callable[..., str]
) -> None:
    sent = code(client_id=SPA, scope="openid offline_access", code_challenge=CHALLENGE, code_challenge_method="S256")
    tokens = _token(fake_issuer, dpop_client, _code_form(sent), "").json()
    assert "DPoP" == tokens["token_type"]
    assert "cnf" not in _claims(tokens["id_token"])
    form = {"grant_type": "refresh_token", "client_id": SPA, "refresh_token": tokens["refresh_token"]}
    stolen = _token(fake_issuer, DPoPClient(), form, "")
    assert (400, "invalid_dpop_proof") == (stolen.status, stolen.json()["error"])
    renewed = _token(fake_issuer, dpop_client, form, "").json()
    assert {"jkt": dpop_client.thumbprint} == _claims(renewed["access_token"])["cnf"]


def test_a_refresh_token_that_is_bound_is_not_accepted_without_a_proof(
    fake_issuer: RunningIssuer, dpop_client: DPoPClient, code: Callable[..., str], ask: Send
) -> None:
    sent = code(client_id=SPA, scope="openid offline_access", code_challenge=CHALLENGE, code_challenge_method="S256")
    tokens = _token(fake_issuer, dpop_client, _code_form(sent), "").json()
    form = {"grant_type": "refresh_token", "client_id": SPA, "refresh_token": tokens["refresh_token"]}
    response = ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", form=form)
    assert (400, "invalid_dpop_proof") == (response.status, response.json()["error"])


def test_a_code_is_bound_by_dpop_jkt(
    fake_issuer: RunningIssuer, dpop_client: DPoPClient, code: Callable[..., str]
) -> None:
    pkce = {"client_id": SPA, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    thief = _token(fake_issuer, DPoPClient(), _code_form(code(dpop_jkt=dpop_client.thumbprint, **pkce)), "")
    assert (400, "invalid_dpop_proof") == (thief.status, thief.json()["error"])
    own = _token(fake_issuer, dpop_client, _code_form(code(dpop_jkt=dpop_client.thumbprint, **pkce)), "")
    assert (200, "DPoP") == (own.status, own.json()["token_type"])


def test_a_malformed_dpop_jkt_is_rejected(browser: Browser) -> None:
    assert "error=invalid_request" in browser.authorize(dpop_jkt="short").headers["Location"]


def test_a_pushed_request_binds_its_code_to_the_key_of_its_proof(
    fake_issuer: RunningIssuer, dpop_client: DPoPClient
) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/par"
    form = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "s"}
    pushed = dpop_client.request("POST", url, form=form, headers=_basic(WEB_CREDENTIALS))
    assert 200 == pushed.status
    other = form | {"dpop_jkt": DPoPClient().thumbprint}
    rejected = dpop_client.request("POST", url, form=other, headers=_basic(WEB_CREDENTIALS))
    assert (400, "invalid_dpop_proof") == (rejected.status, rejected.json()["error"])


def test_introspection_names_the_key(fake_issuer: RunningIssuer, dpop_client: DPoPClient, ask: Send) -> None:
    token = _token(fake_issuer, dpop_client).json()["access_token"]
    url = f"{fake_issuer.issuer_url()}/v1/introspect"
    response = ask(url, "POST", form={"token": token}, client=SERVICE).json()
    assert ("DPoP", {"jkt": dpop_client.thumbprint}) == (response["token_type"], response["cnf"])


def test_userinfo_needs_a_proof_for_a_bound_token(
    fake_issuer: RunningIssuer, dpop_client: DPoPClient, ask: Send
) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/userinfo"
    bound = fake_issuer.token(sub="alice@example.com", scp="openid", dpop_jkt=dpop_client.thumbprint)
    assert 200 == dpop_client.request("GET", url, access_token=bound).status
    bearer = ask(url, headers={"Authorization": f"Bearer {bound}"})
    assert (400, True) == (bearer.status, 'error="invalid_request"' in bearer.headers["WWW-Authenticate"])
    thief = DPoPClient(now=fake_issuer.clock.now).request("GET", url, access_token=bound)
    assert (400, True) == (thief.status, 'error="invalid_dpop_proof"' in thief.headers["WWW-Authenticate"])
    other = ask(url, headers=dpop_client.headers("GET", url, "another") | {"Authorization": f"DPoP {bound}"})
    assert ProofProblem.TOKEN in other.headers["WWW-Authenticate"]
    assert other.headers["WWW-Authenticate"].startswith("DPoP ")
    plain = fake_issuer.token(sub="alice@example.com", scp="openid")
    assert 401 == dpop_client.request("GET", url, access_token=plain).status
