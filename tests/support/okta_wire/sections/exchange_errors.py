"""Errors of the token endpoint for devices, exchanges and assertions."""

from __future__ import annotations

from typing import Any

from scripted_browser import forms

from okta_wire.row import Section, oauth_error
from okta_wire.sections.token_errors import DENIED, Prepare
from okta_wire.sections.token_success import ACCESS_TOKEN, DEVICE, DEVICE_APP, bearer, device, device_sso, exchange
from okta_wire.world import NOW, Request, World, token_request


def _device_sso(**form: str) -> Prepare:
    return lambda world: device_sso(world, **form)


def _of_another_device(world: World) -> Request:
    other = device_sso(world).form or {}
    return device_sso(world, actor_token=other["actor_token"])


def _poll(*, times: int = 1, after_s: float = 0, deny: bool = False, **form: str) -> Prepare:
    def ask(world: World) -> Request:
        started = device(world)
        world.issuer.clock.advance(after_s)
        if deny:
            world.sign_in()
            action, hidden = forms(world.browser.get(started["verification_uri_complete"]))[0]
            action, hidden = forms(world.browser.post(action, hidden))[0]
            world.browser.post(action, {**hidden, "decision": "deny"})
        request = token_request(DEVICE, None, client_id=DEVICE_APP, **{"device_code": started["device_code"], **form})
        for _ in range(times - 1):
            world.send(request)
        return request

    return ask


def _exchange(**form: str) -> Prepare:
    return lambda world: exchange(world, **form)


def _of_another_server(server: str) -> Prepare:
    return lambda world: exchange(world, subject_token=world.user_token(server=server))


def _bearer(scope: str = "api:read", **claims: Any) -> Prepare:
    return lambda world: bearer(world, scope, **claims)


def _bearer_twice(world: World) -> Request:
    request = bearer(world)
    world.send(request)
    return request


FLAWED_EXCHANGES = {
    "another subject_token_type": ({"subject_token_type": "x"}, "invalid_request"),
    "another requested_token_type": ({"requested_token_type": "x"}, "invalid_request"),
    "an unknown subject_token": ({"subject_token": "nonsense"}, "invalid_grant"),
}

SECTION = Section(
    "Token endpoint, errors of devices and exchanges",
    (
        oauth_error("a device that the user has not approved yet", _poll(), 400, "authorization_pending"),
        oauth_error("a device that polls too often", _poll(times=2), 400, "slow_down"),
        oauth_error("a device after ten minutes", _poll(after_s=600), 400, "expired_token"),
        oauth_error("a device that the user denied", _poll(deny=True), 400, DENIED),
        oauth_error("an unknown device code", _poll(device_code="x"), 400, "invalid_grant"),
        oauth_error("an exchange without a token", _exchange(subject_token=""), 400, "invalid_request"),
        *(
            oauth_error(f"an exchange: {case}", _exchange(**form), 400, error)
            for case, (form, error) in FLAWED_EXCHANGES.items()
        ),
        oauth_error("an exchange of a token of another server", _of_another_server("partner"), 400, "invalid_grant"),
        oauth_error("an exchange of a token of the org", _of_another_server("org"), 400, "invalid_grant"),
        oauth_error("an exchange for openid", _exchange(scope="openid"), 400, "invalid_request"),
        oauth_error("an exchange for another audience", _exchange(audience="x"), 400, "invalid_target"),
        oauth_error(
            "an assertion of an untrusted issuer",
            _bearer(iss="https://x.test"),
            401,
            "invalid_token",
        ),
        oauth_error("an assertion for another audience", _bearer(aud="x"), 400, "invalid_grant"),
        oauth_error("an expired assertion", _bearer(exp=NOW - 1), 400, "invalid_grant"),
        oauth_error("an assertion without a subject", _bearer(sub=""), 400, "invalid_grant"),
        oauth_error("an assertion whose issuer is a list", _bearer(iss=["x"]), 401, "invalid_token"),
        oauth_error("an assertion for openid", _bearer(scope="openid"), 400, "invalid_scope"),
        oauth_error("an assertion a second time", _bearer_twice, 400, "invalid_grant"),
        oauth_error("an exchange with the wrong device secret", _device_sso(actor_token="x"), 400, "invalid_grant"),
        oauth_error("an exchange with the secret of another device", _of_another_device, 400, "invalid_grant"),
        oauth_error("an exchange with another user's ID token", _device_sso(subject_token="x"), 400, "invalid_grant"),
        oauth_error(
            "an exchange of a device secret alone",
            _device_sso(subject_token_type=ACCESS_TOKEN),
            400,
            "invalid_request",
        ),
        oauth_error("an exchange of it for an API", _device_sso(audience="api://default"), 400, "invalid_target"),
    ),
)
