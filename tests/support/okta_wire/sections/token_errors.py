"""Errors of the token endpoint, in the order in which it checks a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripted_browser import CALLBACK, CHALLENGE, SPA, VERIFIER

from fakeissuer.model.grant_types import UNSUPPORTED_GRANTS
from okta_wire.row import Section, oauth_error
from okta_wire.sections.access_token import PASSWORD
from okta_wire.sections.token_success import (
    spa_code,
)
from okta_wire.world import ALICE, NOW, SERVICE, WEB_CLIENT, Request, World, post, token_request

Prepare = Callable[[World], Request]
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def _code(
    asked: dict[str, str] | None = None,
    client: str | None = WEB_CLIENT,
    *,
    server: str = "default",
    after_s: float = 0,
    **form: Any,
) -> Prepare:
    def ask(world: World) -> Request:
        code = world.code(**(asked or {}))
        world.issuer.clock.advance(after_s)
        return token_request("authorization_code", client, server, **{"code": code, "redirect_uri": CALLBACK, **form})

    return ask


def _code_twice(world: World) -> Request:
    request = _code()(world)
    world.send(request)
    return request


def _code_of_spa(world: World) -> Request:
    return token_request("authorization_code", None, client_id=SPA, code=spa_code(world), redirect_uri=CALLBACK)


def _refresh(*, after_s: float = 0, revoked: bool = False, **form: str) -> Prepare:
    def ask(world: World) -> Request:
        token = world.refresh_token()
        world.issuer.clock.advance(after_s)
        if revoked:
            world.issuer.revoke(token)
        return token_request("refresh_token", **{"refresh_token": token, **form})

    return ask


def _password(**form: str) -> Request:
    return token_request("password", **{**PASSWORD, "scope": "openid", **form})


def _server(request: Request, **members: Any) -> Prepare:
    def ask(world: World) -> Request:
        world.issuer.put("servers", "default", audience="api://default", **members)
        return request

    return ask


def _many_groups(world: World) -> Request:
    world.issuer.put("users", ALICE, groups=[f"group {number}" for number in range(101)])
    return _password(scope="openid groups")


def _unassigned(world: World) -> Request:
    world.issuer.put("clients", "own", name="own", secret="s", grant_types=["password"], users=["bob@example.com"])
    return token_request("password", "own:s", **PASSWORD, scope="openid")


def _needs_consent(world: World) -> Request:
    known = {"name": "own", "secret": "s", "grant_types": ["client_credentials"], "consent_method": "REQUIRED"}
    world.issuer.put("clients", "own", **known)
    return token_request("client_credentials", "own:s")


def _on_demand(name: str) -> Prepare:
    def ask(world: World) -> Request:
        world.issuer.fail("token", refuse=name)
        return _password()

    return ask


OWN = {"grant_type": "client_credentials", "client": SERVICE}
DENIED = "access_denied"

SECTION = Section(
    "Token endpoint, errors",
    (
        oauth_error("grant_type missing", post("token", SERVICE), 400, "invalid_request"),
        oauth_error("an unknown grant", token_request("magic"), 400, "unsupported_grant_type"),
        oauth_error(
            "a grant that the client may not use", token_request("client_credentials"), 400, "unauthorized_client"
        ),
        oauth_error("an unknown code", _code(code="x"), 400, "invalid_grant"),
        oauth_error("a code a second time", _code_twice, 400, "invalid_grant"),
        oauth_error("a code after five minutes", _code(after_s=300), 400, "invalid_grant"),
        oauth_error(
            "a code of another client", _code({}, None, client_id=SPA, code_verifier=VERIFIER), 400, "invalid_grant"
        ),
        oauth_error("a code for another redirect_uri", _code(redirect_uri=f"{CALLBACK}/"), 400, "invalid_grant"),
        oauth_error("a code of another server", _code(server="partner"), 400, "invalid_request"),
        oauth_error("a wrong code_verifier", _code(PKCE, code_verifier="w" * 43), 400, "invalid_grant"),
        oauth_error("no code_verifier", _code(PKCE), 400, "invalid_request"),
        oauth_error("an unexpected code_verifier", _code(code_verifier=VERIFIER), 400, "invalid_request"),
        oauth_error("a single-page app without PKCE", _code_of_spa, 401, "invalid_client"),
        oauth_error("an unknown refresh token", _refresh(refresh_token="x"), 400, "invalid_grant"),
        oauth_error("a refresh token unused for a week", _refresh(after_s=7 * 86_400), 400, "invalid_grant"),
        oauth_error("a revoked refresh token", _refresh(revoked=True), 400, "invalid_grant"),
        oauth_error("a refresh for more scopes", _refresh(scope="openid api:write"), 400, DENIED),
        oauth_error("a wrong password", _password(password="x"), 400, "invalid_grant"),
        oauth_error("an unknown user", _password(username="mallory"), 400, "invalid_grant"),
        oauth_error("an unknown scope", token_request(**OWN, scope="unknown"), 400, "invalid_scope"),
        oauth_error(
            "no scope and no default", token_request("client_credentials", SERVICE, "org"), 400, "invalid_scope"
        ),
        oauth_error("a scope of 1025 characters", token_request(**OWN, scope="x" * 1025), 400, "invalid_scope"),
        oauth_error("openid for a client's own token", token_request(**OWN, scope="openid"), 400, "invalid_scope"),
        oauth_error("profile without openid", _password(scope="profile"), 403, DENIED),
        oauth_error("no rule of the policy fits", _server(_password(), policy=[]), 401, DENIED),
        oauth_error("the policy denies a scope", _server(_password(), policy=[{"scopes": ["api:read"]}]), 400, DENIED),
        oauth_error("a user who is not assigned to the client", _unassigned, 400, DENIED),
        oauth_error("consent required for a client's own token", _needs_consent, 400, "consent_required"),
        *(
            oauth_error(f"planned: {name}", _on_demand(name), status, code)
            for name, (status, code) in {
                "network_zone": (403, DENIED),
                "hook_failed": (400, "server_error"),
                "password_wrong": (400, "invalid_grant"),
            }.items()
        ),
        oauth_error(
            "planned: user_rate",
            _on_demand("user_rate"),
            429,
            "invalid_grant",
            X_Rate_Limit_Limit="600",
            X_Rate_Limit_Remaining="0",
            X_Rate_Limit_Reset=str(NOW + 60),
            Retry_After=None,
        ),
        *(
            oauth_error(f"the grant {name.rpartition(':')[2]}", token_request(name), 400, "unauthorized_client")
            for name in sorted(UNSUPPORTED_GRANTS)
        ),
        oauth_error("a hundred and one groups", _many_groups, 400, "server_error"),
    ),
)
