from __future__ import annotations

from typing import Any, ClassVar

import openapi_spec_validator
import pytest
import tornado.web
from tornado.routing import AnyMatches, HostMatches, Matcher, PathMatches, Rule
from tornado.web import FallbackHandler, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler

from service import Settings
from service.app import all_routes
from service.web.endpoints.okta_guide import Hello, WhoAmI
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.document import describe
from service.web.policy.scopes import AnyOf
from service.web.routing.audit import mounted_routes
from service.web.routing.wrap import protected

ISSUERS = ("https://a.example/oauth2/default", "https://b.example")


def _describe(
    *routes: Any, public_url: str | None = None, dpop: str = "off", reads_certificates: bool = False
) -> dict[str, Any]:
    application = tornado.web.Application(list(routes))
    modes = dict.fromkeys(ISSUERS, dpop)
    tokens = AcceptedTokens(modes=modes, proof_algorithms=("ES256",), reads_certificates=reads_certificates)
    mounted = mounted_routes(application, default=None)
    document = describe(mounted, title="Things", public_url=public_url, tokens=tokens)
    openapi_spec_validator.validate(document)
    return document


class Things(BearerAuthMixin, RequestHandler):
    """A collection of things."""

    scopes: ClassVar = {"GET": AnyOf("things:read", "things:admin"), "POST": "things:write"}
    openapi: ClassVar = {"POST": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}}

    def get(self, number: str) -> None:
        """Read one."""

    def post(self, number: str) -> None:
        """Change one."""


class Other(BearerAuthMixin, RequestHandler):
    SUPPORTED_METHODS = ("GET", "PROPFIND")

    def propfind(self) -> None:
        """List properties."""


class Prices(BearerAuthMixin, WebSocketHandler):
    pass


class OnFridays(Matcher):
    def match(self, request: object) -> dict[str, Any] | None:  # noqa: ARG002  # Tornado passes it
        return {}


def test_every_default_route_is_listed() -> None:
    settings = Settings(issuer="https://dev-1.okta.com/oauth2/default", forward_auth=True)
    document = _describe(*all_routes(settings, None, documentation=None))
    assert {
        "/healthz",
        "/livez",
        "/readyz",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/{suffix}",
        "/auth",
        "/api/hello",
        "/api/whoami",
    } == document["paths"].keys()
    assert [r"'/auth/.*$'"] == document["x-unlisted-routes"]
    assert ("3.1.0", "Things") == (document["openapi"], document["info"]["title"])


def test_every_kind_of_handler_is_described_in_one_valid_document() -> None:
    document = _describe(
        (r"/things/(\d+)", Things),
        (r"/prices", Prices),
        (r"/files/(.*)", protected(StaticFileHandler, scopes="files"), {"path": "."}),
        (r"/(?P<kind>a|b)/whoami", WhoAmI),
    )
    assert {"/things/{number}", "/prices", "/files/{path}", "/{kind}/whoami"} == document["paths"].keys()
    assert {"description", "get", "post"} == document["paths"]["/things/{number}"].keys()
    assert "requestBody" in document["paths"]["/things/{number}"]["post"]
    assert "head" in document["paths"]["/files/{path}"]


@pytest.mark.parametrize(
    ("route", "listed", "unlisted"),
    [
        ((r"/a/.*", Hello), [], [r"'/a/.*$'"]),
        (Rule(AnyMatches(), Hello), [], ["(anything)"]),
        (Rule(OnFridays(), [(r"/x", Hello)]), [], ["OnFridays '/x$'"]),
        (Rule(PathMatches("/api/.*"), [(r"/api/x", Hello)]), ["/api/x"], []),
        (Rule(PathMatches("/api/.*"), [(r"/x", Hello)]), [], ["'/api/.*$' '/x$'"]),
        (Rule(PathMatches("/api/.*"), [(r"/api/(x)", Hello)]), ["/api/{part1}"], []),
        ((r"/x", Other), [], [r"'/x$'"]),
        ((r"/x", protected(FallbackHandler), {"fallback": print}), [], [r"'/x$'"]),
    ],
)
def test_a_route_that_openapi_cannot_express_is_listed_separately(
    route: Any, listed: list[str], unlisted: list[str]
) -> None:
    document = _describe(route)
    assert (listed, unlisted) == (list(document["paths"]), document.get("x-unlisted-routes", []))


def test_the_first_of_two_routes_with_the_same_path_is_listed() -> None:
    document = _describe((r"/x/(?P<a>\d+)", Hello), (r"/x/(?P<b>[a-z]+)", WhoAmI), (r"/x", WhoAmI))
    assert ["/x/{a}", "/x"] == list(document["paths"])
    assert [r"'/x/(?P<b>[a-z]+)$'"] == document["x-unlisted-routes"]


def test_a_host_pattern_is_listed_unless_it_matches_every_host() -> None:
    document = _describe(
        Rule(HostMatches(r".*"), [(r"/a", Hello)]), Rule(HostMatches(r"api\.example"), [(r"/b", Hello)])
    )
    assert ("x-hosts" in document["paths"]["/a"], document["paths"]["/b"]["x-hosts"]) == (False, [r"api\.example$"])


def test_operation_ids_are_unique() -> None:
    document = _describe((r"/a", Hello), (r"/b", Hello), (r"/c", Hello))
    assert ["getHello", "getHello2", "getHello3"] == [item["get"]["operationId"] for item in document["paths"].values()]


@pytest.mark.parametrize(
    ("public_url", "servers"),
    [
        (None, None),
        ("https://api.example", [{"url": "https://api.example"}]),
        ("https://api.example/v1/", [{"url": "https://api.example/v1"}]),
    ],
)
def test_the_server_is_the_public_url(public_url: str | None, servers: list[dict[str, str]] | None) -> None:
    assert servers == _describe((r"/a", Hello), public_url=public_url).get("servers")


def test_the_version_changes_only_with_the_described_routes() -> None:
    one, same = _describe((r"/a", Hello)), _describe((r"/a", Hello), public_url="https://api.example")
    assert one["info"]["version"] == same["info"]["version"] != _describe((r"/a", WhoAmI))["info"]["version"]


def test_each_token_source_of_a_handler_has_a_security_scheme() -> None:
    class Basket(BearerAuthMixin, RequestHandler):
        token_sources = ("query", "cookie")
        token_cookie = "__Host-basket"

        def get(self) -> None:
            """Read the basket."""

    document = _describe((r"/basket", Basket), (r"/whoami", WhoAmI))
    assert [{"query": []}, {"cookie.__Host-basket": []}] == document["paths"]["/basket"]["get"]["security"]
    assert {"bearer", "issuer", "issuer2", "query", "cookie.__Host-basket"} == document["components"][
        "securitySchemes"
    ].keys()


@pytest.mark.parametrize("reads_certificates", [False, True])
@pytest.mark.parametrize("dpop", ["off", "allowed", "required"])
def test_every_reference_of_a_document_with_bound_tokens_has_a_target(dpop: str, *, reads_certificates: bool) -> None:
    strict = type("Strict", (WhoAmI,), {"dpop": "required"})
    document = _describe(
        (r"/things/(\d+)", Things), (r"/whoami", WhoAmI), (r"/strict", strict),
        dpop=dpop, reads_certificates=reads_certificates,
    )  # fmt: skip
    defined = document["components"]
    operations = [path[method] for path in document["paths"].values() for method in ("get", "post") if method in path]
    parameters = [each for operation in operations for each in operation.get("parameters", ())]
    references = {each["$ref"].rpartition("/")[2] for each in parameters if "$ref" in each}
    named = {name for operation in operations for requirement in operation["security"] for name in requirement}
    assert references <= defined["parameters"].keys()
    assert named <= defined["securitySchemes"].keys()
    assert reads_certificates is ("mutualTLS" in named)
