"""A handler that takes the method from a header needs what the method that runs needs, over real HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import tornado.web
from pydantic import SecretStr
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, make_app, policy
from service.clock import ManualClock


class Items(BearerAuthMixin, tornado.web.RequestHandler):
    """Each method has requirements of its own, which every one of these tokens meets or not."""

    def prepare(self) -> None:
        if method := self.request.headers.get("X-HTTP-Method-Override"):
            self.request.method = method.upper()

    @policy(scopes="items:write")
    def post(self) -> None:
        self.write("POST")

    @policy(scopes="items:delete")
    def delete(self) -> None:
        self.write("DELETE")

    @policy(validation="introspection")
    def put(self) -> None:
        self.write("PUT")

    @policy(acr_values="phr", max_age=300)
    def patch(self) -> None:
        self.write("PATCH")

    @policy(allowed_clients="0oaservice0000000001")
    def get(self) -> None:
        self.write("GET")


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, manual_clock: ManualClock) -> Iterator[ResourceServerApplication]:
    settings = Settings(
        issuer=fake_issuer.issuer_url(),
        validation="jwt",
        client_id="0oaapi00000000000001",
        client_secret=SecretStr("api-secret-for-tests-only-00000000001"),
    )
    service = make_app(settings, routes=[(r"/items", Items)], clock=manual_clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def post_as(http_client: AsyncHTTPClient, base_url: str) -> Callable[[str, str], Awaitable[tuple[int, str]]]:
    """Return a function that sends a POST, to run as another method; it returns the status and the error or method."""

    async def send(token: str, method: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}", "X-HTTP-Method-Override": method}
        response = await http_client.fetch(
            f"{base_url}/items", method="POST", body="", headers=headers, raise_error=False
        )
        challenge = response.headers.get("WWW-Authenticate", "")
        return response.code, challenge.partition('error="')[2].partition('"')[0] or response.body.decode()

    return send


@pytest.mark.parametrize(
    ("method", "token", "expected"),
    [
        ("delete", {"scp": "items:write"}, (403, "insufficient_scope")),
        ("delete", {"scp": "items:delete"}, (403, "insufficient_scope")),
        ("delete", {"scp": "items:write items:delete"}, (200, "DELETE")),
        ("patch", {"scp": "items:write"}, (401, "insufficient_user_authentication")),
        ("patch", {"scp": "items:write", "claims": {"acr": "phr", "auth_time": "now"}}, (200, "PATCH")),
        ("get", {"scp": "items:write", "cid": "0oaweb00000000000001"}, (403, "insufficient_scope")),
        ("get", {"scp": "items:write", "cid": "0oaservice0000000001"}, (200, "GET")),
        ("head", {"scp": "items:write", "cid": "0oaweb00000000000001"}, (403, "insufficient_scope")),
    ],
)
@pytest.mark.gen_test
async def test_a_post_that_becomes_another_method_needs_what_both_need(
    method: str,
    token: dict[str, Any],
    expected: tuple[int, str],
    fake_issuer: RunningIssuer,
    manual_clock: ManualClock,
    post_as: Callable[[str, str], Awaitable[tuple[int, str]]],
) -> None:
    if "claims" in token:
        token = token | {"claims": token["claims"] | {"auth_time": int(manual_clock.now())}}
    minted = fake_issuer.token(**token)
    for _ in range(2):  # validated, then cached
        assert expected == await post_as(minted, method)


@pytest.mark.gen_test
async def test_a_post_that_becomes_a_method_with_introspection_is_introspected(
    fake_issuer: RunningIssuer, post_as: Callable[[str, str], Awaitable[tuple[int, str]]]
) -> None:
    good, revoked = (fake_issuer.token(scp="items:write") for _ in range(2))
    fake_issuer.revoke(revoked)
    assert (200, "POST") == await post_as(revoked, "post")
    assert (401, "invalid_token") == await post_as(revoked, "put")
    assert (200, "PUT") == await post_as(good, "put")
    assert 2 == fake_issuer.requests("introspect").count
