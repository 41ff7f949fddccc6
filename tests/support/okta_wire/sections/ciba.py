"""Backchannel authentication: a client names its user, who approves somewhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeissuer.model.grant_types import CIBA
from okta_wire.row import Row, Section, oauth_error
from okta_wire.sections.token_success import NO_STORE_HEADERS, WITH_ID
from okta_wire.signing import LONG_SECRET, signed
from okta_wire.world import ALICE, NOW, WEB_CLIENT, Request, World, post, token_request

Prepare = Callable[[World], Request]
APP = f"app:{LONG_SECRET}"
STARTED = "auth_req_id expires_in interval"
GRANTS = {"grant_types": [CIBA]}


def _start(**form: str | None) -> Prepare:
    def ask(world: World) -> Request:
        world.issuer.put("clients", "app", name="app", secret=LONG_SECRET, **GRANTS)
        sent = {"scope": "openid", "login_hint": ALICE, "binding_message": "Pay 5", **form}
        return post("bc/authorize", APP, **{name: text for name, text in sent.items() if text is not None})

    return ask


def _by_id_token(world: World) -> Request:
    return _start(login_hint=None, id_token_hint=world.issuer.token(kind="id", sub=ALICE))(world)


def _by_object(**claims: Any) -> Prepare:
    def ask(world: World) -> Request:
        asked = {"scope": "openid", "login_hint": ALICE}
        said = {"iss": "app", "aud": world.issuer.issuer_url(), "exp": NOW + 60, **asked, **claims}
        request = signed(said, alg="HS256", secret=LONG_SECRET)
        return _start(scope=None, login_hint=None, binding_message=None, request=request)(world)

    return ask


def _poll(*, allow: bool | None = None, times: int = 1, after_s: float = 0, **form: str) -> Prepare:
    def ask(world: World) -> Request:
        started = world.answer_to(_start()(world))
        if allow is not None:
            world.issuer.approve(ALICE, allow=allow)
        world.issuer.clock.advance(after_s)
        request = token_request(CIBA, APP, **{"auth_req_id": started["auth_req_id"], **form})
        for _ in range(times - 1):
            world.send(request)
        return request

    return ask


SECTION = Section(
    "Backchannel authentication",
    (
        Row(
            "a request",
            _start(),
            200,
            "",
            STARTED,
            NO_STORE_HEADERS,
            {"auth_req_id": "{43 characters}", "expires_in": 300, "interval": 5},
        ),
        Row("the user from an ID token", _by_id_token, 200, "", STARTED),
        Row("as a signed request", _by_object(), 200, "", STARTED),
        Row("for a minute", _start(requested_expiry="60"), 200, "", STARTED, {}, {"expires_in": 60}),
        oauth_error("no credentials", post("bc/authorize", scope="openid", login_hint=ALICE), 401, "invalid_client"),
        oauth_error(
            "a client without the grant",
            post("bc/authorize", WEB_CLIENT, scope="openid", login_hint=ALICE),
            400,
            "unauthorized_client",
        ),
        oauth_error("without a user", _start(login_hint=None), 400, "invalid_request"),
        oauth_error("the user given twice", _start(id_token_hint="x"), 400, "invalid_request"),
        oauth_error("an unknown user", _start(login_hint="mallory"), 400, "unknown_user_id"),
        oauth_error("an unknown ID token", _start(login_hint=None, id_token_hint="x"), 400, "unknown_user_id"),
        oauth_error("without openid", _start(scope="api:read"), 400, "invalid_scope"),
        oauth_error("a message with a tag", _start(binding_message="<b>"), 400, "invalid_binding_message"),
        oauth_error("for too long", _start(requested_expiry="301"), 400, "invalid_request"),
        oauth_error("not yet approved", _poll(), 400, "authorization_pending"),
        oauth_error("polled too often", _poll(times=2), 400, "slow_down"),
        oauth_error("denied", _poll(allow=False), 400, "access_denied"),
        oauth_error("after five minutes", _poll(after_s=300), 400, "expired_token"),
        oauth_error("an unknown auth_req_id", _poll(auth_req_id="x"), 400, "invalid_grant"),
        Row("approved", _poll(allow=True), 200, "", WITH_ID),
        oauth_error("a second time", _poll(allow=True, times=2), 400, "invalid_grant"),
    ),
)
