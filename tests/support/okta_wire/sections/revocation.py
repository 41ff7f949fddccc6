"""Revoking: the answer, and what is dead after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from okta_wire.row import Row, Section, oauth_error
from okta_wire.sections.access_token import PASSWORD
from okta_wire.sections.introspection import OF_A_USER
from okta_wire.sections.token_success import EVERYWHERE
from okta_wire.world import API, WEB_CLIENT, Request, World, post, token_request

Prepare = Callable[[World], Request]
HEADERS = {name: value for name, value in EVERYWHERE.items() if name != "Content-Type"} | {"Content-Length": "0"}


def _revoke(world: World, token: str, **form: str) -> Request:
    return post("revoke", WEB_CLIENT, token=token, **form)


def _pair(world: World) -> tuple[str, str]:
    refresh_token = world.refresh_token()
    return refresh_token, world.user_token(refresh_token=refresh_token)


def _after(revoked: int, asked: int) -> Prepare:
    def ask(world: World) -> Request:
        pair = _pair(world)
        world.send(_revoke(world, pair[revoked]))
        return post("introspect", API, token=pair[asked])

    return ask


def _anothers(world: World) -> Request:
    token = world.user_token(cid="0oaspa00000000000001")
    world.send(_revoke(world, token))
    return post("introspect", API, token=token)


def _device_secret(world: World) -> Request:
    scope = "openid offline_access device_sso"
    secret = world.answer_to(token_request("password", **PASSWORD, scope=scope))["device_secret"]
    world.send(_revoke(world, secret, token_type_hint="device_secret"))
    return post("introspect", API, token=secret)


def _twice(world: World) -> Request:
    request = _revoke(world, world.user_token())
    world.send(request)
    return request


def _dead(case: str, ask: Prepare) -> Row:
    return Row(case, ask, 200, "", "active", {}, {"active": False})


def _alive(case: str, ask: Prepare, members: str = OF_A_USER) -> Row:
    values: dict[str, Any] = {"active": True}
    return Row(case, ask, 200, "", members, {}, values)


SECTION = Section(
    "Revocation",
    (
        Row("a client's own token", lambda world: _revoke(world, world.user_token()), 200, headers=HEADERS),
        Row("a token that is already revoked", _twice, 200),
        Row("an unknown token", post("revoke", WEB_CLIENT, token="nonsense"), 200),
        Row("with a hint", lambda world: _revoke(world, world.user_token(), token_type_hint="access_token"), 200),
        _dead("the access token after its revocation", _after(1, 1)),
        _alive("its refresh token", _after(1, 0), "active token_type scope client_id username exp sub device_id"),
        _dead("the refresh token after its revocation", _after(0, 0)),
        _dead("its access token", _after(0, 1)),
        _dead("a device secret after its revocation", _device_secret),
        _alive("a token of another client after an attempt", _anothers),
        oauth_error("the parameter token is missing", post("revoke", WEB_CLIENT), 400, "invalid_request"),
        oauth_error("no credentials", post("revoke", token="x"), 401, "invalid_client"),
    ),
)
