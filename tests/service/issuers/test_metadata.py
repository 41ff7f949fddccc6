from __future__ import annotations

from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.clock import SystemClock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient, JSONResponse
from service.issuers.keys import RemoteKeySet
from service.issuers.metadata import AuthorizationServerMetadata, discover, read_jwks_uri

ISSUER = "https://issuer.example/oauth2/default"


@pytest.mark.gen_test
async def test_discovery_returns_the_jwks_uri(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    loaded = await discover(fake_issuer.issuer_url(), client)
    assert f"{fake_issuer.issuer_url()}/v1/keys" == loaded.value.jwks_uri


@pytest.mark.gen_test
async def test_the_oauth_url_is_used_if_the_openid_url_is_404(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", status=404, times=1)
    loaded = await discover(fake_issuer.issuer_url(), client)
    assert fake_issuer.issuer_url() == loaded.value.issuer
    assert [
        "/oauth2/default/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/oauth2/default",
    ] == [request.path for request in fake_issuer.requests("discovery")]


@pytest.mark.gen_test
async def test_the_oauth_url_is_not_used_after_a_500(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", status=500)
    with pytest.raises(IssuerUnavailable, match="500"):
        await discover(fake_issuer.issuer_url(), client)
    assert 1 == fake_issuer.requests("discovery").count


@pytest.mark.gen_test
async def test_a_document_of_another_issuer_is_rejected(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", status=200, body={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/v1/keys"})
    with pytest.raises(IssuerUnavailable, match="expected issuer"):
        await discover(fake_issuer.issuer_url(), client)


DOCUMENTS: dict[str, dict[str, Any]] = {
    "no issuer": {"jwks_uri": f"{ISSUER}/v1/keys"},
    "the issuer with a slash": {"issuer": f"{ISSUER}/", "jwks_uri": f"{ISSUER}/v1/keys"},
    "the issuer in capitals": {"issuer": ISSUER.upper(), "jwks_uri": f"{ISSUER}/v1/keys"},
    "a jwks_uri without TLS": {"issuer": ISSUER, "jwks_uri": "http://issuer.example/keys"},
    "a jwks_uri of a file": {"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"},
    "an introspection endpoint without TLS": {"issuer": ISSUER, "introspection_endpoint": "http://issuer.example/i"},
    "a jwks_uri that is not a URL": {"issuer": ISSUER, "jwks_uri": "https://[::1"},
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_an_invalid_document_is_rejected(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # only the type is specified
        AuthorizationServerMetadata.read(document, issuer=ISSUER)


@pytest.mark.parametrize("jwks_uri", [None, ["https://issuer.example/keys"], 1])
def test_the_jwks_uri_is_optional(jwks_uri: object) -> None:
    metadata = AuthorizationServerMetadata.read({"issuer": ISSUER, "jwks_uri": jwks_uri}, issuer=ISSUER)
    assert metadata.jwks_uri is None
    with pytest.raises(ValueError, match="no jwks_uri"):
        read_jwks_uri({"issuer": ISSUER, "jwks_uri": jwks_uri}, issuer=ISSUER)


@pytest.mark.parametrize(
    ("issuer", "endpoint"),
    [
        ("https://dev-1.okta.com/oauth2/default", "https://dev-1.okta.com/oauth2/default/v1/introspect"),
        ("https://dev-1.okta.com", "https://dev-1.okta.com/oauth2/v1/introspect"),
        ("https://issuer.example", None),
    ],
)
def test_okta_has_a_default_introspection_endpoint(issuer: str, endpoint: str | None) -> None:
    metadata = AuthorizationServerMetadata.read({"issuer": issuer}, issuer=issuer)
    assert (endpoint, None) == (metadata.introspection_endpoint, metadata.introspection_methods)


@pytest.mark.parametrize("name", ["jwks_uri", "introspection_endpoint"])
@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9/x", "http://localhost:9/x", "http://[::1]/x", "HTTP://127.1.1.1/x"]
)
def test_the_endpoints_of_an_https_issuer_are_https(name: str, endpoint: str) -> None:
    document = {"issuer": ISSUER, name: endpoint}
    with pytest.raises(ValueError, match=f"{name} was '{endpoint}'; expected https".replace("[", r"\[")):
        AuthorizationServerMetadata.read(document, issuer=ISSUER)
    if name == "jwks_uri":
        with pytest.raises(ValueError, match="expected https"):
            read_jwks_uri(document, issuer=ISSUER)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9400", "http://localhost:9400", "https://localhost:9400"])
def test_the_endpoints_of_a_loopback_issuer_may_be_http_there(issuer: str) -> None:
    document = {"issuer": issuer, "jwks_uri": "http://127.0.0.1:9400/keys", "introspection_endpoint": "http://[::1]/i"}
    metadata = AuthorizationServerMetadata.read(document, issuer=issuer)
    assert ("http://127.0.0.1:9400/keys", "http://[::1]/i") == (metadata.jwks_uri, metadata.introspection_endpoint)
    for endpoint in ("http://issuer.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/keys"):
        with pytest.raises(ValueError, match="or a loopback address"):
            AuthorizationServerMetadata.read({"issuer": issuer, "jwks_uri": endpoint}, issuer=issuer)


class _Recorder(JSONClient):
    """Returns one document for every URL, and records the URLs."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__()
        self.document = document
        self.urls: list[str] = []

    async def get(self, url: str) -> JSONResponse:
        self.urls.append(url)
        return JSONResponse(url=url, document=self.document, max_age=None, date=None)


@pytest.mark.gen_test
async def test_nothing_is_sent_to_an_http_endpoint_of_an_https_issuer() -> None:
    client = _Recorder({"issuer": ISSUER, "jwks_uri": "http://127.0.0.1:9/keys"})
    keys = RemoteKeySet(ISSUER, client=client, clock=SystemClock())
    with pytest.raises(IssuerUnavailable, match=r"jwks_uri was 'http://127\.0\.0\.1:9/keys'; expected https"):
        await keys.check_ready()
    assert [f"{ISSUER}/.well-known/openid-configuration"] == client.urls
    await keys.close()
