"""Each authorization server that the fake issuer imitates, with the service's profile of the same name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import tornado.web
from recording_instrumentation import RecordingInstrumentation
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from fakeissuer.profiles.names import PROFILE_NAMES
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app

WEB, SPA = "0oaweb00000000000001", "0oaspa00000000000001"
ALICE, BOB = "alice@example.com", "bob@example.com"
SCOPE = "openid api:read groups"


class Whoami(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        who = self.principal
        self.write({"client": who.client_id, "roles": sorted(who.roles), "scopes": sorted(who.scopes)})


class ByRole(Whoami):
    roles = "Admins"


class ByEmail(Whoami):
    claims = {"email": ALICE}  # noqa: RUF012  # as users write it


ROUTES = [(r"/whoami", Whoami), (r"/role", ByRole), (r"/email", ByEmail)]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A server: the settings beside issuer and profile, and the reasons of the rejections."""

    settings: dict[str, Any] = field(default_factory=dict)
    profile: str = ""
    has_scopes: bool = True
    role_path: str = "/role"
    client: str = WEB
    id_token: str = "wrong_audience"
    another_audience: str = "wrong_audience"
    another_client: str = "client_not_trusted"
    missing_role: str = "role_required"


ROWS: dict[str, Row] = {
    "okta": Row(settings={"roles_claim": "groups"}),
    # The ID tokens of ADFS have another issuer than its access tokens.
    "adfs": Row(settings={"roles_claim": "role"}, id_token="unknown_issuer"),
    "auth0": Row(),
    # The audience of authentik is the client.
    "authentik": Row(
        settings={"audience": WEB}, has_scopes=False, id_token="id_token", another_client="wrong_audience"
    ),
    # Cognito has no audience, so that only the client counts.
    "cognito": Row(settings={"audience": None}),
    "entra": Row(),
    "entra-v1": Row(profile="entra"),
    # Google's tokens name an account instead of a client, and have no roles.
    "google": Row(has_scopes=False, role_path="/email", client="115589951590854546960", missing_role="claim_mismatch"),
    "hydra": Row(),
    "keycloak": Row(),
    # The audience of Zitadel is the project, for ID tokens, too.
    "zitadel": Row(has_scopes=False, id_token="id_token"),
}  # fmt: skip


@dataclass
class Flow:
    """A service that trusts the imitated server."""

    row: Row
    issuer: RunningIssuer
    client: AsyncHTTPClient
    url: str
    rejections: RecordingInstrumentation

    async def get(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        response = await self.client.fetch(self.url + path, headers=headers, raise_error=False)
        return response.code, json.loads(response.body)

    async def rejected(self, path: str, token: str) -> tuple[int, str]:
        status, body = await self.get(path, token)
        assert status in (401, 403), body
        return status, str(self.rejections.responses[-1][2])

    async def signed_in(self, login: str) -> dict[str, str]:
        """Return the token response of the issuer's own token endpoint."""
        form = {"grant_type": "password", "username": login, "password": "password", "scope": SCOPE}
        url = next(server for server in self.issuer.overview().servers if server.id == "default").links["token"]
        response = await self.client.fetch(
            url, method="POST", body=urlencode(form), auth_username=WEB,
            auth_password="web-secret-for-tests-only-00000000001",
        )  # fmt: skip
        tokens: dict[str, str] = json.loads(response.body)
        return tokens


SERVERS = [pytest.param(name, marks=pytest.mark.fake_issuer_profile(name)) for name in ROWS]


@pytest.fixture
def rejections() -> RecordingInstrumentation:
    return RecordingInstrumentation()


@pytest.fixture
def app(name: str, fake_issuer: RunningIssuer, rejections: RecordingInstrumentation) -> ResourceServerApplication:
    row = ROWS[name]
    audience = fake_issuer.get("servers", "default")["audience"]
    settings = {"audience": audience, "allowed_client_ids": row.client, **row.settings}
    settings = {setting: value for setting, value in settings.items() if value is not None}
    return make_app(
        Settings(issuer=fake_issuer.issuer_url(), profile=row.profile or name, **settings),
        routes=ROUTES,
        instrumentation=rejections,
    )


@pytest.fixture
def flow(
    name: str,
    fake_issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
    base_url: str,
    rejections: RecordingInstrumentation,
) -> Flow:
    return Flow(ROWS[name], fake_issuer, http_client, base_url, rejections)


def test_every_profile_of_the_fake_issuer_has_a_row() -> None:
    assert set(PROFILE_NAMES) - {"strict-rfc"} == ROWS.keys()


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.gen_test
async def test_an_access_token_of_the_token_endpoint_is_accepted(name: str, flow: Flow) -> None:
    token = (await flow.signed_in(ALICE))["access_token"]
    status, body = await flow.get(flow.row.role_path, token)
    assert 200 == status, body
    assert flow.row.client == body["client"]
    assert flow.row.has_scopes == ("api:read" in body["scopes"])


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.gen_test
async def test_its_id_token_is_rejected(name: str, flow: Flow) -> None:
    token = (await flow.signed_in(ALICE))["id_token"]
    assert (401, flow.row.id_token) == await flow.rejected("/whoami", token)


@pytest.mark.parametrize("name", [server for server in SERVERS if server.values[0] not in ("adfs", "google")])
@pytest.mark.gen_test
async def test_an_id_token_with_the_audience_of_the_api_is_rejected(name: str, flow: Flow) -> None:
    audience = WEB if name == "authentik" else flow.issuer.get("servers", "default")["audience"]
    token = flow.issuer.token(
        kind="id", sub=ALICE, claims={"aud": None if name == "cognito" else audience, "nonce": "n"}
    )
    assert (401, "id_token") == await flow.rejected("/whoami", token)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.gen_test
async def test_a_token_for_another_audience_is_rejected(name: str, flow: Flow) -> None:
    token = flow.issuer.token(sub=ALICE, scp=SCOPE, aud="https://another-api.example.com")
    assert (401, flow.row.another_audience) == await flow.rejected("/whoami", token)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.gen_test
async def test_a_token_of_another_client_is_rejected(name: str, flow: Flow) -> None:
    token = flow.issuer.token(sub=BOB, cid=SPA, scp=SCOPE)
    assert (401, flow.row.another_client) == await flow.rejected("/whoami", token)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.gen_test
async def test_a_user_without_the_role_is_rejected(name: str, flow: Flow) -> None:
    claims = {"azp": flow.row.client} if name == "google" else {}
    token = flow.issuer.token(sub=BOB, scp=SCOPE, claims=claims)
    assert (403, flow.row.missing_role) == await flow.rejected(flow.row.role_path, token)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.gen_test
async def test_a_token_of_another_server_is_rejected(name: str, flow: Flow) -> None:
    token = flow.issuer.token(server="partner", sub=ALICE, scp=SCOPE)
    assert (401, "unknown_issuer") == await flow.rejected("/whoami", token)
