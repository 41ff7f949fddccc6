"""Every demand that a handler can make, over real HTTP, with tokens of the fake issuer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import AnyOf, BearerAuthMixin, Principal, ResourceServerApplication, Settings, make_app, policy
from service.clock import ManualClock


class EchoHandler(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"user": self.current_user.subject if self.current_user else None})


class AnyScope(EchoHandler):
    scopes: ClassVar = AnyOf("api:read", "api:admin")


class Admins(EchoHandler):
    groups = "Admins"


class Finance(EchoHandler):
    claims: ClassVar = {"department": "finance"}


class OneClient(EchoHandler):
    allowed_clients = "0oaservice0000000001"


class TwoFactors(EchoHandler):
    acr_values = "urn:okta:loa:2fa:any"
    max_age = 300


class Optional(EchoHandler):
    optional = True

    @tornado.web.authenticated
    def post(self) -> None:
        self.write({"user": self.principal.subject})

    def put(self) -> None:
        self.write({"user": self.principal.subject})

    def delete(self) -> None:
        raise tornado.web.HTTPError(403, "the author's own")

    @tornado.web.authenticated
    def head(self) -> None:
        """Answer those who are known."""


class Own(EchoHandler):
    def authorize(self, principal: Principal) -> bool:
        return super().authorize(principal) is True and principal.subject == self.get_query_argument("owner")


class Mixed(EchoHandler):
    public = True

    @policy(scopes="api:write")
    def post(self) -> None:
        self.write({"user": self.principal.subject})


ROUTES = [
    (f"/{kind.__name__}", kind)
    for kind in (AnyScope, Admins, Finance, OneClient, TwoFactors, Optional, Own, Mixed)
]  # fmt: skip


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, manual_clock: ManualClock) -> Iterator[ResourceServerApplication]:
    service = make_app(Settings(issuer=fake_issuer.issuer_url()), routes=ROUTES, clock=manual_clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def call(http_client: AsyncHTTPClient, base_url: str) -> Callable[..., Any]:
    async def send(path: str, token: str | None, method: str = "GET") -> HTTPResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await http_client.fetch(
            f"{base_url}/{path}", method=method, headers=headers, raise_error=False, allow_nonstandard_methods=True
        )

    return send


CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "one scope of two": ("AnyScope", {"scp": "api:admin"}, 200),
    "neither scope": ("AnyScope", {"scp": "api:write"}, 403),
    "the group": ("Admins", {"claims": {"groups": ["Everyone", "Admins"]}}, 200),
    "no group": ("Admins", {}, 403),
    "the claim": ("Finance", {"claims": {"department": "finance"}}, 200),
    "another claim": ("Finance", {"claims": {"department": "sales"}}, 403),
    "the client": ("OneClient", {"cid": "0oaservice0000000001"}, 200),
    "another client": ("OneClient", {"cid": "0oaweb00000000000001", "sub": "alice@example.com"}, 403),
    "the owner": ("Own?owner=alice@example.com", {"sub": "alice@example.com"}, 200),
    "another user": ("Own?owner=bob@example.com", {"sub": "alice@example.com"}, 403),
}


@pytest.mark.parametrize(("path", "token", "status"), CASES.values(), ids=CASES.keys())
@pytest.mark.gen_test
async def test_the_response_has_the_expected_status(
    path: str, token: dict[str, Any], status: int, call: Callable[..., Any], fake_issuer: RunningIssuer
) -> None:
    minted = fake_issuer.token(**token)
    for _ in range(2):  # validated, then cached
        response = await call(path, minted)
        assert status == response.code
    assert 401 == (await call(path, None)).code
    if status == 403:
        assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


@pytest.mark.gen_test
async def test_a_weak_or_old_sign_in_gets_a_step_up_challenge(
    call: Callable[..., Any], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    now = int(manual_clock.now())
    for acr, auth_time, status in [
        ("urn:okta:loa:2fa:any", now, 200),
        ("phr", now - 299, 200),
        ("urn:okta:loa:1fa:any", now, 401),
        ("urn:okta:loa:2fa:any", now - 301, 401),
    ]:
        token = fake_issuer.token(claims={"acr": acr, "auth_time": auth_time})
        response = await call("TwoFactors", token)
        assert status == response.code
        if status == 401:
            challenge = response.headers.get_list("WWW-Authenticate")[0]
            assert 'error="insufficient_user_authentication"' in challenge
            assert challenge.endswith('acr_values="urn:okta:loa:2fa:any", max_age="300"')
    fresh = fake_issuer.token(claims={"acr": "phr", "auth_time": now})
    assert 200 == (await call("TwoFactors", fresh)).code
    manual_clock.advance(301)
    assert 401 == (await call("TwoFactors", fresh)).code


@pytest.mark.gen_test
async def test_an_optional_token_is_validated_if_present(call: Callable[..., Any], fake_issuer: RunningIssuer) -> None:
    good = fake_issuer.token(sub="alice@example.com")
    assert {"user": None} == json.loads((await call("Optional", None)).body)
    assert {"user": "alice@example.com"} == json.loads((await call("Optional", good)).body)
    assert 401 == (await call("Optional", "nonsense")).code
    assert 401 == (await call("Optional", fake_issuer.token(expires_in=-600))).code
    assert 400 == (await call("Optional", "a b")).code


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
@pytest.mark.gen_test
async def test_an_anonymous_request_to_a_method_that_needs_a_user_gets_a_challenge(
    method: str, call: Callable[..., Any], fake_issuer: RunningIssuer
) -> None:
    response = await call("Optional", None, method)
    assert (401, 'Bearer realm="api"') == (response.code, response.headers.get_list("WWW-Authenticate")[0])
    assert 200 == (await call("Optional", fake_issuer.token(), method)).code


@pytest.mark.gen_test
async def test_a_403_that_the_handler_raises_stays_403(call: Callable[..., Any]) -> None:
    assert 403 == (await call("Optional", None, "DELETE")).code


@pytest.mark.gen_test
async def test_a_decorated_method_of_a_public_handler_is_protected(
    call: Callable[..., Any], fake_issuer: RunningIssuer
) -> None:
    assert 200 == (await call("Mixed", None)).code
    assert 401 == (await call("Mixed", None, "POST")).code
    assert 403 == (await call("Mixed", fake_issuer.token(scp="api:read"), "POST")).code
    assert 200 == (await call("Mixed", fake_issuer.token(scp="api:write"), "POST")).code


@pytest.mark.gen_test
async def test_hierarchical_scope_matching_applies_if_configured(
    fake_issuer: RunningIssuer,
    listen: Callable[[ResourceServerApplication], str],
    manual_clock: ManualClock,
    http_client: AsyncHTTPClient,
) -> None:
    settings = Settings(issuer=fake_issuer.issuer_url(), scope_matching="hierarchy")
    url = listen(make_app(settings, routes=ROUTES, clock=manual_clock))
    headers = {"Authorization": f"Bearer {fake_issuer.token(scp='api')}"}
    assert 200 == (await http_client.fetch(f"{url}/AnyScope", headers=headers)).code
