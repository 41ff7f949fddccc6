"""Authorization requests as signed JWTs, and session tokens that skip the sign-in page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from scripted_browser import CALLBACK

from okta_wire.row import OKTA_ERROR, Row, Section, okta_error
from okta_wire.sections.authorization import PAGE, REDIRECT_HEADERS, REFUSED
from okta_wire.signing import LONG_SECRET, public_key, signed
from okta_wire.views import redirected
from okta_wire.world import ALICE, ALICE_ID, NOW, Request, World, authorize_request, post

Prepare = Callable[[World], Request]
EVIL = {"redirect_uri": "https://evil.test/"}
ASKED = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "inside"}


def _put(world: World, secret: str) -> None:
    known: dict[str, Any] = {"secret": secret} if secret else {"jwks": {"keys": [public_key()]}}
    methods = ["client_secret_post"] if secret else ["private_key_jwt"]
    grants = {"grant_types": ["authorization_code"], "redirect_uris": [CALLBACK]}
    world.issuer.put("clients", "app", name="app", auth_methods=methods, **known, **grants)


def _object(world: World, secret: str = "", alg: str = "ES256", **claims: Any) -> str:
    _put(world, secret)
    good = {**ASKED, "iss": "app", "aud": world.issuer.issuer_url(), "client_id": "app", "exp": NOW + 60}
    return signed({**good, **claims}, alg=alg, secret=secret)


def _asked(parameters: dict[str, str] | None = None, **more: Any) -> Prepare:
    def ask(world: World) -> Request:
        world.sign_in()
        request = _object(world, **more)
        query = {"client_id": "app", "request": request, **(parameters or {})}
        return Request(path="/oauth2/default/v1/authorize", query=query, by_browser=True)

    return ask


def _pushed(**claims: Any) -> Prepare:
    def ask(world: World) -> Request:
        request = _object(world, LONG_SECRET, "HS256", **claims)
        return post("par", client_id="app", client_secret=LONG_SECRET, request=request)

    return ask


def _answered(case: str, ask: Prepare) -> Row:
    return Row(case, ask, 302, "", "code state", REDIRECT_HEADERS, {"state": "inside"}, redirected)


def _page(case: str, ask: Prepare) -> Row:
    return Row(case, ask, 400, "invalid_request_object", "", PAGE)


def _primary(**members: str) -> Request:
    body = json.dumps({"username": ALICE, "password": "password", **members}).encode()
    return Request(path="/api/v1/authn", method="POST", body=body, headers={"Content-Type": "application/json"})


def _with_session_token(*, after_s: float = 0, times: int = 1) -> Prepare:
    def ask(world: World) -> Request:
        token = world.answer_to(_primary())["sessionToken"]
        world.issuer.clock.advance(after_s)
        request = authorize_request(sessionToken=token, prompt="none")
        for _ in range(times - 1):
            world.send(request)
        return request

    return ask


SECTION = Section(
    "Request objects and session tokens",
    (
        _answered("signed with a key", _asked()),
        *(_answered(f"signed by {alg}", _asked(secret=LONG_SECRET, alg=alg)) for alg in ("HS256", "HS384", "HS512")),
        _answered("members of the object take precedence", _asked({"state": "beside", **EVIL})),
        Row(
            "an error inside is reported to the client",
            _asked(scope="unknown"),
            302,
            "invalid_scope",
            REFUSED,
            view=redirected,
        ),
        _page("an invalid request object with an unregistered redirect URI", _asked(EVIL, iss="x")),
        _page("not a JWT", _asked({"request": "x.y.z"})),
        _page("not signed", _asked(alg="none")),
        _page("a short secret", _asked(secret="short", alg="HS256")),
        _page("signed with a key that is not registered", _asked(secret=LONG_SECRET, alg="ES256")),
        _page("of another client", _asked(iss="another")),
        _page("that names another client", _asked(client_id="another")),
        _page("for another issuer", _asked(aud="https://elsewhere.test")),
        _page("expired", _asked(exp=NOW)),
        _page("not yet", _asked(nbf=NOW + 1)),
        _page("with an exp that is not a number", _asked(exp="soon")),
        _page("with another request object in it", _asked(request_uri="urn:okta:x")),
        _page("with a list in it", _asked(scope=["openid"])),
        Row(
            "of an unknown client",
            authorize_request(client_id="unknown", request="x"),
            400,
            "invalid_client",
            "",
            PAGE,
        ),
        Row("pushed", _pushed(), 200, "", "request_uri expires_in"),
        okta_error("pushed for another issuer", _pushed(aud="x"), 400, "invalid_request_object"),
        Row(
            "a user signs in without a page",
            _primary(),
            200,
            "",
            "expiresAt status sessionToken _embedded",
            {"Content-Type": "application/json", "x-okta-request-id": "{32 hex digits}"},
            {
                "expiresAt": "2033-05-18T03:38:20.000Z",
                "status": "SUCCESS",
                "sessionToken": "{43 characters}",
                "_embedded": {
                    "user": {
                        "id": ALICE_ID,
                        "profile": {"login": ALICE, "firstName": "Alice", "lastName": "Adams"},
                    }
                },
            },
        ),
        okta_error("with a wrong password", _primary(password="x"), 401, "E0000004"),
        okta_error("an unknown user", _primary(username="mallory"), 401, "E0000004"),
        Row("with an invalid body", Request(path="/api/v1/authn", method="POST"), 400, "E0000003", OKTA_ERROR),
        Row("with another method", Request(path="/api/v1/authn"), 405, "E0000022", OKTA_ERROR),
        Row("a session token", _with_session_token(), 302, "", "code state", REDIRECT_HEADERS, view=redirected),
        Row(
            "a session token after five minutes",
            _with_session_token(after_s=300),
            302,
            "login_required",
            REFUSED,
            view=redirected,
        ),
        Row(
            "a session token a second time",
            _with_session_token(times=2),
            302,
            "login_required",
            REFUSED,
            view=redirected,
        ),
    ),
)
