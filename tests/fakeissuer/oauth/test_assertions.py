from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwa import JWA
from jwcrypto.jwk import JWK

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.raw_jws import encode_compact, no_signature
from fakeissuer.model.clients import Client
from fakeissuer.model.records import to_json
from fakeissuer.oauth.assertions import AssertionProblem, check_assertion, read_assertion
from fakeissuer.oauth.client_authentication import ASSERTION_TYPE
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.used_jtis import UsedJTIs

Ask = Callable[..., Any]

NOW = 1_000_000.0
AUDIENCE = "https://issuer.test/oauth2/default/v1/introspect"
SECRET = "s" * 32
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
GOOD: dict[str, Any] = {"iss": "app", "sub": "app", "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW, "jti": "1"}


@cache
def key(kind: str = "RSA") -> JWK:
    return JWK.generate(kty="RSA", size=2048) if kind == "RSA" else JWK.generate(kty="EC", crv=kind)


def public(kind: str = "RSA", **members: Any) -> dict[str, Any]:
    return {**key(kind).export_public(as_dict=True), "kid": kind} | members


def sign(alg: str = "RS256", secret: str = SECRET, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a signed assertion; None removes a claim or a header parameter."""
    members = {name: value for name, value in (GOOD | claims).items() if value is not None}
    kind = CURVES.get(alg, "RSA")
    parameters = {"alg": alg, "kid": kind} | (header or {})
    parameters = {name: value for name, value in parameters.items() if value is not None}
    if alg.startswith("HS"):
        digest = f"sha{alg[2:]}"
        return encode_compact(
            to_json(parameters), to_json(members), lambda text: hmac.digest(secret.encode(), text, digest)
        )
    if alg == "none":
        return encode_compact(to_json(parameters), to_json(members), no_signature)
    return encode_compact(
        to_json(parameters), to_json(members), lambda text: JWA.signing_alg(alg).sign(key(kind), text)
    )


def app(*keys: dict[str, Any], secret: str | None = None) -> Client:
    """Return a client with these keys, or with a secret, which may be too short for an HMAC."""
    if keys:
        return Client(id="app", name="app", jwks={"keys": list(keys)}, auth_methods=("private_key_jwt",))
    return Client(id="app", name="app", secret=secret, auth_methods=("client_secret_basic",))


def check(text: str, client: Client, used: UsedJTIs) -> None:
    assertion = read_assertion(text)
    assert assertion.unverified_client_id == "app"
    check_assertion(assertion, client, AUDIENCE, NOW, used)


def problem_of(text: str, client: Client | None = None, used: UsedJTIs | None = None) -> str:
    with pytest.raises(OAuthError) as caught:
        check(text, client or app(public()), used or UsedJTIs())
    assert caught.value.case is ErrorCase.ASSERTION_REFUSED
    return caught.value.detail


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])
def test_a_client_authenticates_with_its_key(alg: str) -> None:
    client = app(*(public(kind) for kind in ("RSA", *CURVES.values())))
    check_assertion(read_assertion(sign(alg)), client, AUDIENCE, NOW, UsedJTIs())


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_client_authenticates_with_its_secret(alg: str) -> None:
    assertion = read_assertion(sign(alg))
    check_assertion(assertion, app(secret=SECRET), AUDIENCE, NOW, UsedJTIs())
    assert assertion.method == "client_secret_jwt"


@pytest.mark.parametrize(
    "claims", [{"aud": [AUDIENCE]}, {"iat": None}, {"jti": None}, {"exp": NOW + 3600}, {"exp": NOW + 0.5}, {"nbf": NOW}]
)
def test_optional_claims_may_vary(claims: dict[str, Any]) -> None:
    check_assertion(read_assertion(sign(**claims)), app(public()), AUDIENCE, NOW, UsedJTIs())


def test_a_single_key_needs_no_kid() -> None:
    anonymous = public()
    del anonymous["kid"]
    assertion = read_assertion(sign(header={"kid": None}))
    assert "kid" not in assertion.header
    check_assertion(assertion, app(anonymous), AUDIENCE, NOW, UsedJTIs())


@pytest.mark.parametrize(
    ("problem", "claims"),
    [
        (AssertionProblem.SUBJECT, {"iss": "another"}),
        (AssertionProblem.SUBJECT, {"sub": None, "iss": None}),
        (AssertionProblem.SUBJECT, {"sub": "", "iss": ""}),
        (AssertionProblem.AUDIENCE, {"aud": None}),
        (AssertionProblem.AUDIENCE, {"aud": "https://issuer.test/oauth2/default"}),
        (AssertionProblem.AUDIENCE, {"aud": "https://issuer.test/oauth2/default/v1/token"}),
        (AssertionProblem.AUDIENCE, {"aud": [AUDIENCE, "https://elsewhere.test"]}),
        (AssertionProblem.NO_EXPIRY, {"exp": None}),
        (AssertionProblem.NO_EXPIRY, {"exp": True}),
        (AssertionProblem.EXPIRED, {"exp": NOW}),
        (AssertionProblem.LIFETIME_TOO_LONG, {"exp": NOW + 3601}),
        (AssertionProblem.NOT_YET_VALID, {"iat": NOW + 1}),
        (AssertionProblem.NOT_YET_VALID, {"nbf": NOW + 1}),
        (AssertionProblem.JTI, {"jti": ["1"]}),
    ],
)
def test_wrong_claims_are_rejected(problem: AssertionProblem, claims: dict[str, Any]) -> None:
    assert problem_of(sign(**claims)) == problem


@pytest.mark.parametrize(
    ("problem", "text", "client"),
    [
        (AssertionProblem.SIGNATURE, sign()[:-6] + "AAAAAA", app(public())),
        (AssertionProblem.SIGNATURE, sign("HS256", "x" * 32), app(secret=SECRET)),
        (AssertionProblem.SIGNATURE, sign(), app(public() | {"n": 5})),
        (AssertionProblem.SIGNATURE, sign(), app(public(key_ops=["sign"]))),
        (AssertionProblem.SHORT_SECRET, sign("HS256", "s" * 32), app(secret="s" * 31)),
        (AssertionProblem.ALGORITHM, sign("PS256"), app(public())),
        (AssertionProblem.ALGORITHM, sign("none"), app(public())),
        (AssertionProblem.ALGORITHM, sign("ES256", header={"kid": "RSA"}), app(public())),
        (AssertionProblem.ALGORITHM, sign("RS512"), app(public(alg="RS256"))),
        (AssertionProblem.NO_KEY_SET, sign(), app(secret=SECRET)),
        (AssertionProblem.KEY_ID, sign(header={"kid": "another"}), app(public())),
        (AssertionProblem.KEY_ID, sign(header={"kid": None}), app(public(), public("P-256"))),
        (AssertionProblem.KEY_ID, sign(), app(public(), public())),
        (AssertionProblem.KEY_USE, sign(), app(public(use="enc"))),
        (AssertionProblem.UNREADABLE, "x", app(public())),
        (AssertionProblem.UNREADABLE, "x.y.z", app(public())),
        (AssertionProblem.UNREADABLE, f"{sign()}.x", app(public())),
        (AssertionProblem.UNREADABLE, f"{sign()}=", app(public())),
        (AssertionProblem.UNREADABLE, "é.é.é", app(public())),
        (AssertionProblem.SIGNATURE, f"{sign()}A", app(public())),
        (AssertionProblem.UNREADABLE, sign(header={"crit": ["b64"], "b64": True}), app(public())),
    ],
)
def test_a_wrong_signature_or_key_is_rejected(problem: AssertionProblem, text: str, client: Client) -> None:
    assert problem_of(text, client) == problem


def test_an_algorithm_that_is_not_a_string_is_rejected() -> None:
    header = base64.urlsafe_b64encode(b'{"alg":["RS256"],"kid":"RSA"}').rstrip(b"=").decode()
    assert problem_of(f"{header}.{sign().partition('.')[2]}") == AssertionProblem.ALGORITHM


def test_an_assertion_is_used_once_and_a_forged_one_uses_up_no_jti() -> None:
    used = UsedJTIs()
    assert problem_of(sign()[:-6] + "AAAAAA", used=used) == AssertionProblem.SIGNATURE
    check_assertion(read_assertion(sign()), app(public()), AUDIENCE, NOW, used)
    assert problem_of(sign(), used=used) == AssertionProblem.USED


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{0,9}", fullmatch=True))
def test_any_text_is_rejected_with_a_known_problem(text: str) -> None:
    assert problem_of(text) in set(AssertionProblem)


@pytest.mark.parametrize(
    ("server", "path"), [("default", "introspect"), ("default", "revoke"), ("default", "token"), ("org", "introspect")]
)
def test_each_endpoint_accepts_assertions_with_its_own_url(
    fake_issuer: RunningIssuer, ask: Ask, server: str, path: str
) -> None:
    grants = ["client_credentials"]
    jwks = {"keys": [public()]}
    fake_issuer.put("clients", "app", name="app", jwks=jwks, auth_methods=["private_key_jwt"], grant_types=grants)
    url = fake_issuer.issuer_url(server) + ("/oauth2/v1/" if server == "org" else "/v1/") + path
    now = int(fake_issuer.clock.now())

    def status(**more: Any) -> tuple[int, str | None]:
        assertion = sign(**{"aud": url, "iat": now, "exp": now + 60, **more})
        form = {"token": "x", "grant_type": "client_credentials", "client_assertion": assertion}
        response = ask(url, "POST", form=form | {"client_assertion_type": ASSERTION_TYPE})
        return response.status, json.loads(response.body or b"{}").get("error")

    assert status() == (200, None)
    assert status() == (401, "invalid_client")
    assert status(jti="2") == (200, None)
    assert status(jti="3", aud=f"{url}/") == (401, "invalid_client")
    assert status(jti="4", iss="unknown", sub="unknown")[0] == 401


def test_an_assertion_of_another_client_than_in_the_form_is_rejected(fake_issuer: RunningIssuer, ask: Ask) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/token"
    form = {"client_id": "another", "client_assertion": sign(), "client_assertion_type": ASSERTION_TYPE}
    response = ask(url, "POST", form=form)
    assert (response.status, response.json()["error"]) == (401, "invalid_request")


def test_a_client_must_use_its_registered_method(fake_issuer: RunningIssuer, ask: Ask) -> None:
    fake_issuer.put("clients", "app", name="app", secret=SECRET)
    form = {"client_assertion": sign("HS256"), "client_assertion_type": ASSERTION_TYPE}
    response = ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", form=form)
    assert (response.status, response.json()["error"]) == (401, "invalid_client")
