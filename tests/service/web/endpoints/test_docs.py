from __future__ import annotations

import json
from typing import Any

import openapi_spec_validator
import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app, protect
from service.web.endpoints.okta_guide import ROUTES, Hello

ISSUER = "https://dev-1.okta.com/oauth2/default"


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: object) -> ResourceServerApplication:
    return make_app(Settings(issuer=fake_issuer.issuer_url(), realm="things", cors_origins=("https://app.example",)))


@pytest.mark.gen_test
async def test_the_document_lists_the_routes_without_a_request_to_the_issuer(
    http_client: AsyncHTTPClient, base_url: str, fake_issuer: RunningIssuer
) -> None:
    response = await http_client.fetch(f"{base_url}/openapi.json", headers={"Origin": "https://app.example"})
    document = json.loads(response.body)
    openapi_spec_validator.validate(document)
    assert "things" == document["info"]["title"]
    assert {"/openapi.json", "/healthz", "/api/whoami"} <= document["paths"].keys()
    assert ["service"] == document["paths"]["/openapi.json"]["get"]["tags"]
    assert "application/json" == response.headers["Content-Type"]
    assert "https://app.example" == response.headers["Access-Control-Allow-Origin"]
    assert 0 == fake_issuer.requests().count


@pytest.mark.gen_test
async def test_a_client_with_the_current_document_gets_304(http_client: AsyncHTTPClient, base_url: str) -> None:
    first = await http_client.fetch(f"{base_url}/openapi.json")
    headers = {"If-None-Match": first.headers["Etag"]}
    again = await http_client.fetch(f"{base_url}/openapi.json", headers=headers, raise_error=False)
    assert (304, b"", "no-cache") == (again.code, again.body or b"", again.headers["Cache-Control"])


@pytest.mark.gen_test
async def test_routes_added_later_are_described(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str
) -> None:
    app.add_handlers(r".*", [(r"/later", Hello)])
    document = json.loads((await http_client.fetch(f"{base_url}/openapi.json")).body)
    assert "/later" in document["paths"]


async def _serves_document(application: tornado.web.Application) -> bool:
    server = application.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/openapi.json"
    response = await AsyncHTTPClient().fetch(url, raise_error=False)
    server.stop()
    return 200 == response.code and "/api/hello" in json.loads(response.body)["paths"]


@pytest.mark.parametrize(
    ("options", "in_make_app", "in_protect"),
    [({}, True, False), ({"docs": True}, True, True), ({"docs": False}, False, False)],
)
@pytest.mark.gen_test
async def test_docs_default_to_on_in_make_app_and_off_in_protect(
    options: dict[str, Any], *, in_make_app: bool, in_protect: bool
) -> None:
    application, existing = make_app(Settings(issuer=ISSUER, **options)), tornado.web.Application(ROUTES)
    resource_server = protect(existing, Settings(issuer=ISSUER, **options))
    assert in_make_app is await _serves_document(application)
    assert in_protect is await _serves_document(existing)
    await application.close()
    await resource_server.close()
