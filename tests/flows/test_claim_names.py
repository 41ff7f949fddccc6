"""Tokens as each kind of authorization server names their claims, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web
from pydantic import SecretStr
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service import AnyOf, BearerAuthMixin, ResourceServerApplication, Settings, make_app

Listen = Callable[[ResourceServerApplication], str]


class Whoami(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        who = self.principal
        self.write({"client": who.client_id, "scopes": sorted(who.scopes), "roles": sorted(who.roles)})


class ByRole(Whoami):
    roles = AnyOf("admin", "owner")


class ByClaim(Whoami):
    claims: ClassVar = {"realm_access.roles": "admin"}


class ByScope(Whoami):
    scopes = "things:read"


ROUTES = [(r"/whoami", Whoami), (r"/role", ByRole), (r"/claim", ByClaim), (r"/scope", ByScope)]
BARE: dict[str, Any] = {"cid": None, "scp": None, "uid": None, "ver": None, "jti": None}
"""Removes what is particular to Okta."""

SERVERS: dict[str, dict[str, Any]] = {
    "okta": {"cid": "app", "scp": ["things:read"], "roles": ["admin"]},
    "entra": {"azp": "app", "scp": "things:read", "roles": ["admin"], "ver": "2.0"},
    "keycloak": {"azp": "app", "typ": "Bearer", "scope": "things:read", "realm_access": {"roles": ["admin"]}},
    "cognito": {"client_id": "app", "token_use": "access", "scope": "things:read", "cognito:groups": ["admin"]},
    "zitadel": {
        "client_id": "app", "scope": "things:read", "urn:zitadel:iam:org:project:roles": {"admin": {"1": "a.example"}},
    },
    "hydra": {"client_id": "app", "scp": ["things:read"], "ext": {"roles": ["admin"]}},
}  # fmt: skip


class Caller:
    """Calls one service with tokens of the fake issuer."""

    def __init__(self, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, url: str) -> None:
        self._issuer = fake_issuer
        self._client = http_client
        self._url = url

    async def get(self, path: str, claims: dict[str, Any], **members: Any) -> tuple[int, str]:
        token = self._issuer.token(claims=BARE | claims, **members)
        headers = {"Authorization": f"Bearer {token}"}
        response = await self._client.fetch(self._url + path, headers=headers, raise_error=False)
        return response.code, response.headers.get("WWW-Authenticate", "") or response.body.decode()


@pytest.fixture
def serve(listen: Listen, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient) -> Callable[..., Caller]:
    def start(**settings: Any) -> Caller:
        app = make_app(Settings(issuer=fake_issuer.issuer_url(), **settings), routes=ROUTES)
        return Caller(fake_issuer, http_client, listen(app))

    return start


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.gen_test
async def test_client_scopes_and_roles_are_read_as_the_server_names_them(
    server: str, serve: Callable[..., Caller]
) -> None:
    service = serve(profile=server, audience="api://default", allowed_client_ids="app")
    assert (200, '{"client": "app", "scopes": ["things:read"], "roles": ["admin"]}') == await service.get(
        "/whoami", SERVERS[server]
    )
    assert 200 == (await service.get("/role", SERVERS[server]))[0]
    assert 200 == (await service.get("/scope", SERVERS[server]))[0]
    without_role = {name: value for name, value in SERVERS[server].items() if "admin" not in str(value)}
    status, challenge = await service.get("/role", without_role)
    assert 403 == status
    assert "has no role" in challenge
    other = {name: "other" if value == "app" else value for name, value in SERVERS[server].items()}
    assert 401 == (await service.get("/whoami", other))[0]


@pytest.mark.gen_test
async def test_a_requirement_may_name_a_member_of_a_claim(serve: Callable[..., Caller]) -> None:
    service = serve(audience="api://default")
    assert 200 == (await service.get("/claim", {"realm_access": {"roles": ["admin"]}}))[0]
    for claims in ({"realm_access": {"roles": ["user"]}}, {"realm_access": ["admin"]}, {}):
        assert 403 == (await service.get("/claim", claims))[0]


@pytest.mark.gen_test
async def test_a_token_that_names_two_clients_is_rejected(serve: Callable[..., Caller]) -> None:
    claims = {"azp": "other", "client_id": "app"}
    assert 401 == (await serve(audience="api://default", profile="generic").get("/whoami", claims))[0]
    service = serve(audience="api://default", profile="generic", client_id_claims="azp")
    assert (200, '{"client": "other", "scopes": [], "roles": []}') == await service.get("/whoami", claims)


@pytest.mark.gen_test
async def test_scopes_are_read_from_a_claim_that_is_set(serve: Callable[..., Caller]) -> None:
    service = serve(audience="api://default", scope_claims="permissions, scope")
    assert 200 == (await service.get("/scope", {"permissions": ["things:read"]}))[0]
    assert 200 == (await service.get("/scope", {"scope": "things:read"}))[0]
    assert 403 == (await service.get("/scope", {"permissions": [], "scope": "things:read"}))[0]


@pytest.mark.gen_test
async def test_tokens_without_an_audience_are_accepted_from_allowed_clients_only(serve: Callable[..., Caller]) -> None:
    service = serve(profile="cognito", allowed_client_ids="app")
    cognito = SERVERS["cognito"] | {"aud": None}
    assert 200 == (await service.get("/whoami", cognito))[0]
    for claims in ({"client_id": "other"}, {"client_id": None}, {"token_use": "id"}, {"aud": "api://elsewhere"}):
        assert 401 == (await service.get("/whoami", cognito | claims))[0]
    strict = serve(profile="cognito", audience="api://default", allowed_client_ids="app")
    assert 401 == (await strict.get("/whoami", cognito))[0]


@pytest.mark.gen_test
async def test_an_id_token_of_entra_is_rejected_although_its_audience_is_right(serve: Callable[..., Caller]) -> None:
    service = serve(profile="entra", audience="api://default")
    status, challenge = await service.get("/whoami", {"nonce": "n", "tid": "t", "ver": "2.0"})
    assert 401 == status
    assert "ID token" in challenge


@pytest.mark.gen_test
async def test_access_tokens_of_adfs_have_an_issuer_of_their_own(
    listen: Listen, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    own = "http://fs.example.com/adfs/services/trust"
    settings = Settings(
        issuer=fake_issuer.issuer_url(), profile="adfs", audience=("api://default",), access_token_issuer=own
    )
    service = Caller(fake_issuer, http_client, listen(make_app(settings, routes=ROUTES)))
    assert 200 == (await service.get("/scope", {"iss": own, "appid": "app", "scp": "things:read"}))[0]
    assert 401 == (await service.get("/scope", {"appid": "app", "scp": "things:read"}))[0]


HTTP_ISSUER = "http://keycloak:8080/realms/one"


class ContainerNetwork(tornado.web.RequestHandler):
    """Stands for the proxy through which ``http://keycloak:8080`` is reached."""

    def initialize(self, fake_issuer: RunningIssuer, jwks_uri: str) -> None:
        self._fake_issuer = fake_issuer
        self._jwks_uri = jwks_uri

    async def get(self) -> None:
        assert self.request.uri is not None
        if self.request.uri == f"{HTTP_ISSUER}/.well-known/openid-configuration":
            self.write({"issuer": HTTP_ISSUER, "jwks_uri": self._jwks_uri})
        else:
            response = await AsyncHTTPClient().fetch(f"{self._fake_issuer.issuer_url()}/v1/keys")
            self.write(response.body)


@pytest.mark.parametrize(
    ("jwks_uri", "status"), [("http://keycloak:8080/certs", 200), ("http://other:8080/certs", 503)]
)
@pytest.mark.gen_test
async def test_an_issuer_without_tls_is_accepted_by_a_setting_that_says_so(
    jwks_uri: str, status: int, listen: Listen, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    network = tornado.httpserver.HTTPServer(
        tornado.web.Application([(r".*", ContainerNetwork, {"fake_issuer": fake_issuer, "jwks_uri": jwks_uri})])
    )
    (socket,) = tornado.netutil.bind_sockets(0, "127.0.0.1")
    network.add_sockets([socket])
    settings = Settings(
        issuer=HTTP_ISSUER,
        audience=("api://default",),
        insecure_accept_http_issuer=True,
        http_proxy=SecretStr(f"http://127.0.0.1:{socket.getsockname()[1]}"),
    )
    service = Caller(fake_issuer, http_client, listen(make_app(settings, routes=ROUTES)))
    assert status == (await service.get("/whoami", {"iss": HTTP_ISSUER, "azp": "app"}))[0]
    network.stop()
