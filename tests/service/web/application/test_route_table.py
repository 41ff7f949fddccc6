from __future__ import annotations

from typing import ClassVar

import pytest
from tornado.routing import HostMatches, Rule
from tornado.web import RedirectHandler, RequestHandler

from service.errors import SettingsError
from service.tokens.principal import Principal
from service.web.application.route_table import format_table, list_rows
from service.web.endpoints.okta_guide import ROUTES
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.policy import policy
from service.web.policy.scopes import AnyOf
from service.web.routing.wrap import public


class Everything(BearerAuthMixin, RequestHandler):
    scopes: ClassVar = {"GET": "a b", "POST": AnyOf("a b", "c")}
    groups = "Domain Users"
    claims: ClassVar = {"level": AnyOf(3, 4)}
    allowed_clients = ("b", "a")
    acr_values = "phrh phr"
    max_age = 60

    def get(self) -> None:
        """Read."""

    def post(self) -> None:
        """Write."""

    @policy(optional=True)
    def put(self) -> None:
        """Replace."""

    @policy(public=True)
    def head(self) -> None:
        """Return the headers."""

    def authorize(self, principal: Principal) -> bool:
        return principal.subject is not None


def test_each_method_has_a_row_with_its_requirements() -> None:
    requirements = {row.method: row.requirements for row in list_rows([(r"/x", Everything)]) if row.pattern == "'/x$'"}
    rest = "groups Domain Users; level 3 or 4; clients a or b; acr phrh or phr; authenticated within 60 s; authorize"
    assert {
        "GET": f"a token; scopes a and b; {rest}",
        "POST": f"a token; scopes a and b or c; {rest}",
        "PUT": "an optional token; authorize",
        "HEAD": "public",
    } == requirements


def test_a_row_lists_token_sources_other_than_the_header() -> None:
    basket = type("Basket", (Everything,), {"token_sources": ("header", "cookie")})
    requirements = {row.method: row.requirements for row in list_rows([(r"/x", basket)]) if row.pattern == "'/x$'"}
    assert requirements["PUT"] == "an optional token; authorize; from header or cookie"
    assert "public" == requirements["HEAD"]


def test_the_table_has_aligned_columns_and_a_heading() -> None:
    routes = [*ROUTES, Rule(HostMatches("old.example"), [(r"/old", public(RedirectHandler), {"url": "/"})])]
    assert [
        "METHOD  PATTERN                 HANDLER                                    REQUIRES",
        "GET     '/api/hello$'           service.web.endpoints.okta_guide.Hello     public",
        "GET     '/api/whoami$'          service.web.endpoints.okta_guide.WhoAmI    a token",
        "GET     'old.example$' '/old$'  tornado.web.RedirectHandler                public",
        "(any)   (anything else)         service.web.endpoints.okta_guide.NotFound  public",
    ] == format_table(list_rows(routes))


def test_an_unprotected_route_raises_the_startup_error() -> None:
    with pytest.raises(SettingsError, match="RedirectHandler"):
        list_rows([(r"/old", RedirectHandler, {"url": "/"})])
