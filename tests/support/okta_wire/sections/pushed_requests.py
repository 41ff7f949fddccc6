"""Requests that do not begin in a browser: pushed ones, and those of devices."""

from __future__ import annotations

from collections.abc import Callable

from scripted_browser import CALLBACK, SPA, WEB, forms

from okta_wire.row import Row, Section, oauth_error, okta_error
from okta_wire.sections.authorization import PAGE, REDIRECT_HEADERS
from okta_wire.sections.token_success import DEVICE_APP, NO_STORE_HEADERS
from okta_wire.views import redirected
from okta_wire.world import WEB_CLIENT, Request, World, at, post

Prepare = Callable[[World], Request]
PUSHED = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "s"}


def pushed(
    *, after_s: float = 0, times: int = 1, client_id: str = WEB, server: str = "default", **more: str
) -> Prepare:
    """A pushed request, so many seconds later, for the so manieth time."""

    def ask(world: World) -> Request:
        world.sign_in()
        name = world.answer_to(post("par", WEB_CLIENT, **{**PUSHED, **more}))["request_uri"]
        world.issuer.clock.advance(after_s)
        query = {"client_id": client_id, "request_uri": name}
        request = Request(path=at("authorize", server), query=query, by_browser=True)
        for _ in range(times - 1):
            world.send(request)
        return request

    return ask


def _spent(case: str, ask: Prepare) -> Row:
    return Row(case, ask, 400, "invalid_request_uri", "", PAGE)


def _in_another_tab(world: World) -> Request:
    request = pushed(prompt="consent")(world)
    tabs = [world.browser.get(world.send(request).headers["Location"]) for _ in range(2)]
    (action, first), (_, second) = (forms(tab)[0] for tab in tabs)
    world.browser.post(action, {**first, "decision": "deny"})
    return Request(path=action, method="POST", form={**second, "decision": "allow"}, by_browser=True)


SECTION = Section(
    "Pushed requests and devices",
    (
        Row(
            "pushing a request",
            post("par", WEB_CLIENT, **PUSHED),
            200,
            "",
            "request_uri expires_in",
            NO_STORE_HEADERS,
            {"request_uri": "urn:okta:{43 characters}", "expires_in": 3600},
        ),
        oauth_error("pushing without credentials", post("par", **PUSHED), 401, "invalid_client"),
        oauth_error(
            "pushing profile without openid",
            post("par", WEB_CLIENT, **{**PUSHED, "scope": "profile"}),
            403,
            "access_denied",
        ),
        okta_error(
            "pushing an unregistered redirect_uri",
            post("par", WEB_CLIENT, **{**PUSHED, "redirect_uri": "https://evil.test"}),
            400,
            "invalid_request",
        ),
        Row("a pushed request", pushed(), 302, "", "code state", REDIRECT_HEADERS, {"state": "s"}, redirected),
        _spent("a pushed request a second time", pushed(times=2)),
        _spent("a pushed request a second time, after an error", pushed(times=2, prompt="none", login_hint="bob")),
        _spent("a pushed request denied in one tab, then allowed in another", _in_another_tab),
        _spent("a pushed request of another client", pushed(client_id=SPA)),
        _spent("a pushed request at another server", pushed(server="partner")),
        Row(
            "a device starts",
            post("device/authorize", client_id=DEVICE_APP, scope="openid"),
            200,
            "",
            "device_code user_code verification_uri verification_uri_complete expires_in interval",
            NO_STORE_HEADERS,
            {
                "device_code": "{uuid}",
                "user_code": "{8 letters}",
                "verification_uri": "{org}/activate",
                "verification_uri_complete": "{org}/activate?user_code={8 letters}",
                "expires_in": 600,
                "interval": 5,
            },
        ),
        oauth_error(
            "a device of an unknown client",
            post("device/authorize", client_id=SPA, scope="openid"),
            400,
            "unauthorized_client",
        ),
    ),
)
