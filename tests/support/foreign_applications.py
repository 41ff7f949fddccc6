"""Walks the routes and the handler classes of applications that others wrote, and sends requests to them."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import pkgutil
import re
import string
import warnings
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import tornado.web
from hypothesis import strategies
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.routing import Router
from tornado.websocket import WebSocketHandler

from fakeissuer import RunningIssuer

CHALLENGE = 'Bearer realm="api"'
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
UPGRADE = {
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Upgrade": "websocket",
}
"""The header fields of a WebSocket's handshake."""
_PATH_CHARACTERS = string.ascii_letters + string.digits + "/-._%"
_CHANGED_FIELDS = {"Cache-Control", "Content-Length", "Date", "Etag", "Server", "Set-Cookie", "Vary"}
"""The header fields that differ between two responses, or that protected handlers complete."""


def find_paths(application: tornado.web.Application) -> dict[str, type[tornado.web.RequestHandler]]:
    """Return a short path for each rule of an application, at any depth, and the handler to which it leads.

    A rule that no path can reach, since an earlier one matches first, has none.
    """
    found = {}
    earlier: list[str] = []
    for pattern, target in _rules(application.default_router):
        path = shortest_path(pattern, tuple(earlier))
        if path is not None:
            found[path] = target
        earlier.append(pattern)
    return found


def _rules(router: Any) -> Iterator[tuple[str, Any]]:
    for rule in router.rules:
        if isinstance(rule.target, Router):
            yield from _rules(rule.target)
        else:
            yield rule.matcher.regex.pattern, rule.target


@functools.cache
def shortest_path(pattern: str, earlier: tuple[str, ...] = ()) -> str | None:
    """Return a short path that matches a pattern and none of the earlier ones, or None if there is none."""

    def leads_there(path: str) -> bool:
        return path.startswith("/") and path[1:2] != "/" and not any(re.match(each, path) for each in earlier)

    matching = strategies.from_regex(re.compile(pattern, re.ASCII), fullmatch=True, alphabet=_PATH_CHARACTERS)
    quickly = hypothesis.settings(
        database=None,
        derandomize=True,
        max_examples=50,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    try:
        return hypothesis.find(matching, leads_there, settings=quickly)
    except hypothesis.errors.NoSuchExample:
        return None


def import_all(package: str) -> list[str]:
    """Import a package with all its modules; return the names of those that need something that is not installed."""
    failed: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        top = importlib.import_module(package)
        for found in pkgutil.walk_packages(top.__path__, f"{package}.", onerror=failed.append):
            if found.name.endswith(".__main__"):
                continue  # a program
            try:
                importlib.import_module(found.name)
            except Exception:  # noqa: BLE001  # whatever the code of others raises
                failed.append(found.name)
    return failed


def mentions_handlers(module: str) -> bool:
    """Return whether the source of a module that cannot be imported could define a handler class."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return re.search("(Request|WebSocket)Handler", Path(spec.origin).read_text("utf-8")) is not None


def handler_classes(package: str) -> list[type[tornado.web.RequestHandler]]:
    """Return all handler classes that the modules of a package define."""
    pending: list[type[tornado.web.RequestHandler]] = [tornado.web.RequestHandler]
    for kind in pending:
        pending += [each for each in kind.__subclasses__() if each not in pending]
    return [each for each in pending if f"{each.__module__}.".startswith(f"{package}.")]


@dataclass(frozen=True, kw_only=True)
class ServedApplication:
    """A protected application that listens, beside the same one without protection.

    Args:
        url: The address of the protected application, without a path.
        unprotected_url: The address of the other one.
        paths: A path of each route, and its handler.
        scope: The scope that the protected application requires.
    """

    url: str
    unprotected_url: str
    paths: Mapping[str, type[tornado.web.RequestHandler]]
    scope: str
    issuer: RunningIssuer
    client: AsyncHTTPClient

    @property
    def authorization(self) -> str:
        """The value of ``Authorization`` that the application accepts."""
        return f"Bearer {self.issuer.token(scp=self.scope)}"

    async def fetch(self, url: str, method: str = "GET", **options: Any) -> HTTPResponse:
        """Return the response to a request without a token."""
        return await self.client.fetch(
            url,
            method=method,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
            **options,
        )

    async def call(self, path: str, method: str = "GET", *, data: Any = None, **headers: str) -> HTTPResponse:
        """Return the response to a request with a good token; ``data`` is sent as JSON, unless it is bytes."""
        body = data if data is None or isinstance(data, bytes) else json.dumps(data)
        return await self.fetch(
            self.url + path, method, headers={"Authorization": self.authorization} | headers, body=body
        )

    async def check_rejections(self) -> None:
        """Check that each route rejects each method without a token, and GET with a token for something else."""
        other = {"Authorization": f"Bearer {self.issuer.token(scp='other')}"}
        for path, handler in self.paths.items():
            for method, fields in [*((method, {}) for method in METHODS), ("GET", UPGRADE)]:
                response = await self.fetch(self.url + path, method, headers=fields)
                if method in handler.SUPPORTED_METHODS:
                    assert (401, CHALLENGE) == (response.code, bearer_challenge(response)), (path, method)
                    assert method == "HEAD" or "missing_token" == _error(response), (path, method)
                else:  # Tornado rejects it before any code of the handler runs
                    assert 405 == response.code
            if "GET" in handler.SUPPORTED_METHODS:
                assert 403 == (await self.fetch(self.url + path, headers=UPGRADE | other)).code, path

    async def check_pages(
        self, *, varying: AbstractSet[str] = frozenset(), unread: AbstractSet[str] = frozenset()
    ) -> dict[str, str]:
        """Check that each route responds to a good token as the unprotected application does.

        Args:
            varying: The paths of which each response has another body.
            unread: The paths whose responses do not end.

        Returns:
            The errors with which we respond in place of Tornado, by path.
        """
        replaced = {}
        for path, handler in self.paths.items():
            if path in unread:
                continue
            if issubclass(handler, WebSocketHandler):
                assert 426 == (await self.call(path)).code
                continue
            plain, response = await self.fetch(self.unprotected_url + path), await self.call(path)
            if _is_tornados_error(plain) and plain.body != response.body:
                replaced[path] = _error(response)
                continue
            assert plain.code == response.code, path
            assert plain.body == response.body or path in varying, path
            for name in plain.headers.keys() - _CHANGED_FIELDS:
                assert plain.headers[name] == response.headers[name]
        return replaced


def bearer_challenge(response: HTTPResponse) -> str | None:
    """Return the first challenge of a response, or None if there is none."""
    return next(iter(response.headers.get_list("WWW-Authenticate")), None)


def _is_tornados_error(response: HTTPResponse) -> bool:
    """Return whether Tornado has written a response, rather than the application."""
    page = f"<html><title>{response.code}: ".encode()
    return response.code >= 400 and (response.body == b"" or response.body.startswith(page))


def _error(response: HTTPResponse) -> str:
    return str(json.loads(response.body)["error"])
