"""Tokens that Google's Identity-Aware Proxy and Cloudflare Access sign themselves, with their keys at ``jwks_uri``."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import docutils.core
import docutils.nodes
import jwt
import pytest
import tornado.web
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app

EC_KEY, OTHER_EC_KEY = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
RSA_KEY = generate_rsa_key(65537, 2048)

PUBLIC_KEYS: dict[str, dict[str, Any]] = {
    "/ES256": {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "alg": "ES256"},
    "/RS256": {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "alg": "RS256"},
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A proxy: its header, its key set and its tokens."""

    source: str
    header: str
    issuer: str
    audience: str
    alg: str
    key: Any = field(repr=False)
    claims: dict[str, Any]
    as_list: bool = False

    def token(self, *, key: Any = None, **claims: Any) -> str:
        now = int(time.time())
        audience = [self.audience] if self.as_list else self.audience
        all_claims = {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + 600, **self.claims, **claims}
        return jwt.encode(all_claims, key or self.key, algorithm=self.alg, headers={"kid": "current"})


IAP = Kind(
    source="google-iap",
    header="X-Goog-IAP-JWT-Assertion",
    issuer="https://cloud.google.com/iap",
    audience="/projects/123456789/global/backendServices/987654321",
    alg="ES256",
    key=EC_KEY,
    claims={"sub": "accounts.google.com:1234", "email": "alice@example.com", "hd": "example.com"},
)
CLOUDFLARE: dict[str, Any] = {
    "source": "cloudflare-access",
    "header": "Cf-Access-Jwt-Assertion",
    "issuer": "https://team.cloudflareaccess.com",
    "audience": "f" * 64,
    "claims": {
        "sub": "7335d417-61da",
        "email": "alice@example.com",
        "type": "app",
        "identity_nonce": "6ei69kawdKzMIAPF",
    },
    "as_list": True,
}
KINDS = {
    "Google IAP": IAP,
    "Cloudflare Access": Kind(**CLOUDFLARE, alg="RS256", key=RSA_KEY),
    "Cloudflare Access with ES256": Kind(**CLOUDFLARE, alg="ES256", key=EC_KEY),
}


class Keys(tornado.web.RequestHandler):
    """Serves the key set of a proxy."""

    def get(self) -> None:
        ec, rsa = (
            ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True),
            RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True),
        )
        key = ec | {"alg": "ES256"} if self.request.path == "/ES256" else rsa | {"alg": "RS256"}
        self.write({"keys": [key | {"kid": "current", "use": "sig"}], "public_cert": {"kid": "current", "cert": "-"}})


class Report(BearerAuthMixin, tornado.web.RequestHandler):
    token_sources: ClassVar = ["google-iap", "cloudflare-access"]

    def get(self) -> None:
        self.write({"email": self.principal.claims["email"]})


@pytest.fixture(params=[*KINDS.values()], ids=[*KINDS])
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def url(kind: Kind, listen: Callable[[ResourceServerApplication], str]) -> Iterator[str]:
    """Serve an API that trusts the proxy, whose keys are at an endpoint of ours, and nothing else of it."""
    listening, port = bind_unused_port()
    server = HTTPServer(tornado.web.Application([("/.S256", Keys)]))
    server.add_sockets([listening])
    settings = Settings(
        issuer=kind.issuer,
        audience=(kind.audience,),
        algorithms=(kind.alg,),
        jwks_uri=f"http://127.0.0.1:{port}/{kind.alg}",
    )
    yield listen(make_app(settings, routes=[("/report", Report)]))
    server.stop()


@pytest.mark.gen_test
async def test_the_token_of_a_proxy_is_accepted_with_its_own_keys(
    kind: Kind, url: str, http_client: AsyncHTTPClient
) -> None:
    response = await http_client.fetch(f"{url}/report", headers={kind.header: kind.token()})
    assert b'{"email": "alice@example.com"}' == response.body


OTHERS: dict[str, dict[str, Any]] = {
    "another application of the same proxy": {"aud": "/projects/123456789/apps/another"},
    "another issuer": {"iss": "https://other.cloudflareaccess.com"},
    "an expired token": {"exp": int(time.time()) - 3600},
    "a token without an end": {"exp": None},
}


@pytest.mark.parametrize("claims", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.gen_test
async def test_another_token_of_the_proxy_is_rejected(
    claims: dict[str, Any], kind: Kind, url: str, http_client: AsyncHTTPClient
) -> None:
    headers = {kind.header: kind.token(**claims)}
    assert 401 == (await http_client.fetch(f"{url}/report", headers=headers, raise_error=False)).code


@pytest.mark.gen_test
async def test_a_token_by_another_key_or_in_another_header_is_rejected(
    kind: Kind, url: str, http_client: AsyncHTTPClient
) -> None:
    other = OTHER_EC_KEY if kind.alg == "ES256" else generate_rsa_key(65537, 2048)
    for headers in ({kind.header: kind.token(key=other)}, {"Authorization": f"Bearer {kind.token()}"}):
        assert 401 == (await http_client.fetch(f"{url}/report", headers=headers, raise_error=False)).code


def test_the_settings_of_the_page_are_valid() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "token-sources.rst"
    blocks = docutils.core.publish_doctree(page.read_text("utf-8")).findall(docutils.nodes.literal_block)
    (shown,) = [block.astext() for block in blocks if "toml" in block["classes"]]
    issuers = {issuer.issuer: issuer for issuer in Settings(**tomllib.loads(shown)).trusted_issuers}
    assert {"ES256"} == issuers[IAP.issuer].algorithms
    assert {IAP.audience} == issuers[IAP.issuer].audiences
    assert {"RS256"} == issuers["https://team.cloudflareaccess.com"].algorithms
