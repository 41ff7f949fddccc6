"""Walks the routes and the handler classes of applications that others wrote, and sends requests to them."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
import re
import string
import types
import warnings
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import tornado.web
from hypothesis import strategies
from requesting import request
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.routing import Matcher, Router

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
    rules = list(_rules(application.default_router, ()))
    found = {}
    for index, (matchers, target) in enumerate(rules):
        earlier = [each for each, _ in rules[:index]]
        path = _shortest_path(matchers, earlier)
        if path is not None:
            found[path] = target
    return found


def _rules(router: Any, outer: tuple[Matcher, ...]) -> Iterator[tuple[tuple[Matcher, ...], Any]]:
    for rule in router.rules:
        matchers = (*outer, rule.matcher)
        if isinstance(rule.target, Router):
            yield from _rules(getattr(rule.target, "default_router", rule.target), matchers)
        else:
            yield matchers, rule.target


def _shortest_path(matchers: tuple[Matcher, ...], earlier: list[tuple[Matcher, ...]]) -> str | None:
    def leads_there(path: str) -> bool:
        return path.startswith("/") and path[1:2] != "/" and not any(_matches(each, path) for each in earlier)

    (pattern,) = [each.regex.pattern for each in matchers if hasattr(each, "regex")]
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


def _matches(matchers: tuple[Matcher, ...], path: str) -> bool:
    made = request(uri=path)
    return all(each.match(made) is not None for each in matchers)


def import_all(package: str) -> tuple[list[types.ModuleType], list[str]]:
    """Import a package with all its modules.

    Returns:
        The modules, and the names of those that cannot be imported because something they need is not installed.
    """
    modules, failed = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        top = importlib.import_module(package)
        modules.append(top)
        for found in pkgutil.walk_packages(top.__path__, f"{package}.", onerror=failed.append):
            if found.name.endswith(".__main__"):
                continue  # a program
            try:
                modules.append(importlib.import_module(found.name))
            except Exception:  # noqa: BLE001  # whatever the code of others raises
                failed.append(found.name)
    return modules, failed


def mentions_handlers(module: str) -> bool:
    """Return whether the source of a module that cannot be imported could define a handler class."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return "Handler" in Path(spec.origin).read_text("utf-8") and "tornado" in Path(spec.origin).read_text("utf-8")


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
                    assert (401, CHALLENGE) == (response.code, response.headers.get("WWW-Authenticate")), (path, method)
                    assert method == "HEAD" or "missing_token" == _error(response), (path, method)
                else:  # Tornado rejects it before any code of the handler runs
                    assert 405 == response.code
            if "GET" in handler.SUPPORTED_METHODS:
                assert 403 == (await self.fetch(self.url + path, headers=UPGRADE | other)).code, path

    async def check_pages(self, *, varying: AbstractSet[str] = frozenset(), unread: AbstractSet[str] = frozenset()) -> dict[str, str]:
        """Check that each route responds to a good token as the unprotected application does.

        Args:
            varying: The paths of which each response has another body.
            unread: The paths whose responses do not end.

        Returns:
            The errors with which we respond in place of Tornado, by path.
        """
        replaced = {}
        for path in self.paths.keys() - unread:
            plain, response = await self.fetch(self.unprotected_url + path), await self.call(path)
            if _is_tornados_error(plain):
                replaced[path] = _error(response)
                continue
            assert plain.code == response.code, path
            assert plain.body == response.body or path in varying, path
            for name in plain.headers.keys() - _CHANGED_FIELDS:
                assert plain.headers[name] == response.headers[name]
        return replaced


def _is_tornados_error(response: HTTPResponse) -> bool:
    """Return whether Tornado has written a response, rather than the application."""
    page, handshake = f"<html><title>{response.code}: ".encode(), b'Can "Upgrade" only to "WebSocket".'
    return response.code >= 400 and (response.body in {b"", handshake} or response.body.startswith(page))


def _error(response: HTTPResponse) -> str:
    return str(json.loads(response.body)["error"])
