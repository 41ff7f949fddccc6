from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient

from service.web.application.application import ResourceServerApplication
from service.web.endpoints import okta_guide


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    return serve(okta_guide.ROUTES)


@pytest.mark.parametrize("token", [None, "good", "bad", "unknown"])
@pytest.mark.gen_test
async def test_hello_ignores_the_token(token: str | None, http_client: AsyncHTTPClient, base_url: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = await http_client.fetch(f"{base_url}/api/hello", headers=headers)
    assert {"message": "Hello world!"} == json.loads(response.body)


@pytest.mark.gen_test
async def test_whoami_returns_the_claims(http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(f"{base_url}/api/whoami", headers={"Authorization": "Bearer good~a"})
    assert {"iss": "test", "exp": 1, "sub": "alice", "scp": ["a"]} == json.loads(response.body)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.gen_test
async def test_any_other_path_gives_404_in_json(method: str, http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(
        f"{base_url}/nowhere", method=method, raise_error=False, allow_nonstandard_methods=True
    )
    assert (404, "not_found") == (response.code, json.loads(response.body)["error"])


@pytest.mark.parametrize("path", ["/api/hello", "/api/whoami"])
@pytest.mark.gen_test
async def test_the_endpoints_send_no_entity_tag(path: str, http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(f"{base_url}{path}", headers={"Authorization": "Bearer good~a"})
    assert "Etag" not in response.headers
