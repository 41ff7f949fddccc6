"""What people who run resource servers confuse most often: for each situation, the sentence that solves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fakeissuer import RunningIssuer
from service.clock import SystemClock
from service.errors import SettingsError
from service.issuers.client import JSONClient
from service.operations.doctor.check import check
from service.operations.doctor.explain import explain
from service.settings.program import Settings

WEB = "0oaweb00000000000001"
SERVICE = "0oaservice0000000001"
API = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
V1 = "https://sts.windows.net/{tenant}/"
GRAPH = "00000003-0000-0000-c000-000000000000"
PUBLIC = "https://id.example.com/realms/default"


@pytest.fixture
def client() -> Iterator[JSONClient]:
    client = JSONClient()
    yield client
    client.close()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A confusion: the imitated server, the token, and the sentence.

    Args:
        settings: The settings beside issuer, profile and audience.
        fix: The settings that follow the sentence; None if the client or the issuer must change.
    """

    profile: str
    token: Callable[[RunningIssuer], str]
    sentence: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    fix: Callable[[RunningIssuer], dict[str, Any]] | None = None


def _tenant(issuer: RunningIssuer) -> str:
    return issuer.issuer_url().split("/")[3]


def _v1_token(issuer: RunningIssuer) -> str:
    return issuer.token(claims={"iss": V1.format(tenant=_tenant(issuer)), "appid": WEB, "azp": None})


def _accept_v1(issuer: RunningIssuer) -> dict[str, Any]:
    table = {"issuer": V1.format(tenant=_tenant(issuer)), "profile": "entra", "jwks_uri": _jwks_uri(issuer)}
    return {"issuers": [table | {"audience": issuer.get("servers", "default")["audience"]}]}


def _jwks_uri(issuer: RunningIssuer) -> str:
    return next(server.links["keys"] for server in issuer.overview().servers if server.id == "default")


def _document(issuer: RunningIssuer) -> str:
    return f"{issuer.issuer_url()}/.well-known/openid-configuration"


def _padded(issuer: RunningIssuer) -> str:
    return ".".join(f"{part}=" for part in issuer.token().split("."))


TOKENS: dict[str, Row] = {
    "1, a version 1 token under Entra's version 2 issuer": Row(
        profile="entra",
        token=_v1_token,
        sentence="the manifest of the API decides the version (accessTokenAcceptedVersion), and not the client",
        fix=_accept_v1,
    ),
    "2, a token for Microsoft Graph": Row(
        profile="entra",
        token=lambda issuer: issuer.token(header={"nonce": "n", "kid": None}, key="unpublished"),
        sentence="the client must request a scope of this API, such as api://(application ID)/.default",
    ),
    "2, a token with the audience of Microsoft Graph": Row(
        profile="entra",
        token=lambda issuer: issuer.token(claims={"aud": GRAPH}),
        sentence="the token is for Microsoft Graph, and not for this API: the client must request a scope of this API",
    ),
    "2, the audience in the other form": Row(
        profile="entra",
        token=lambda issuer: issuer.token(claims={"aud": "api://orders/"}),
        sentence="audience may list both",
        fix=lambda issuer: {"audience": (issuer.get("servers", "default")["audience"], "api://orders/")},
    ),
    "4, Auth0 without an audience": Row(
        profile="auth0",
        token=lambda issuer: issuer.token(opaque=True),
        sentence="Auth0 issues such a token if the client's request has no audience: the client must add it",
    ),
    "4, an encrypted token of Auth0": Row(
        profile="auth0",
        token=lambda issuer: f"{issuer.token()}.YQ.YQ",
        sentence="five parts are an encrypted token; Auth0 issues such a token if the client's request has no audience",
    ),
    "5, a slash at the end of iss": Row(
        profile="okta",
        token=lambda issuer: issuer.token(claims={"iss": f"{issuer.issuer_url()}/"}),
        sentence="an extra slash at the end",
    ),
    "6, the audience of Keycloak is account": Row(
        profile="keycloak",
        token=lambda issuer: issuer.token(claims={"aud": "account"}),
        sentence="Keycloak writes account, or no audience, until a client scope has a mapper of the type Audience",
    ),
    "6, Keycloak writes no audience": Row(
        profile="keycloak",
        token=lambda issuer: issuer.token(claims={"aud": None}),
        sentence="until a client scope has a mapper of the type Audience: add one that includes this API",
        fix=lambda _: {"accept_tokens_without_audience": True, "allowed_client_ids": SERVICE},
    ),
    "7, Keycloak is reached by two names": Row(
        profile="keycloak",
        token=lambda issuer: issuer.token(claims={"iss": PUBLIC}),
        sentence="set issuer to the name in the tokens, and metadata_url to the document at the name that this service",
        fix=lambda issuer: {"issuer": PUBLIC, "metadata_url": _document(issuer)},
    ),
    "7, Keycloak introspects for clients in aud only": Row(
        profile="keycloak",
        token=lambda issuer: issuer.token(opaque=True) + "x",
        settings={"validation": "introspection", **API},
        sentence="report a token as active only to a client in its aud, add client_id to the audience there",
    ),
    "7, a proxy ends TLS, and the issuer does not know its public URL": Row(
        profile="keycloak",
        token=lambda issuer: issuer.token(claims={"iss": issuer.issuer_url().replace("http://", "https://")}),
        sentence="as at an issuer behind a proxy that does not know its public URL: set that URL at the issuer",
    ),
    "8, a token of Okta's org server": Row(
        profile="okta",
        token=lambda issuer: issuer.token(server="org"),
        sentence="request one from a custom authorization server, such as …/oauth2/default",
    ),
    "9, an ID token of Cognito": Row(
        profile="cognito",
        token=lambda issuer: issuer.token(kind="id"),
        settings={"audience": None, "allowed_client_ids": WEB},
        sentence="expected an access token, found an ID token: token_use = 'id': send the access token",
    ),
    "9, an access token of Cognito has no aud": Row(
        profile="cognito",
        token=lambda issuer: issuer.token(),
        settings={"accept_tokens_without_audience": False},
        sentence="access tokens of Cognito name only their client",
        fix=lambda _: {"accept_tokens_without_audience": True, "allowed_client_ids": SERVICE},
    ),
    "10, the padded token of a load balancer": Row(
        profile="okta", token=_padded, sentence="send the token in x-amzn-oidc-accesstoken"
    ),
    "10, the two issuers of ADFS": Row(
        profile="adfs",
        token=lambda issuer: issuer.token(),
        settings={"profile": "generic"},
        sentence="ADFS writes another issuer into access tokens than into its metadata: set profile to adfs",
        fix=lambda _: {"profile": "adfs"},
    ),
    "an ID token instead of an access token": Row(
        profile="okta",
        token=lambda issuer: issuer.token(kind="id"),
        sentence="found an ID token: jti",
    ),
    "an access token for Google's APIs": Row(
        profile="google",
        token=lambda _: "ya29.a0AfB_byC",
        sentence="access tokens of Google are for Google's own APIs only: send an ID token whose audience is this API",
    ),
}  # fmt: skip

ROWS = [pytest.param(row, marks=pytest.mark.fake_issuer_profile(row.profile), id=name) for name, row in TOKENS.items()]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.gen_test(timeout=30)
async def test_explain_has_the_sentence_that_solves_it(
    row: Row, fake_issuer: RunningIssuer, client: JSONClient
) -> None:
    audience = fake_issuer.get("servers", "default")["audience"]
    chosen = {"issuer": fake_issuer.issuer_url(), "profile": row.profile, "audience": audience, **row.settings}
    settings = {name: value for name, value in chosen.items() if value is not None}
    token = row.token(fake_issuer)
    explanation = await explain(token, Settings(**settings), client=client, clock=SystemClock())
    report = "\n".join(explanation.lines())
    assert not explanation.accepted
    assert row.sentence in report
    if row.profile != "okta":
        assert "Okta" not in report.replace("a name of Okta that is set", "")
    if row.fix is not None:
        fixed = Settings(**settings | row.fix(fake_issuer))
        after = await explain(token, fixed, client=client, clock=SystemClock())
        assert after.accepted, after.lines()


ISSUERS: dict[str, tuple[dict[str, Any], str]] = {
    "3, common metadata of Entra": (
        {"issuer": "https://login.microsoftonline.com/common/v2.0"},
        "write https://login.microsoftonline.com/{tenantid}/v2.0",
    ),
    "3, the placeholder without tenants": (
        {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
        "list the IDs of the accepted tenants in tenants",
    ),
    "5, Auth0 without the slash": ({"issuer": "https://x.eu.auth0.com"}, "write https://x.eu.auth0.com/"),
}


@pytest.mark.parametrize(("settings", "sentence"), ISSUERS.values(), ids=ISSUERS.keys())
def test_an_issuer_that_is_confused_is_corrected_at_start(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings(audience=("api",), **settings)
    assert sentence in str(error.value)


@pytest.mark.fake_issuer_profile("keycloak")
@pytest.mark.gen_test
async def test_check_says_that_the_realm_is_missing(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    root = fake_issuer.issuer_url().partition("/realms")[0]
    for profile in ("keycloak", None):
        report = await check(
            Settings(issuer=root, audience=("api",), profile=profile), client=client, clock=SystemClock()
        )
        lines = "\n".join(report.lines())
        assert "The issuers of Keycloak end with /realms/(name), before release 17 with /auth/realms/(name)" in lines
        assert "Okta" not in lines
    fixed = Settings(issuer=f"{root}/realms/default", audience=("api",))
    assert (await check(fixed, client=client, clock=SystemClock())).passed


@pytest.mark.fake_issuer_profile("keycloak")
@pytest.mark.gen_test
async def test_explain_says_that_the_realm_is_missing(fake_issuer: RunningIssuer, client: JSONClient) -> None:
    token = fake_issuer.token(claims={"iss": fake_issuer.issuer_url().partition("/realms")[0]})
    settings = Settings(issuer=fake_issuer.issuer_url(), audience=("api",))
    report = "\n".join((await explain(token, settings, client=client, clock=SystemClock())).lines())
    assert "it has no realm, which the issuers of Keycloak end with: /realms/default" in report
