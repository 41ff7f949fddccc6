"""How long things are good for: each one a second before its end, and at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripted_browser import CALLBACK, SPA, VERIFIER

from okta_wire.row import Row, Section
from okta_wire.sections.access_token import PASSWORD
from okta_wire.sections.authorization import PAGE
from okta_wire.sections.id_token import THIN
from okta_wire.sections.pushed_requests import pushed
from okta_wire.sections.token_success import OWN, WITH_ALL, WITH_ID, exchange, spa_code
from okta_wire.views import claims, redirected
from okta_wire.world import API, NOW, WEB_CLIENT, Request, World, post, token_request

Prepare = Callable[[World], Request]
A_DAY_S = 86_400
A_WEEK_S = 7 * A_DAY_S
FIVE_YEARS_S = 5 * 365 * A_DAY_S
A_QUARTER_S = 90 * A_DAY_S


def _code(after_s: float) -> Prepare:
    def ask(world: World) -> Request:
        code = world.code()
        world.issuer.clock.advance(after_s)
        return token_request("authorization_code", code=code, redirect_uri=CALLBACK)

    return ask


def _refresh(after_s: float, server: str = "default") -> Prepare:
    def ask(world: World) -> Request:
        token = world.refresh_token(server=server)
        world.issuer.clock.advance(after_s)
        return token_request("refresh_token", WEB_CLIENT, server, refresh_token=token)

    return ask


def _used(after_s: float) -> Prepare:
    def ask(world: World) -> Request:
        request = token_request("refresh_token", WEB_CLIENT, "org", refresh_token=world.refresh_token(server="org"))
        world.issuer.clock.advance(after_s - 1)
        world.send(request)
        world.issuer.clock.advance(1)
        return request

    return ask


def _of_spa(world: World) -> dict[str, Any]:
    form = {"client_id": SPA, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return world.answer_to(token_request("authorization_code", None, code=spa_code(world), **form))


def _renewed(world: World, token: str) -> Request:
    return token_request("refresh_token", None, client_id=SPA, refresh_token=token)


def _rotated(after_s: float, leeway: int | None = None) -> Prepare:
    def ask(world: World) -> Request:
        first = _of_spa(world)["refresh_token"]
        if leeway is not None:
            known = {"name": "spa", "auth_methods": ["none"], "grant_types": ["refresh_token"]}
            world.issuer.put("clients", SPA, **known, rotation_leeway=leeway)
        world.send(_renewed(world, first))
        world.issuer.clock.advance(after_s)
        return _renewed(world, first)

    return ask


def _after_reuse(kind: str, *, rotated_after_s: float = 0, reused_after_s: float = 30) -> Prepare:
    def ask(world: World) -> Request:
        first = _of_spa(world)["refresh_token"]
        world.issuer.clock.advance(rotated_after_s)
        newest = world.answer_to(_renewed(world, first))
        world.issuer.clock.advance(reused_after_s)
        world.send(_renewed(world, first))
        return post("introspect", API, token=newest[kind])

    return ask


def _exchanged_before_reuse(world: World) -> Request:
    first = _of_spa(world)["refresh_token"]
    newest = world.answer_to(_renewed(world, first))
    exchanged = world.answer_to(exchange(world, subject_token=newest["access_token"]))["access_token"]
    world.issuer.clock.advance(30)
    world.send(_renewed(world, first))
    return post("introspect", API, token=exchanged)


def _rule(lifetime_s: int) -> Row:
    def ask(world: World) -> Request:
        world.issuer.put("servers", "default", audience="a", policy=[{"access_token_lifetime": lifetime_s}])
        return token_request("password", **PASSWORD, scope="openid")

    return Row(
        f"an access token under a rule of {lifetime_s} seconds", ask, 200, "", WITH_ID, {}, {"expires_in": lifetime_s}
    )


def _idle(rule_s: int, after_s: int) -> Prepare:
    def ask(world: World) -> Request:
        world.issuer.put("servers", "default", audience="a", policy=[{"refresh_token_idle_lifetime": rule_s}])
        got = world.answer_to(token_request("password", **PASSWORD, scope="openid offline_access"))
        world.issuer.clock.advance(after_s)
        return token_request("refresh_token", refresh_token=got["refresh_token"])

    return ask


DEAD = {"active": False}
REFUSED = "error error_description"

SECTION = Section(
    "Lifetimes",
    (
        Row(
            "an access token",
            token_request("password", **PASSWORD, scope="api:read"),
            200,
            "",
            OWN,
            {},
            {"expires_in": 3600},
        ),
        _rule(300),
        _rule(86_400),
        Row(
            "an ID token",
            token_request("password", **PASSWORD, scope="openid profile email"),
            200,
            "",
            THIN,
            {},
            {"iat": NOW, "exp": NOW + 3600},
            claims("id_token"),
        ),
        Row("a code after 299 seconds", _code(299), 200, "", WITH_ID),
        Row("a code after 300 seconds", _code(300), 400, "invalid_grant", REFUSED),
        Row("a pushed request after 3599 seconds", pushed(after_s=3599), 302, "", "code state", view=redirected),
        Row("a pushed request after 3600 seconds", pushed(after_s=3600), 400, "invalid_request_uri", "", PAGE),
        Row("a refresh token unused for a week less a second", _refresh(A_WEEK_S - 1), 200, "", WITH_ALL),
        Row("a refresh token unused for a week", _refresh(A_WEEK_S), 400, "invalid_grant", REFUSED),
        Row("a refresh token under a rule of ten minutes, after 599 seconds", _idle(600, 599), 200, "", WITH_ALL),
        Row(
            "a refresh token under a rule of ten minutes, after 600 seconds",
            _idle(600, 600),
            400,
            "invalid_grant",
            REFUSED,
        ),
        Row(
            "a refresh token under a rule of five years, a second before",
            _idle(FIVE_YEARS_S, FIVE_YEARS_S - 1),
            200,
            "",
            WITH_ALL,
        ),
        Row(
            "a token of the org server a second before ninety days",
            _refresh(90 * A_DAY_S - 1, server="org"),
            200,
            "",
            WITH_ALL,
        ),
        Row(
            "a token of the org server after ninety days, used or not",
            _used(A_QUARTER_S),
            400,
            "invalid_grant",
            REFUSED,
        ),
        Row("a rotated refresh token after 29 seconds", _rotated(29), 200, "", WITH_ALL),
        Row("a rotated refresh token after 30 seconds", _rotated(30), 400, "invalid_grant", REFUSED),
        Row("the newest refresh token after that", _after_reuse("refresh_token"), 200, "", "active", {}, DEAD),
        Row("the newest access token after that", _after_reuse("access_token"), 200, "", "active", {}, DEAD),
        Row("a token that was exchanged for it, after that", _exchanged_before_reuse, 200, "", "active", {}, DEAD),
        Row(
            "the newest refresh token after a reuse of one that has expired",
            _after_reuse("refresh_token", rotated_after_s=6 * A_DAY_S, reused_after_s=2 * A_DAY_S),
            200,
            "",
            "active",
            {},
            DEAD,
        ),
        Row(
            "a rotated refresh token directly after its rotation, without leeway",
            _rotated(0, leeway=0),
            400,
            "invalid_grant",
            REFUSED,
        ),
        Row("a token with a leeway of 60, after 59 seconds", _rotated(59, leeway=60), 200, "", WITH_ALL),
        Row("a token with a leeway of 60, after 60 seconds", _rotated(60, leeway=60), 400, "invalid_grant", REFUSED),
    ),
)
