from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.web import FallbackHandler, RedirectHandler, StaticFileHandler

from service.web.application.application import ResourceServerApplication
from service.web.routing.wrap import protected, public


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], tmp_path: Path) -> ResourceServerApplication:
    (tmp_path / "a.txt").write_text("A")
    return serve(
        [
            (r"/files/(.*)", protected(StaticFileHandler, scopes="files.read"), {"path": str(tmp_path)}),
            (r"/open/(.*)", public(StaticFileHandler), {"path": str(tmp_path)}),
            (r"/old", public(RedirectHandler), {"url": "/new"}),
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


def test_a_handler_that_is_protected_already_is_rejected() -> None:
    with pytest.raises(TypeError, match="RedirectHandler inherits BearerAuthMixin"):
        protected(public(RedirectHandler), scopes="a")


def test_a_requirement_that_a_wrapped_handler_would_lose_is_rejected() -> None:
    handler = type("Reports", (RedirectHandler,), {"scopes": "reports:read"})
    for wrap in (protected, public):
        with pytest.raises(TypeError, match=r"write class Reports\(Reports, BearerAuthMixin\):"):
            wrap(handler)
    assert "reports:all" == protected(handler, scopes="reports:all").scopes


def test_invalid_attributes_are_rejected() -> None:
    with pytest.raises(TypeError, match="scope"):
        protected(StaticFileHandler, scope="files.read")
    with pytest.raises(ValueError, match="public"):
        protected(StaticFileHandler, public=True, scopes="files.read")
