from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import tornado.web
from tornado.web import RequestHandler

from service import policy
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected, public


class Site(RequestHandler):
    """The base class of an application with a login of its own."""

    def get_current_user(self) -> str | None:
        return self.get_cookie("user")

    def get_login_url(self) -> str:
        return "/sign-in"

    def _show(self) -> None:
        user = self.current_user
        self.write({"user": user if isinstance(user, str) or user is None else f"token of {user.subject}"})


class Page(Site):
    @tornado.web.authenticated
    def get(self) -> None:
        self._show()

    @tornado.web.authenticated
    def post(self) -> None:
        self._show()

    def put(self) -> None:
        if self.current_user != "alice":
            raise tornado.web.HTTPError(403)


class OptionalPage(BearerAuthMixin, Page):
    optional = True


class LatePage(Page, BearerAuthMixin):
    optional = True


class Early(BearerAuthMixin, Page):
    """Reads ``current_user`` before authentication."""

    optional = True

    def initialize(self) -> None:
        assert self.current_user is None


class Changing(BearerAuthMixin, Site):
    """Turns a public GET into a protected POST."""

    public = True

    def prepare(self) -> None:
        assert self.current_user in {"bob", None}
        self.request.method = "POST"

    @policy(public=False)
    def post(self) -> None:
        self._show()


class OwnInTheClass(BearerAuthMixin, RequestHandler):
    """Has another type of user, which it makes from the principal."""

    def get_current_user(self) -> str:
        return f"mine, {self.principal.subject}"

    def get(self) -> None:
        self.write({"user": self.current_user})


class Bare(BearerAuthMixin, RequestHandler):
    optional = True

    @tornado.web.authenticated
    def get(self) -> None:
        self.write({"user": self.current_user.subject})


class BarePublic(BearerAuthMixin, RequestHandler):
    public = True

    @tornado.web.authenticated
    def get(self) -> None:
        """Do nothing."""


KINDS = (OptionalPage, LatePage, Early, Changing, OwnInTheClass, Bare, BarePublic)


@pytest.fixture
def routes() -> list[Any]:
    wrapped = [("/PublicPage", public(Page)), ("/ProtectedPage", protected(Page))]
    return [*((f"/{kind.__name__}", kind) for kind in KINDS), *wrapped]


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], routes: list[Any]) -> ResourceServerApplication:
    return serve(routes)


BOB = {"Cookie": "user=bob"}


@pytest.mark.parametrize(
    ("path", "token", "headers", "status", "user"),
    [
        ("/PublicPage", None, BOB, 200, "bob"),
        ("/PublicPage", "lasting", BOB, 200, "bob"),
        ("/OptionalPage", None, BOB, 200, "bob"),
        ("/OptionalPage", "lasting", {}, 200, "token of alice"),
        ("/OptionalPage", "lasting", BOB, 200, "token of alice"),
        ("/OptionalPage", "bad", BOB, 401, None),
        ("/LatePage", None, BOB, 200, "bob"),
        ("/Early", None, BOB, 200, "bob"),
        ("/Early", "lasting", BOB, 200, "token of alice"),
        ("/ProtectedPage", "lasting", BOB, 200, "token of alice"),
        ("/ProtectedPage", None, BOB, 401, None),
        ("/ProtectedPage", "bad", BOB, 401, None),
        ("/Changing", "lasting", BOB, 200, "token of alice"),
        ("/Changing", None, BOB, 401, None),
        ("/OwnInTheClass", "lasting", {}, 200, "mine, alice"),
        ("/OwnInTheClass", None, BOB, 401, None),
    ],
)
@pytest.mark.gen_test
async def test_the_applications_user_counts_only_where_no_token_is_required(
    path: str, token: str | None, headers: dict[str, str], status: int, user: str | None, call: Callable[..., Any]
) -> None:
    for _ in range(2):  # validated, then cached
        response = await call(path, token, **headers)
        assert (status, user) == (response.code, json.loads(response.body).get("user"))


@pytest.mark.parametrize("path", ["/PublicPage", "/OptionalPage", "/LatePage", "/Early"])
@pytest.mark.gen_test
async def test_an_anonymous_visitor_is_redirected_to_the_applications_login(
    path: str, call: Callable[..., Any], http_client: Any, base_url: str
) -> None:
    response = await http_client.fetch(base_url + path, follow_redirects=False, raise_error=False)
    assert (302, f"/sign-in?next=%2F{path[1:]}") == (response.code, response.headers["Location"])


@pytest.mark.parametrize(
    ("method", "headers", "status"), [("POST", {}, 401), ("POST", BOB, 200), ("PUT", {}, 401), ("PUT", BOB, 403)]
)
@pytest.mark.gen_test
async def test_a_403_is_a_401_only_for_a_visitor_without_any_login(
    method: str, headers: dict[str, str], status: int, call: Callable[..., Any]
) -> None:
    assert status == (await call("/OptionalPage", None, method, **headers)).code


@pytest.mark.parametrize(("path", "status"), [("/Bare", 401), ("/BarePublic", 403)])
@pytest.mark.gen_test
async def test_an_application_without_a_login_rejects_an_anonymous_visitor(
    path: str, status: int, call: Callable[..., Any]
) -> None:
    assert status == (await call(path)).code


class TestWithTheSettingLoginURL:
    """Tornado's own ``get_login_url`` reads the setting ``login_url``."""

    @pytest.fixture
    def app(self, serve: Callable[..., ResourceServerApplication], routes: list[Any]) -> ResourceServerApplication:
        return serve(routes, login_url="/of-the-setting")

    @pytest.mark.parametrize("path", ["/Bare", "/BarePublic"])
    @pytest.mark.gen_test
    async def test_an_anonymous_visitor_is_redirected(self, path: str, http_client: Any, base_url: str) -> None:
        response = await http_client.fetch(base_url + path, follow_redirects=False, raise_error=False)
        assert (302, f"/of-the-setting?next=%2F{path[1:]}") == (response.code, response.headers["Location"])
