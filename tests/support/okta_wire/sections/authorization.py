"""The authorization endpoint: where its responses and its errors are sent."""

from __future__ import annotations

from collections.abc import Callable

from scripted_browser import CALLBACK, CHALLENGE, SPA, forms

from okta_wire.row import Row, Section, okta_error
from okta_wire.sections.id_token import HYBRID
from okta_wire.sections.token_success import LIMIT_LEFT
from okta_wire.views import body, redirected
from okta_wire.world import ALICE, Request, World, authorize_request

Prepare = Callable[[World], Request]

REFUSED = "state error error_description"
REDIRECT_HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-cache, no-store"}
PAGE = {"Content-Type": "text/html; charset=utf-8", "Location": None}


def _refused(case: str, code: str, members: str = REFUSED, **parameters: str | None) -> Row:
    request = authorize_request(**parameters)
    return Row(case, request, 302, code, members, REDIRECT_HEADERS, view=redirected)


def _not_sent_on(case: str, code: str, **parameters: str | None) -> Row:
    return Row(case, authorize_request(**parameters), 400, code, "", PAGE)


def signed_in(**parameters: str) -> Prepare:
    """Return an authorization request of a user who has signed in."""

    def ask(world: World) -> Request:
        world.issuer.put("clients", "hybrid", **HYBRID)
        world.sign_in()
        return authorize_request(**parameters)

    return ask


def _answer(case: str, members: str, **parameters: str) -> Row:
    return Row(case, signed_in(**parameters), 302, "", members, REDIRECT_HEADERS, {"state": "xyz"}, redirected)


def _denied(world: World) -> Request:
    started = world.browser.authorize()
    action, hidden = forms(world.browser.get(started.headers["Location"]))[0]
    return Request(path=action, method="POST", form={**hidden, "cancel": "yes"}, by_browser=True)


def _without_policy(world: World) -> Request:
    world.sign_in()
    world.issuer.put("servers", "default", audience="api://default", policy=[])
    return authorize_request()


def _later(seconds: float, **parameters: str) -> Prepare:
    def ask(world: World) -> Request:
        world.sign_in()
        world.issuer.clock.advance(seconds)
        return authorize_request(prompt="none", **parameters)

    return ask


SAID = "A+requested+scope+does+not+exist+at+this+server."
AS_JSON = {"Accept": "application/json"}


def _as_json(request: Request) -> Request:
    return Request(path=request.path, query=request.query, headers=AS_JSON)


SECTION = Section(
    "Authorization",
    (
        Row("the reported limit", authorize_request(), 302, headers=LIMIT_LEFT, view=body),
        _answer("a code", "code state"),
        Row(
            "a code for an authorization request",
            signed_in(),
            302,
            "",
            "code state",
            {"Location": f"{CALLBACK}?code={{43 characters}}&state=xyz"},
            view=redirected,
        ),
        _answer(
            "tokens in the fragment",
            "id_token access_token token_type expires_in scope state",
            client_id="hybrid",
            response_type="id_token token",
            nonce="n",
        ),
        _answer(
            "a code and tokens",
            "code id_token access_token token_type expires_in scope state",
            client_id="hybrid",
            response_type="code id_token token",
            nonce="n",
        ),
        Row(
            "without a session",
            authorize_request(),
            302,
            "",
            "request",
            {"Location": "/signin?request={43 characters}"},
            view=redirected,
        ),
        _answer("silently within a session", "code state", prompt="none", login_hint=ALICE, max_age="100"),
        Row(
            "an error response",
            authorize_request(scope="openid unknown"),
            302,
            "invalid_scope",
            REFUSED,
            {"Location": f"{CALLBACK}?state=xyz&error=invalid_scope&error_description={SAID}"},
            view=redirected,
        ),
        _refused("state missing", "invalid_request", "error error_description", state=None),
        *(
            Row(
                f"nonce missing for {response_type}",
                signed_in(client_id="hybrid", response_type=response_type),
                302,
                "invalid_request",
                REFUSED,
                view=redirected,
            )
            for response_type in ("id_token", "token", "code token", "code id_token token")
        ),
        _refused("an unknown response_type", "unsupported_response_type", response_type="magic"),
        _refused("no response_type", "unsupported_response_type", response_type=None),
        _refused("a response_type that the client may not use", "unauthorized_client", response_type="id_token"),
        _refused("an unknown response_mode", "unsupported_response_mode", response_mode="smoke"),
        _refused("profile without openid", "access_denied", scope="profile"),
        _refused("an unknown prompt", "invalid_request", prompt="magic"),
        _refused("prompt none with another value", "invalid_request", prompt="none login"),
        _refused("prompt none, no session", "login_required", prompt="none"),
        _refused("a max_age that is not a number", "invalid_request", max_age="-1"),
        _refused(
            "code_challenge_method plain", "invalid_request", code_challenge=CHALLENGE, code_challenge_method="plain"
        ),
        _refused("a challenge without its method", "invalid_request", code_challenge=CHALLENGE),
        _refused(
            "a challenge that is not a hash", "invalid_request", code_challenge="short", code_challenge_method="S256"
        ),
        _refused("a method without a challenge", "invalid_request", code_challenge_method="S256"),
        _refused("a single-page app without PKCE", "invalid_request", client_id=SPA),
        Row(
            "no rule of the policy fits",
            _without_policy,
            302,
            "access_denied",
            REFUSED,
            REDIRECT_HEADERS,
            view=redirected,
        ),
        Row("the user cancels", _denied, 302, "access_denied", REFUSED, REDIRECT_HEADERS, view=redirected),
        Row("a session older than max_age", _later(100, max_age="99"), 302, "login_required", REFUSED, view=redirected),
        Row("a session of two hours", _later(7200), 302, "login_required", REFUSED, view=redirected),
        _not_sent_on("an unknown client", "invalid_client", client_id="unknown"),
        _not_sent_on("no client", "invalid_client", client_id=None),
        _not_sent_on("an unregistered redirect_uri", "invalid_request", redirect_uri="https://evil.test/"),
        _not_sent_on("no redirect_uri", "invalid_request", redirect_uri=None),
        _not_sent_on("an unknown request_uri", "invalid_request_uri", request_uri="urn:okta:unknown"),
        okta_error(
            "an unknown client, for a program", _as_json(authorize_request(client_id="unknown")), 400, "invalid_client"
        ),
    ),
)
