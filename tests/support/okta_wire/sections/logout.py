"""Logging out: where it leads, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

from scripted_browser import CALLBACK

from okta_wire.row import Row, Section
from okta_wire.views import redirected
from okta_wire.world import ALICE, Request, World, at, authorize_request

PAGE = {"Content-Type": "text/html; charset=utf-8", "Location": None}


def _hinted(
    more: dict[str, str] | None = None, *, method: str = "GET", after_s: float = 0, server: str = "default"
) -> Callable[[World], Request]:
    def ask(world: World) -> Request:
        world.sign_in()
        sent = {"id_token_hint": world.issuer.token(kind="id", sub=ALICE, server=server), **(more or {})}
        world.issuer.clock.advance(after_s)
        if method == "POST":
            return Request(path=at("logout"), method=method, by_browser=True, form=sent)
        return Request(path=at("logout"), by_browser=True, query=sent)

    return ask


def _session_after(world: World) -> Request:
    world.send(_hinted()(world))
    return authorize_request(prompt="none")


BACK = {"post_logout_redirect_uri": CALLBACK, "state": "x y"}
ELSEWHERE = {"post_logout_redirect_uri": "https://evil.test/"}

SECTION = Section(
    "Logout",
    (
        Row(
            "back to the client",
            _hinted(BACK),
            302,
            "",
            "state",
            {"Location": f"{CALLBACK}?state=x+y"},
            view=redirected,
        ),
        Row(
            "by POST",
            _hinted(BACK, method="POST"),
            302,
            "",
            "state",
            {"Location": f"{CALLBACK}?state=x+y"},
            view=redirected,
        ),
        Row("with a hint that has expired", _hinted(BACK, after_s=3601), 302, "", "state", view=redirected),
        Row("without a redirect URI", _hinted(), 200, "", "", PAGE),
        Row(
            "the session after it",
            _session_after,
            302,
            "login_required",
            "state error error_description",
            view=redirected,
        ),
        Row("without a hint", Request(path=at("logout"), by_browser=True), 400, "invalid_request", "", PAGE),
        Row("with a hint of another server", _hinted(server="partner"), 400, "invalid_request", "", PAGE),
        Row("to an unregistered address", _hinted(ELSEWHERE), 400, "invalid_request", "", PAGE),
    ),
)
