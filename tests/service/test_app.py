from __future__ import annotations

import json

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, SettingsError, make_app
from service.clock import ManualClock
from service.issuers.client import JSONClient


class Things(BearerAuthMixin, RequestHandler):
    scopes = "api:read"

    def get(self) -> None:
        self.write({"hello": self.principal.subject})


class Unprotected(RequestHandler):
    """A handler without the mixin."""


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop) -> ResourceServerApplication:
    return make_app(Settings(issuer=fake_issuer.issuer_url()), routes=[(r"/things", Things)])


@pytest.mark.gen_test
async def test_custom_routes_replace_the_default_ones(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str, fake_issuer: RunningIssuer
) -> None:
    headers = {"Authorization": f"Bearer {fake_issuer.token(sub='alice@example.com')}"}
    response = await http_client.fetch(f"{base_url}/things", headers=headers)
    assert {"hello": "alice@example.com"} == json.loads(response.body)
    assert 404 == (await http_client.fetch(f"{base_url}/api/whoami", raise_error=False)).code
    await app.close()


@pytest.mark.gen_test
async def test_an_unprotected_route_is_rejected() -> None:
    with pytest.raises(SettingsError, match="Unprotected"):
        make_app(Settings(issuer="https://dev-1.okta.com/oauth2/default"), routes=[(r"/", Unprotected)])


@pytest.mark.gen_test
async def test_an_unknown_validation_is_rejected() -> None:
    with pytest.raises(SettingsError, match="validation"):
        make_app(Settings(issuer="https://dev-1.okta.com/oauth2/default", validation="jtw"))


@pytest.mark.gen_test
async def test_the_given_clock_and_client_are_used(fake_issuer: RunningIssuer) -> None:
    clock, client = ManualClock(fake_issuer.clock.now()), JSONClient()
    app = make_app(Settings(issuer=fake_issuer.issuer_url()), client=client, clock=clock)
    await app.warm_up()
    server = app.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/api/whoami"
    headers = {"Authorization": f"Bearer {fake_issuer.token()}"}
    assert 200 == (await AsyncHTTPClient().fetch(url, headers=headers)).code
    clock.advance(3600 + 121)
    assert 401 == (await AsyncHTTPClient().fetch(url, headers=headers, raise_error=False)).code
    server.stop()
    await app.close()
    assert ["keys"] == list((await client.get(f"{fake_issuer.issuer_url()}/v1/keys")).document)
    client.close()


@pytest.mark.gen_test
async def test_a_token_over_the_maximum_size_is_rejected_without_a_request(fake_issuer: RunningIssuer) -> None:
    app = make_app(Settings(issuer=fake_issuer.issuer_url(), max_token_size=512))
    server = app.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/api/whoami"
    headers = {"Authorization": f"Bearer {fake_issuer.token()}"}
    response = await AsyncHTTPClient().fetch(url, headers=headers, raise_error=False)
    assert (401, "The access token is too large") == (response.code, json.loads(response.body)["error_description"])
    assert 0 == fake_issuer.requests().count
    server.stop()
    await app.close()
