from __future__ import annotations

import json
from collections.abc import Callable
from typing import ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from service.web.application.application import ResourceServerApplication
from service.web.endpoints.okta_guide import Hello
from service.web.endpoints.resource_metadata import ROUTES
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.scopes import AnyOf
from service.web.responses.resource import WELL_KNOWN, Resource

ISSUERS = ("https://a.example", "https://b.example")


class Things(BearerAuthMixin, tornado.web.RequestHandler):
    scopes: ClassVar = {"GET": AnyOf("read", "admin"), "POST": "read write"}


@pytest.fixture
def public_url() -> str | None:
    return "https://api.example/v1"


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], public_url: str | None) -> ResourceServerApplication:
    resource = Resource(public_url=public_url, authorization_servers=ISSUERS)
    return serve([*ROUTES, (r"/things", Things)], resource=resource, cors_origins=["https://app.example"])


@pytest.mark.parametrize(
    ("suffix", "resource"),
    [
        ("", "https://api.example/v1"),
        ("/v1", "https://api.example/v1"),
        ("/v1/things", "https://api.example/v1/things"),
        ("/v1/a%20thing", "https://api.example/v1/a%20thing"),
        ("/v1/a<thing", None),
        ("/v1/100%", None),
        ("/v1beta", None),
        ("/v2", None),
        ("/", None),
    ],
)
@pytest.mark.gen_test
async def test_metadata_describes_the_resource_and_the_paths_below_it(
    suffix: str, resource: str | None, http_client: AsyncHTTPClient, base_url: str
) -> None:
    response = await http_client.fetch(base_url + WELL_KNOWN + suffix, raise_error=False)
    assert (200 if resource else 404) == response.code
    if resource:
        assert {
            "resource": resource,
            "authorization_servers": list(ISSUERS),
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["admin", "read", "write"],
        } == json.loads(response.body)


@pytest.mark.parametrize("public_url", ["https://api.example/v1/", "https://api.example/"])
@pytest.mark.gen_test
async def test_the_metadata_of_a_challenge_has_the_configured_identifier(
    http_client: AsyncHTTPClient, base_url: str, public_url: str
) -> None:
    """A client compares the two and rejects any other identifier (RFC 9728 section 3.3)."""
    challenge = (await http_client.fetch(f"{base_url}/things", raise_error=False)).headers["WWW-Authenticate"]
    metadata = challenge.partition('resource_metadata="https://api.example')[2].removesuffix('"')
    assert public_url == json.loads((await http_client.fetch(base_url + metadata)).body)["resource"]


@pytest.mark.gen_test
async def test_a_page_of_any_origin_can_read_the_metadata(http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(base_url + WELL_KNOWN, headers={"Origin": "https://other.example"})
    assert "*" == response.headers["Access-Control-Allow-Origin"]


@pytest.mark.gen_test
async def test_a_challenge_links_to_the_metadata(http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(f"{base_url}/things", raise_error=False)
    expected = 'Bearer realm="test", resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"'
    assert expected == response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("public_url", [None])
@pytest.mark.gen_test
async def test_without_a_public_url_the_host_is_used_in_the_metadata_but_not_in_the_challenge(
    http_client: AsyncHTTPClient, base_url: str, public_url: str | None
) -> None:
    for suffix in ("", "/things"):
        metadata = await http_client.fetch(base_url + WELL_KNOWN + suffix)
        assert base_url + suffix == json.loads(metadata.body)["resource"]
        assert "no-store" == metadata.headers["Cache-Control"]
    response = await http_client.fetch(f"{base_url}/things", raise_error=False, headers={"Host": "evil.example"})
    assert 'Bearer realm="test"' == response.headers["WWW-Authenticate"]


@pytest.mark.gen_test
async def test_scopes_are_omitted_if_no_handler_requires_any(
    serve: Callable[..., ResourceServerApplication], http_client: AsyncHTTPClient
) -> None:
    server = serve([*ROUTES, (r"/hello", Hello)]).listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}{WELL_KNOWN}"
    assert "scopes_supported" not in json.loads((await http_client.fetch(url)).body)
    server.stop()


@pytest.mark.gen_test
async def test_only_metadata_that_no_client_can_influence_is_cached(
    http_client: AsyncHTTPClient, base_url: str
) -> None:
    response = await http_client.fetch(base_url + WELL_KNOWN, headers={"Host": "evil.example"})
    assert "max-age=600" == response.headers["Cache-Control"]
    assert "evil.example" not in response.body.decode()
