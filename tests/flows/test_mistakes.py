"""The mistakes that other resource servers made, one test for each that this one could make too.

Two have none here: secrets compared with ``==`` (17), which no program sees and a reader has to, and prose that
drifts (30), which the tests of the documents catch.
"""

from __future__ import annotations

import ast
import inspect
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler

import fakeissuer
import service
from fakeissuer import RunningIssuer
from service import BearerAuthMixin, InvalidToken, ResourceServerApplication, Settings, SettingsError, make_app
from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.tokens import ValidatedTokenCache
from service.settings.issuers import IssuerSettings
from service.tokens.claim_rules import ClaimRules
from service.tokens.claims import check_claims
from service.validators import jwt
from service.validators.base import Validator
from service.web.responses.descriptions import DESCRIPTIONS

PACKAGES = [Path(str(package.__file__)).parent for package in (service, fakeissuer)]
SOURCES = [path for package in PACKAGES for path in package.rglob("*.py")]

Rig = Any  # the fixture's class lives in conftest.py, which cannot be imported from


@pytest.mark.gen_test
async def test_mistake_1_an_outage_answered_as_a_bad_token(rig: Rig) -> None:
    rig.issuer.fail("discovery", drop=True)
    assert 503 == await rig.status(rig.known())


@pytest.mark.gen_test(timeout=60)
async def test_mistake_2_a_fetch_for_each_unknown_key_id(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    tokens = [rig.unknown(number) for number in range(1000)]
    assert {401, 503} == set(await rig.statuses(*tokens))
    assert 1 + 2 == rig.fetches()


@pytest.mark.gen_test(timeout=60)
async def test_mistake_3_a_pause_that_starts_only_after_a_success(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    rig.issuer.fail("keys", status=500)
    assert {503} == set(await rig.statuses(*[rig.unknown(number) for number in range(1000)]))
    assert 2 == rig.fetches()


@pytest.mark.gen_test
async def test_mistake_4_a_failed_fetch_that_throws_good_keys_away(rig: Rig) -> None:
    token = rig.known()
    assert 200 == await rig.status(token)
    rig.issuer.fail("keys", status=500)
    assert 503 == await rig.status(rig.unknown())
    assert 200 == await rig.status(token)


@pytest.mark.gen_test
async def test_mistake_5_old_keys_that_never_leave(rig: Rig) -> None:
    token = rig.known()
    assert 200 == await rig.status(token)
    for key in rig.issuer.keys():
        if key.status == "ACTIVE":
            rig.issuer.rotate()
            rig.issuer.withdraw(key.kid)
    rig.advance(3600)
    assert 401 == await rig.status(token)


@pytest.mark.gen_test
async def test_mistake_6_one_unusual_key_that_invalidates_the_set(rig: Rig) -> None:
    good = (await rig.client.fetch(f"{rig.issuer.issuer_url()}/v1/keys")).body.decode()
    rig.issuer.fail("keys", status=200, body=good.replace('{"keys":[', '{"keys":[{"kty":"AKP","kid":"pq"},'))
    assert 200 == await rig.status(rig.known())


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, True, "1700003600", [], {}], ids=str)
@pytest.mark.gen_test
async def test_mistake_7_a_hostile_number_as_a_date(claim: str, value: object, rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(claims={claim: value}))


@pytest.mark.gen_test
async def test_mistake_8_a_missing_expiration_accepted(rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(claims={"exp": None}))


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "sub", "client_id", "iat", "jti"])
@pytest.mark.gen_test
async def test_mistake_8_a_required_claim_missing_under_the_strict_profile(
    claim: str,
    fake_issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
    listen: Callable[[ResourceServerApplication], str],
) -> None:
    app = make_app(Settings(issuer=fake_issuer.issuer_url(), token_profile="rfc9068"))
    url = f"{listen(app)}/api/whoami"
    complete = {"client_id": "0oaservice0000000001"}
    for claims, status in [(complete, 200), (complete | {claim: None}, 401)]:
        token = fake_issuer.token(header={"typ": "at+jwt"}, claims=claims)
        headers = {"Authorization": f"Bearer {token}"}
        assert status == (await http_client.fetch(url, headers=headers, raise_error=False)).code


def test_mistake_9_security_that_is_off_unless_configured(
    token_cache: ValidatedTokenCache, deny_list: DenyList, binding: BindingCheck
) -> None:
    with pytest.raises(SettingsError):
        Authenticator([], token_cache=token_cache, deny_list=deny_list, binding=binding)


@pytest.mark.gen_test
async def test_mistake_9_a_route_without_a_mark(fake_issuer: RunningIssuer) -> None:
    with pytest.raises(SettingsError):
        make_app(Settings(issuer=fake_issuer.issuer_url()), routes=[(r"/", RequestHandler)])


@pytest.mark.gen_test
async def test_mistake_10_and_18_a_token_rejected_by_one_validator_and_accepted_by_another(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, listen: Callable[[ResourceServerApplication], str]
) -> None:
    """Two issuers, interleaved: keys and audiences of one are never used for tokens of the other."""
    default, partner = fake_issuer.issuer_url(), fake_issuer.issuer_url("partner")
    lax = IssuerSettings(issuer=partner, audience=("api://partner", "api://default"))
    app = make_app(Settings(issuer=default, issuers=(lax,)))
    url = f"{listen(app)}/api/whoami"
    tokens = {
        fake_issuer.token(): 200,
        fake_issuer.token(server="partner"): 200,
        fake_issuer.token(aud="api://partner"): 401,
        fake_issuer.token(claims={"iss": partner}): 401,
        fake_issuer.token(server="partner", claims={"iss": default}): 401,
    }
    for _ in range(2):
        for token, status in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            assert status == (await http_client.fetch(url, headers=headers, raise_error=False)).code


@pytest.mark.parametrize(
    "fields",
    [
        ["Bearer {0}", "Bearer {0}"],
        ["Bearer {0}", "Basic YTpi"],
        ["Bearer {0}, Bearer {0}"],
        ["Bearer"],
        ["Bearer a b"],
    ],
)
@pytest.mark.gen_test
async def test_mistake_11_a_malformed_or_repeated_field_treated_as_missing_or_joined(
    fields: list[str], rig: Rig
) -> None:
    headers = HTTPHeaders()
    for field in fields:
        headers.add("Authorization", field.format(rig.known()))
    response = await rig.client.fetch(f"{rig.url}/api/whoami", headers=headers, raise_error=False)
    assert (400, "invalid_request") == (response.code, json.loads(response.body)["error"])


@pytest.mark.gen_test
async def test_mistake_12_an_error_code_in_the_challenge_without_a_token(rig: Rig) -> None:
    response = await rig.client.fetch(f"{rig.url}/api/whoami", raise_error=False)
    assert 'Bearer realm="api"' == response.headers.get_list("WWW-Authenticate")[0]
    assert "error" not in response.headers["WWW-Authenticate"]


class Scoped(BearerAuthMixin, RequestHandler):
    scopes = "api:admin"

    def get(self) -> None:
        self.write({})


@pytest.mark.gen_test
async def test_mistake_13_a_403_without_the_required_scope(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, listen: Callable[[ResourceServerApplication], str]
) -> None:
    app = make_app(Settings(issuer=fake_issuer.issuer_url()), routes=[(r"/", Scoped)])
    headers = {"Authorization": f"Bearer {fake_issuer.token()}"}
    url = f"{listen(app)}/"
    response = await http_client.fetch(url, headers=headers, raise_error=False)
    assert 403 == response.code
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert 'scope="api:admin"' in response.headers["WWW-Authenticate"]


@pytest.mark.gen_test
async def test_mistake_14_a_403_for_an_anonymous_request(rig: Rig) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        response = await rig.client.fetch(
            f"{rig.url}/api/whoami", method=method, raise_error=False, allow_nonstandard_methods=True
        )
        assert (401, 'Bearer realm="api"') == (response.code, response.headers.get_list("WWW-Authenticate")[0])


@pytest.mark.gen_test
async def test_mistake_15_internal_text_or_token_values_in_a_header(rig: Rig) -> None:
    for bad in rig.issuer.bad_tokens():
        if bad.status == 401:
            headers = {"Authorization": f"Bearer {bad.token}"}
            response = await rig.client.fetch(f"{rig.url}/api/whoami", headers=headers, raise_error=False)
            description = json.loads(response.body)["error_description"]
            assert description in DESCRIPTIONS.values()
            expected = f'Bearer realm="api", error="invalid_token", error_description="{description}"'
            assert expected == response.headers.get_list("WWW-Authenticate")[0]


@pytest.mark.gen_test
async def test_mistake_16_a_token_in_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="service")
    tokens = [rig.known(), *(bad.token for bad in rig.issuer.bad_tokens() if bad.status == 401)]
    for token in tokens:
        await rig.status(token, f"/api/whoami?access_token={token[:200]}")
    parts = {part for token in tokens for part in token.split(".") if len(part) > 40}
    assert not [part for part in parts if part in caplog.text]


@pytest.mark.gen_test
async def test_mistake_19_a_redirect_that_is_followed(rig: Rig) -> None:
    rig.issuer.fail("discovery", redirect=True)
    assert 503 == await rig.status(rig.known())
    assert 1 == rig.issuer.requests("discovery").count


@pytest.mark.parametrize("fault", [{"huge": True}, {"gzip_bomb": True}], ids=str)
@pytest.mark.gen_test
async def test_mistake_20_an_unlimited_body(fault: dict[str, Any], rig: Rig) -> None:
    rig.issuer.fail("keys", **fault)
    assert 503 == await rig.status(rig.known())


@pytest.mark.gen_test
async def test_mistake_20_an_unlimited_time(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.issuers.client.TOTAL_TIMEOUT", 0.3)
    rig.issuer.fail("keys", drip=0.1)
    assert 503 == await rig.status(rig.known())


@pytest.mark.parametrize("typ", ["dpop+jwt", "secevent+jwt", "JWS", "id_token+jwt"])
@pytest.mark.gen_test
async def test_mistake_21_any_type_accepted(typ: str, rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(header={"typ": typ}))


@pytest.mark.gen_test
async def test_mistake_21_an_id_token_used_as_an_access_token(rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(kind="id", aud="api://default"))


@pytest.mark.parametrize("alg", ["none", "HS256"])
@pytest.mark.gen_test
async def test_mistake_22_an_algorithm_chosen_by_the_token(alg: str, rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(alg=alg))


@pytest.mark.gen_test
async def test_mistake_23_a_private_key_in_the_key_set(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    for server in ("default", "partner"):
        keys = json.loads((await http_client.fetch(f"{fake_issuer.issuer_url(server)}/v1/keys")).body)["keys"]
        assert keys
        assert not [key for key in keys if key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}]


@pytest.mark.gen_test
async def test_mistake_24_an_issuer_that_follows_the_host_of_the_request(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    url = f"{fake_issuer.issuer_url()}/.well-known/openid-configuration"
    response = await http_client.fetch(url, headers={"Host": "evil.example"}, raise_error=False)
    assert fake_issuer.issuer_url() == json.loads(response.body)["issuer"]


@pytest.mark.parametrize(
    "credentials", [("0oaapi00000000000001", "wrong"), ("0oaunknown000000001", "api-secret-for-tests-only-00000000001")]
)
@pytest.mark.gen_test
async def test_mistake_25_a_fake_that_accepts_any_client(
    credentials: tuple[str, str], fake_issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    username, password = credentials
    response = await http_client.fetch(
        f"{fake_issuer.issuer_url()}/v1/introspect",
        method="POST",
        body=f"token={fake_issuer.token()}",
        auth_username=username,
        auth_password=password,
        raise_error=False,
    )
    assert 401 == response.code


def test_mistake_26_a_new_validator_that_touches_seven_files() -> None:
    """The example adds one, and nothing of the service knows its name."""
    assert [] == [path for path in SOURCES if "internal_tokens" in path.read_text("utf-8")]


def test_mistake_27_a_module_that_grows_without_limit() -> None:
    lengths = {str(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {} == {name: length for name, length in lengths.items() if length > 250}


def test_mistake_28_a_method_that_may_or_may_not_be_awaited() -> None:
    methods = ("validate", "check_ready", "close")
    for validator in (jwt.JWTValidator, Validator):
        assert all(inspect.iscoroutinefunction(getattr(validator, name)) for name in methods)


def test_mistake_29_stubs_that_repeat_the_code() -> None:
    assert [] == [path for package in PACKAGES for path in package.rglob("*.pyi")]
    assert all((package / "py.typed").is_file() for package in PACKAGES)


def test_mistake_31_import_cycles_hidden_by_late_imports() -> None:
    """The import table counts imports within functions too; beside that, each of them gives its reason."""
    without_reason = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if "noqa: PLC0415" not in path.read_text("utf-8").splitlines()[node.lineno - 1]
    ]
    assert [] == without_reason


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "nbf", "iat", "cnf"])
def test_mistake_32_the_wrong_claim_named(claim: str) -> None:
    """The table of claims asserts the claim of each refusal; here, that each rule's own claim is the one it names."""
    issuer = "https://issuer.example"
    good = {"iss": issuer, "aud": "api://default", "exp": 2_000, "iat": 900, "nbf": 900}
    rules = ClaimRules(issuer=issuer, audiences=frozenset({"api://default"}))
    with pytest.raises(InvalidToken) as error_reply:
        check_claims(good | {claim: [True]}, rules, now=1_000)
    assert claim == error_reply.value.claim
