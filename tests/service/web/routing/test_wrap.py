from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.web import FallbackHandler, RedirectHandler, StaticFileHandler

from service.web.application.application import ResourceServerApplication
from service.web.handler.class_attributes import HandlerAttributes
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.attribute_names import HANDLER_ATTRIBUTES
from service.web.routing.wrap import protected, public


class Busy(RedirectHandler):
    """Uses the names of this library with a meaning of its own."""

    def initialize(self, url: str, permanent: bool = True) -> None:  # noqa: FBT001, FBT002  # Tornado's signature
        super().initialize(url, permanent)
        self.groups = ["a"]
        self.policy = self.sources = None


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], tmp_path: Path) -> ResourceServerApplication:
    (tmp_path / "a.txt").write_text("A")
    return serve(
        [
            (r"/files/(.*)", protected(StaticFileHandler, scopes="files.read"), {"path": str(tmp_path)}),
            (r"/open/(.*)", public(StaticFileHandler), {"path": str(tmp_path)}),
            (r"/old", public(RedirectHandler), {"url": "/new"}),
            (r"/busy", protected(Busy, groups=()), {"url": "/new"}),
            (r"/legacy", protected(FallbackHandler), {"fallback": _legacy}),
        ]
    )


def _legacy(request: HTTPServerRequest) -> None:
    assert request.connection is not None
    request.connection.write_headers(ResponseStartLine("HTTP/1.1", 204, "No Content"), HTTPHeaders())
    request.connection.finish()


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/files/a.txt", None, 401),
        ("/files/a.txt", "bad", 401),
        ("/files/a.txt", "good", 403),
        ("/files/a.txt", "good~files.read", 200),
        ("/files/b.txt", None, 401),
        ("/files/b.txt", "good~files.read", 404),
        ("/open/a.txt", "bad", 200),
        ("/open/%2e%2e/secret", None, 403),
        ("/old", "bad", 301),
        ("/busy", None, 401),
        ("/busy", "good", 301),
        ("/legacy", None, 401),
        ("/legacy", "good", 204),
    ],
)
@pytest.mark.gen_test
async def test_a_wrapped_handler_enforces_its_requirements(
    path: str, token: str | None, status: int, http_client: AsyncHTTPClient, base_url: str
) -> None:
    response = await http_client.fetch(
        base_url + path,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        raise_error=False,
        follow_redirects=False,
    )
    assert status == response.code
    assert (status == 401) == ("WWW-Authenticate" in response.headers) or status == 403


def test_a_wrapped_handler_keeps_its_name() -> None:
    handler = protected(RedirectHandler)
    assert ("RedirectHandler", "tornado.web") == (handler.__name__, handler.__module__)


class Readers(BearerAuthMixin, RedirectHandler):
    scopes = "reports:read"
    groups = "Staff"


def _requirements(handler: Any) -> Any:
    return handler.policy.requirements["GET"]


def test_the_requirements_of_a_protected_handler_are_replaced_one_by_one() -> None:
    handler = protected(Readers, scopes="reports:all")
    assert (frozenset({"reports:all"}),) == _requirements(handler).scopes.alternatives
    assert (frozenset({"Staff"}),) == _requirements(handler).groups
    assert issubclass(handler, Readers)


@pytest.mark.parametrize("open_handler", [public(RedirectHandler), protected(RedirectHandler, optional=True)])
def test_a_public_handler_can_be_protected(open_handler: type[BearerAuthMixin]) -> None:
    for requirements in (_requirements(protected(open_handler)), _requirements(protected(open_handler, scopes="a"))):
        assert (False, False) == (requirements.public, requirements.optional)


def test_a_protected_handler_can_be_made_public() -> None:
    assert _requirements(public(Readers)).public
    assert _requirements(protected(Readers, optional=True)).requires_only_token


def test_a_handler_with_authorize_cannot_be_made_public() -> None:
    owners = protected(RedirectHandler, authorize=lambda _self, principal: principal.subject == "alice")
    with pytest.raises(ValueError, match="authorize has no effect on requests without a token; remove it"):
        public(owners)


def test_protected_without_a_handler_decorates_a_class() -> None:
    @protected(scopes="reports:read")
    class Reports(RedirectHandler):
        """A handler that is not ours."""

    @public()
    class Old(RedirectHandler):
        """A public one."""

    assert ("Reports", "A handler that is not ours.") == (Reports.__name__, Reports.__doc__)
    assert (frozenset({"reports:read"}),) == _requirements(Reports).scopes.alternatives
    assert _requirements(Old).public


VALUES: dict[str, Any] = {
    "public": True,
    "optional": True,
    "scopes": "a",
    "groups": "a",
    "roles": "a",
    "claims": {"a": 1},
    "allowed_clients": "a",
    "acr_values": "a",
    "max_age": 60,
    "validation": "jwt",
    "dpop": "required",
    "dpop_nonce": True,
    "cors_origins": "https://app.example",
    "token_sources": ("header", "cookie"),
    "token_cookie": "session",
    "further_challenges": 'Basic realm="old"',
    "openapi": {"GET": {"summary": "Files"}},
    "authorize": lambda _self, _principal: True,
}


@pytest.mark.parametrize("name", HANDLER_ATTRIBUTES)
def test_every_attribute_of_a_handler_is_accepted(name: str) -> None:
    handler = protected(StaticFileHandler, **{name: VALUES[name]})
    assert VALUES[name] == inspect.getattr_static(handler, name)
    with pytest.raises((TypeError, ValueError), match=r"^(RequestHandler|StaticFileHandler): "):
        protected(**{name: object()})(StaticFileHandler)


def test_the_accepted_names_are_those_that_the_mixin_declares() -> None:
    annotations = inspect.get_annotations(HandlerAttributes)
    declared = {name for name in annotations if not name.startswith("_")} - {"policy", "sources"}
    assert declared | {"authorize"} == set(HANDLER_ATTRIBUTES) == set(VALUES)


@pytest.mark.parametrize(
    "attributes",
    [{"scopes": "reports:read"}, {"groups": ["Staff"]}, {"authorize": lambda _self, principal: principal is None}],
    ids=["scopes", "groups", "authorize"],
)
def test_a_requirement_that_a_wrapped_handler_would_lose_must_be_stated(attributes: dict[str, Any]) -> None:
    handler = type("Reports", (RedirectHandler,), attributes)
    (name,) = attributes
    for wrap in (protected, public):
        with pytest.raises(TypeError, match=rf"Reports: {name} of Reports has no effect; write protected\(…, {name}=…"):
            wrap(handler)
    protected(handler, **attributes)


def test_a_requirement_that_a_wrapped_handler_assigns_must_be_stated() -> None:
    with pytest.raises(
        TypeError, match=r"groups of Busy.initialize has no effect; .* or groups=\(\) if it has another"
    ):
        protected(Busy)
    assert () == _requirements(protected(Busy, groups=())).groups


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scope": "files.read"}, r"protected\(\) does not accept scope; did you mean scopes\?"),
        ({"path": "files"}, "does not accept path; it accepts public, optional, scopes"),
    ],
)
def test_an_unknown_attribute_is_rejected(arguments: dict[str, Any], message: str) -> None:
    for call in (lambda: protected(StaticFileHandler, **arguments), lambda: protected(**arguments)):
        with pytest.raises(TypeError, match=message):
            call()


def test_invalid_attributes_are_rejected() -> None:
    with pytest.raises(ValueError, match="public"):
        protected(StaticFileHandler, public=True, scopes="files.read")
    with pytest.raises(ValueError, match="scopes"):
        protected(scopes="")
    with pytest.raises(TypeError, match="expects a handler class, not 'files'"):
        protected("files")  # type: ignore[call-overload]  # the mistake under test
