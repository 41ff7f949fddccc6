"""How an authorization response travels, and what each prompt does."""

from __future__ import annotations

from okta_wire.row import Row, Section
from okta_wire.sections.authorization import PAGE, REDIRECT_HEADERS, REFUSED, Prepare, signed_in
from okta_wire.sections.id_token import HYBRID
from okta_wire.views import View, messaged, posted, redirected
from okta_wire.world import Request, World, authorize_request

TOKENS = "id_token access_token token_type expires_in scope state"
SCRIPTED = {"Content-Type": PAGE["Content-Type"], **REDIRECT_HEADERS}


def _by(mode: str, case: str, members: str, view: View, code: str = "", **parameters: str) -> Row:
    status, headers = (302, REDIRECT_HEADERS) if view is redirected else (200, SCRIPTED)
    asked = signed_in(response_mode=mode, **parameters)
    return Row(f"{case} by {mode}", asked, status, code, members, headers, {"state": "xyz"}, view)


def _by_each_mode() -> tuple[Row, ...]:
    views: dict[str, View] = {"form_post": posted, "okta_post_message": messaged, "fragment": redirected}
    tokens = {"client_id": "hybrid", "response_type": "id_token token", "nonce": "n"}
    return tuple(
        row
        for mode, view in views.items()
        for row in (
            _by(mode, "a code", "code state", view),
            _by(mode, "tokens", TOKENS, view, **tokens),
            _by(mode, "an error", REFUSED, view, "invalid_scope", scope="openid unknown"),
        )
    )


def _page(case: str, path: str, ask: Prepare) -> Row:
    location = {"Location": f"{path}?request={{43 characters}}", "Referrer-Policy": "no-referrer"}
    return Row(case, ask, 302, "", "request", location, view=redirected)


def _asks(world: World) -> None:
    world.issuer.put("clients", "asks", **{**HYBRID, "consent_method": "REQUIRED"})
    world.sign_in()


def _of_a_client_that_asks(**parameters: str) -> Prepare:
    def ask(world: World) -> Request:
        _asks(world)
        return authorize_request(client_id="asks", **parameters)

    return ask


def _allowed(world: World) -> Request:
    _asks(world)
    world.browser.consent(world.browser.authorize(client_id="asks"))
    return authorize_request(client_id="asks", prompt="none")


SECTION = Section(
    "Authorization, modes and prompts",
    (
        *_by_each_mode(),
        _page("prompt login within a session", "/signin", signed_in(prompt="login")),
        _page("max_age 0 within a session", "/signin", signed_in(max_age="0")),
        _page("acr_values that the session does not have", "/signin", signed_in(acr_values="urn:okta:loa:2fa:any")),
        _page("a login_hint for another user", "/signin", signed_in(login_hint="bob@example.com")),
        _page("prompt consent", "/consent", signed_in(prompt="consent")),
        _page("a client that needs consent", "/consent", _of_a_client_that_asks()),
        Row(
            "prompt none, consent needed",
            _of_a_client_that_asks(prompt="none"),
            302,
            "consent_required",
            REFUSED,
            REDIRECT_HEADERS,
            view=redirected,
        ),
        Row("prompt none, consent given before", _allowed, 302, "", "code state", REDIRECT_HEADERS, view=redirected),
    ),
)
