"""Client authentication by certificate, and the tokens that are bound to it, over real TLS sockets."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from certificates import Authority, Certificate, self_signed
from cryptography import x509
from seeded_clients import WEB

from fakeissuer import InvalidRequestError, RunningIssuer, SettingsError, running
from fakeissuer.errors import OAuthError
from fakeissuer.model.clients import Client
from fakeissuer.oauth.client_certificates import check_certificate
from fakeissuer.profiles.names import ProfileName

CLIENT_CREDENTIALS = {"grant_type": "client_credentials", "scope": "api:read"}
PASSWORD = {"grant_type": "password", "username": "alice@example.com", "password": "password"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def own(authority: Authority) -> Certificate:
    return authority.issue("orders.example", "192.0.2.1", "orders@example.com", common_name="orders")


@pytest.fixture(scope="module")
def other(authority: Authority) -> Certificate:
    return authority.issue("other.example")


@pytest.fixture(scope="module")
def alone(authority: Authority) -> Certificate:
    return self_signed(authority.folder, "alone")


@pytest.fixture(scope="module")
def issuer(authority: Authority, alone: Certificate) -> Iterator[RunningIssuer]:
    trusted = authority.folder / "clients.pem"
    trusted.write_text(authority.file.read_text() + alone.pem)
    with running(tls=True, ca_file=authority.folder / "issuer.pem", client_ca=trusted) as issuer:
        yield issuer


Call = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def call(authority: Authority, issuer: RunningIssuer) -> Call:
    """Send a form with a client certificate, and return the status and the members of the response."""

    def send(
        endpoint: str, certificate: Certificate | None, /, *, secret: str = "", bearer: str = "", **form: str
    ) -> tuple[int, dict[str, Any]]:
        context = ssl.create_default_context(cafile=authority.folder / "issuer.pem")
        if certificate is not None:
            context.load_cert_chain(certificate.file, certificate.key_file)
        connection = http.client.HTTPSConnection(urlsplit(issuer.url).netloc, context=context, timeout=10)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if secret:
            headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        try:
            connection.request("POST", f"/oauth2/default/v1/{endpoint}", urlencode(form), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or "{}")
        finally:
            connection.close()

    return send


def _x5c(certificate: Certificate) -> dict[str, Any]:
    key = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "x5c": [base64.b64encode(certificate.der).decode()]}
    return {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, key]}


def _put(issuer: RunningIssuer, **members: Any) -> None:
    usual = {"name": "orders", "grant_types": ["client_credentials"], "auth_methods": ["tls_client_auth"]}
    issuer.put("clients", "orders", **(usual | members))


def _confirmation(response: dict[str, Any]) -> object:
    payload = response["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["cnf"]


@pytest.mark.parametrize(
    "name",
    [
        {"tls_client_auth_san_dns": "orders.example"},
        {"tls_client_auth_san_ip": "192.0.2.1"},
        {"tls_client_auth_san_email": "orders@example.com"},
        {"tls_client_auth_subject_dn": "{subject}"},
    ],
)
def test_a_client_authenticates_with_its_certificate_and_gets_tokens_that_are_bound_to_it(
    name: dict[str, str], issuer: RunningIssuer, call: Call, own: Certificate, other: Certificate
) -> None:
    subject = x509.load_der_x509_certificate(own.der).subject.rfc4514_string()
    _put(issuer, **{member: value.format(subject=subject) for member, value in name.items()})
    status, response = call("token", own, client_id="orders", **CLIENT_CREDENTIALS)
    assert (200, "Bearer", {"x5t#S256": own.thumbprint}) == (status, response["token_type"], _confirmation(response))
    status, introspected = call("introspect", own, client_id="orders", token=response["access_token"])
    assert (200, {"x5t#S256": own.thumbprint}) == (status, introspected["cnf"])
    for certificate in (other, None):
        status, response = call("token", certificate, client_id="orders", **CLIENT_CREDENTIALS)
        assert (401, "invalid_client") == (status, response["error"])


def test_a_client_authenticates_with_a_certificate_that_it_has_signed_itself(
    issuer: RunningIssuer, call: Call, own: Certificate, alone: Certificate
) -> None:
    _put(issuer, auth_methods=["self_signed_tls_client_auth"], jwks=_x5c(alone))
    status, response = call("token", alone, client_id="orders", **CLIENT_CREDENTIALS)
    assert (200, {"x5t#S256": alone.thumbprint}) == (status, _confirmation(response))
    for certificate in (own, None):
        assert 401 == call("token", certificate, client_id="orders", **CLIENT_CREDENTIALS)[0]


def test_a_client_may_have_a_secret_and_bound_tokens(issuer: RunningIssuer, call: Call, own: Certificate) -> None:
    _put(
        issuer, secret="s", auth_methods=["client_secret_basic"], tls_client_certificate_bound_access_tokens=True
    )  # fmt: skip
    status, response = call("token", own, secret="orders:s", **CLIENT_CREDENTIALS)
    assert (200, {"x5t#S256": own.thumbprint}) == (status, _confirmation(response))
    assert 401 == call("token", None, secret="orders:s", **CLIENT_CREDENTIALS)[0]


def test_a_client_with_a_certificate_and_a_secret_is_bound_only_if_it_shows_the_certificate(
    issuer: RunningIssuer, call: Call, own: Certificate
) -> None:
    methods = ["client_secret_basic", "tls_client_auth"]
    _put(issuer, secret="s", auth_methods=methods, tls_client_auth_san_dns="orders.example")
    assert {"x5t#S256": own.thumbprint} == _confirmation(call("token", own, secret="orders:s", **CLIENT_CREDENTIALS)[1])
    status, response = call("token", None, secret="orders:s", **CLIENT_CREDENTIALS)
    assert 200 == status
    with pytest.raises(KeyError):
        _confirmation(response)


def test_the_refresh_token_of_a_public_client_is_bound_to_its_certificate(
    issuer: RunningIssuer, call: Call, own: Certificate, other: Certificate
) -> None:
    _put(
        issuer,
        auth_methods=["none"],
        grant_types=["password", "refresh_token"],
        tls_client_certificate_bound_access_tokens=True,
    )
    form = {"client_id": "orders", "scope": "openid offline_access"}
    refresh_token = call("token", own, **PASSWORD, **form)[1]["refresh_token"]
    refresh = {"client_id": "orders", "grant_type": "refresh_token", "refresh_token": refresh_token}
    status, response = call("token", other, **refresh)
    assert (400, "invalid_grant") == (status, response["error"])
    status, response = call("token", own, **refresh)
    assert (200, {"x5t#S256": own.thumbprint}) == (status, _confirmation(response))


def test_userinfo_accepts_a_bound_token_with_its_certificate_only(
    issuer: RunningIssuer, call: Call, own: Certificate, other: Certificate
) -> None:
    token = issuer.token(sub="alice@example.com", scp="openid", x5t_s256=own.thumbprint)
    assert 200 == call("userinfo", own, bearer=token)[0]
    for certificate in (other, None):
        assert 401 == call("userinfo", certificate, bearer=token)[0]


def test_a_minted_token_is_bound_to_a_key_and_a_certificate(issuer: RunningIssuer, own: Certificate) -> None:
    minted = issuer.mint(dpop_jkt="A" * 43, x5t_s256=own.thumbprint)
    assert {"jkt": "A" * 43, "x5t#S256": own.thumbprint} == minted.claims["cnf"]
    assert "cnf" not in issuer.mint().claims


def test_another_client_of_the_issuer_is_not_affected(issuer: RunningIssuer, call: Call, own: Certificate) -> None:
    _put(issuer, tls_client_auth_san_dns="orders.example")
    status, response = call("token", own, secret=WEB, scope="openid", **PASSWORD)
    assert 200 == status
    with pytest.raises(KeyError):
        _confirmation(response)


@pytest.mark.parametrize("profile", ["okta", "strict-rfc", "keycloak"])
def test_the_metadata_names_the_methods_of_a_server_that_requests_certificates(
    profile: ProfileName, authority: Authority
) -> None:
    methods = ["self_signed_tls_client_auth", "tls_client_auth"]
    for client_ca in (None, authority.file):
        with running(
            profile=profile, tls=True, ca_file=authority.folder / "issuer2.pem", client_ca=client_ca
        ) as issuer:
            document = _metadata(issuer, authority.folder / "issuer2.pem")
        has_methods = document["token_endpoint_auth_methods_supported"][-2:] == methods
        bound = document.get("tls_client_certificate_bound_access_tokens")
        assert (client_ca is not None, client_ca and True) == (has_methods, bound)


def _metadata(issuer: RunningIssuer, ca_file: Path) -> Any:
    parts = urlsplit(f"{issuer.issuer_url()}/.well-known/openid-configuration")
    context = ssl.create_default_context(cafile=ca_file)
    connection = http.client.HTTPSConnection(parts.netloc, context=context, timeout=10)
    try:
        connection.request("GET", parts.path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"tls_client_auth_san_dns": "a", "tls_client_auth_san_uri": "b"},
        {"tls_client_auth_subject_dn": "no name"},
        {"auth_methods": ["none"], "tls_client_auth_san_dns": "a"},
        {"auth_methods": ["self_signed_tls_client_auth"]},
        {"auth_methods": ["self_signed_tls_client_auth"], "jwks": {"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB"}]}},
    ],
)
def test_a_client_is_registered_with_what_its_certificate_is_compared_with(
    members: dict[str, Any], issuer: RunningIssuer
) -> None:
    with pytest.raises(InvalidRequestError, match=r"tls_client_auth|x5c"):
        _put(issuer, **members)


def test_a_certificate_without_names_or_that_cannot_be_parsed_is_rejected(alone: Certificate) -> None:
    client = Client(id="a", name="a", auth_methods=("tls_client_auth",), tls_client_auth_san_uri="https://a.example")
    for certificate in (alone.der, b"no certificate"):
        with pytest.raises(OAuthError, match="client certificate"):
            check_certificate(client, certificate)


def test_a_client_ca_needs_tls_and_certificates(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    with pytest.raises(SettingsError, match="--client-ca: clients show certificates"):
        running(client_ca=tmp_path / "text")
    for name in ("text", "missing"):
        with (
            pytest.raises(SettingsError, match=r"--client-ca: .* cannot be used"),
            running(tls=True, client_ca=tmp_path / name),
        ):
            pass
