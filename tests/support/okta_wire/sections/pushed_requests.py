"""Requests that do not begin in a browser: pushed ones, and those of devices."""

from __future__ import annotations

from scripted_browser import CALLBACK, SPA, WEB

from okta_wire.row import Row, Section, oauth_error, okta_error
from okta_wire.sections.authorization import NOT_KEPT, PAGE
from okta_wire.sections.token_success import DEVICE_APP, NEVER_KEPT
from okta_wire.views import redirected
from okta_wire.world import WEB_CLIENT, Request, World, post

PUSHED = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "s"}


def _pushed(world: World) -> Request:
    world.sign_in()
    name = world.answer_to(post("par", WEB_CLIENT, **PUSHED))["request_uri"]
    return Request(path="/oauth2/default/v1/authorize", query={"client_id": WEB, "request_uri": name}, by_browser=True)


def _pushed_twice(world: World) -> Request:
    request = _pushed(world)
    world.send(request)
    return request


SECTION = Section(
    "Pushed requests and devices",
    (
        Row(
            "pushing a request",
            post("par", WEB_CLIENT, **PUSHED),
            200,
            "",
            "request_uri expires_in",
            NEVER_KEPT,
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
        Row("a pushed request", _pushed, 302, "", "code state", NOT_KEPT, {"state": "s"}, redirected),
        Row("a pushed request a second time", _pushed_twice, 400, "invalid_request_uri", "", PAGE),
        Row(
            "a device starts",
            post("device/authorize", client_id=DEVICE_APP, scope="openid"),
            200,
            "",
            "device_code user_code verification_uri verification_uri_complete expires_in interval",
            NEVER_KEPT,
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
            "a device of a client that is none",
            post("device/authorize", client_id=SPA, scope="openid"),
            400,
            "unauthorized_client",
        ),
    ),
)
