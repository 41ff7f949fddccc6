from __future__ import annotations

import contextlib
from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.clock import SystemClock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient, JSONResponse
from service.issuers.failures import NoDocument, NotJSON, UnexpectedStatus
from service.issuers.keys import RemoteKeySet
from service.issuers.metadata import AuthorizationServerMetadata, discover, read_jwks_uri
from service.settings.profiles.locations import Locations

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
        self.absent = False

    async def get(self, url: str, *, purpose: str = "document") -> JSONResponse:  # noqa: ARG002  # of the base class
        self.urls.append(url)
        if self.absent:
            raise NotJSON(f"GET {url}: the response is not a JSON object")
        return JSONResponse(url=url, document=self.document, max_age=None, date=None)


@pytest.mark.gen_test
async def test_nothing_is_sent_to_an_http_endpoint_of_an_https_issuer() -> None:
    client = _Recorder({"issuer": ISSUER, "jwks_uri": "http://127.0.0.1:9/keys"})
    keys = RemoteKeySet(ISSUER, client=client, clock=SystemClock())
    with pytest.raises(IssuerUnavailable, match=r"jwks_uri was 'http://127\.0\.0\.1:9/keys'; expected https"):
        await keys.check_ready()
    assert [f"{ISSUER}/.well-known/openid-configuration"] == client.urls
    await keys.close()


ABSENT: dict[str, dict[str, Any]] = {
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404},
    "410": {"status": 410},
    "an HTML page": {"status": 200, "body": "<!doctype html><title>Sign in</title>"},
    "an empty page": {"empty": True},
}


@pytest.mark.parametrize("absent", ABSENT.values(), ids=ABSENT.keys())
@pytest.mark.gen_test
async def test_the_next_well_known_url_is_used_where_the_first_has_no_document(
    absent: dict[str, Any], client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("discovery", times=1, **absent)
    assert fake_issuer.issuer_url() == (await discover(fake_issuer.issuer_url(), client)).value.issuer


@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
@pytest.mark.gen_test
async def test_a_failing_issuer_gets_no_requests_for_other_urls(
    status: int, client: JSONClient, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("discovery", status=status)
    with pytest.raises(UnexpectedStatus):
        await discover(fake_issuer.issuer_url(), client)
    assert 1 == fake_issuer.requests("discovery").count


@pytest.mark.gen_test
async def test_every_url_without_a_document_is_named(client: JSONClient, fake_issuer: RunningIssuer) -> None:
    url = fake_issuer.url
    fake_issuer.fail("discovery", status=404)
    with pytest.raises(NoDocument) as failure:
        await discover(fake_issuer.issuer_url(), client)
    for path in (
        "/oauth2/default/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/oauth2/default",
        "/.well-known/openid-configuration/oauth2/default",
        "/oauth2/default/.well-known/oauth-authorization-server",
    ):
        assert f"GET {url}{path}: expected 200, got 404" in failure.value.detail


@pytest.mark.gen_test
async def test_an_issuer_without_a_path_has_two_urls() -> None:
    client = _Recorder({"issuer": "https://issuer.example/", "jwks_uri": f"{ISSUER}/keys"})
    client.absent = True
    with pytest.raises(NoDocument):
        await discover("https://issuer.example/", client)
    base = "https://issuer.example/.well-known"
    assert [f"{base}/openid-configuration", f"{base}/oauth-authorization-server"] == client.urls


@pytest.mark.gen_test
async def test_only_the_metadata_url_of_the_settings_is_requested() -> None:
    url = f"{ISSUER}/.well-known/openid-configuration"
    client = _Recorder({"issuer": ISSUER})
    client.absent = True
    with pytest.raises(NotJSON):
        await discover("https://other.example", client, locations=Locations(metadata_url=url))
    assert [url] == client.urls


@pytest.mark.parametrize("issuer", ["acme.com", "http://issuer.example"])
@pytest.mark.gen_test
async def test_nothing_is_fetched_from_an_issuer_that_is_only_a_name(issuer: str) -> None:
    client = _Recorder({"issuer": issuer})
    with pytest.raises(IssuerUnavailable, match="set metadata_url"):
        await discover(issuer, client)
    assert [] == client.urls


INSIDE = "https://sso.internal:8443/realms/one"
TENANT = "00000000-0000-0000-0000-000000000001"
ENTRA = "https://login.microsoftonline.com/{}/v2.0"

NAMED: dict[str, tuple[str, str, str, bool]] = {
    "the issuer of the settings": (ISSUER, f"{INSIDE}/.well-known/openid-configuration", ISSUER, True),
    "the issuer of the URL": (ISSUER, f"{INSIDE}/.well-known/openid-configuration", INSIDE, True),
    "the issuer of the URL, with a slash": (ISSUER, f"{INSIDE}/.well-known/openid-configuration", f"{INSIDE}/", True),
    "the issuer of RFC 8414's URL": (
        ISSUER,
        "https://sso.internal:8443/.well-known/oauth-authorization-server/realms/one",
        INSIDE,
        True,
    ),
    "a third issuer": (ISSUER, f"{INSIDE}/.well-known/openid-configuration", "https://third.example", False),
    "another issuer of that host": (ISSUER, f"{INSIDE}/.well-known/openid-configuration", f"{INSIDE}x", False),
    "the host of another URL": (ISSUER, f"{INSIDE}/metadata.json", INSIDE, False),
    "a suffix within the path": (ISSUER, f"{INSIDE}/.well-known/openid-configuration/x", f"{INSIDE}/x", False),
    "a longer suffix": (
        ISSUER,
        "https://sso.internal:8443/.well-known/openid-configurations",
        "https://sso.internal:8443s",
        False,
    ),
    "the tenants of Entra": (
        ENTRA.format(TENANT),
        f"{ENTRA.format('common')}/.well-known/openid-configuration",
        ENTRA.format("{tenantid}"),
        True,
    ),
    "the tenants of Entra, for another issuer": (
        ISSUER,
        f"{ENTRA.format('common')}/.well-known/openid-configuration",
        ENTRA.format("{tenantid}"),
        False,
    ),
}


@pytest.mark.parametrize(("issuer", "url", "named", "is_accepted"), NAMED.values(), ids=NAMED.keys())
def test_a_document_elsewhere_names_the_issuer_or_its_own_place(
    issuer: str, url: str, named: str, *, is_accepted: bool
) -> None:
    document = {"issuer": named, "jwks_uri": f"{INSIDE}/keys"}
    expectation = contextlib.nullcontext() if is_accepted else pytest.raises(ValueError, match="expected issuer")
    with expectation:
        metadata = AuthorizationServerMetadata.read(document, issuer=issuer, locations=Locations(metadata_url=url))
        assert (issuer, f"{INSIDE}/keys") == (metadata.issuer, metadata.jwks_uri)


def test_without_a_metadata_url_the_document_names_the_issuer() -> None:
    with pytest.raises(ValueError, match="expected issuer"):
        AuthorizationServerMetadata.read({"issuer": INSIDE}, issuer=ISSUER)


def test_the_urls_of_the_settings_take_precedence() -> None:
    unreachable = "http://localhost:8080/x"
    document = {"issuer": ISSUER, "jwks_uri": unreachable, "introspection_endpoint": unreachable}
    locations = Locations(jwks_uri="https://a.example/keys", introspection_endpoint="https://a.example/introspect")
    metadata = AuthorizationServerMetadata.read(document, issuer=ISSUER, locations=locations)
    assert ("https://a.example/keys", "https://a.example/introspect") == (
        metadata.jwks_uri,
        metadata.introspection_endpoint,
    )


def test_the_endpoints_of_metadata_without_tls_are_on_its_own_host() -> None:
    base = "http://keycloak:8080/realms/one"
    locations = Locations(metadata_url=f"{base}/.well-known/openid-configuration", accepts_http=True)
    document = {"issuer": base, "jwks_uri": f"{base}/certs"}
    assert f"{base}/certs" == AuthorizationServerMetadata.read(document, issuer=ISSUER, locations=locations).jwks_uri
    document["jwks_uri"] = "http://other:8080/certs"
    with pytest.raises(ValueError, match="the setting jwks_uri can name another URL"):
        AuthorizationServerMetadata.read(document, issuer=ISSUER, locations=locations)
