"""Builds the OpenAPI 3.1 document of the mounted routes (OpenAPI 3.1.0 section 4.8.1)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tornado.routing import AnyMatches, HostMatches, Matcher, PathMatches

from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.components import components
from service.web.openapi.path_item import describe_path
from service.web.openapi.path_template import PathTemplate, parse_template
from service.web.openapi.security import schemes
from service.web.responses.methods import METHODS
from service.web.routing.audit import MountedRoute

_ANY_HOST = frozenset({".*", ".*$"})


def describe(
    routes: Iterable[MountedRoute], *, title: str, public_url: str | None, tokens: AcceptedTokens
) -> dict[str, Any]:
    """Return the OpenAPI document of an application.

    ``x-unlisted-routes`` lists the routes that have no path template or a method that OpenAPI does not support, and
    those whose path belongs to an earlier route. The application's default handler is left out.

    Args:
        title: The name of the API.
        public_url: Its URL; None if clients know it from elsewhere.
        tokens: The accepted tokens.
    """
    routes = list(routes)
    handlers = [route.handler for route in routes if route.handler is not None]
    paths, unlisted = _describe_paths(routes, tokens=tokens)
    # The version changes with the paths and with nothing else, so that clients notice a change.
    version = hashlib.sha256(json.dumps(paths).encode()).hexdigest()[:12]
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": components(schemes(tokens, handlers)),
    }
    if public_url is not None:
        document["servers"] = [{"url": public_url.removesuffix("/")}]
    if unlisted:
        document["x-unlisted-routes"] = unlisted
    return document


def _describe_paths(routes: Iterable[MountedRoute], *, tokens: AcceptedTokens) -> tuple[dict[str, Any], list[str]]:
    paths: dict[str, Any] = {}
    unlisted: list[str] = []
    shapes: set[str] = set()
    for route in routes:
        if route.handler is None or not route.matchers:
            continue
        template = _template(route.matchers)
        # Tornado uses the first of two routes with the same path.
        if template is None or (shape := template.render(lambda _: "")) in shapes:
            unlisted.append(route.pattern)
            continue
        shapes.add(shape)
        methods = [method for method in route.methods if method in METHODS]
        if not methods or len(methods) < len(route.methods):
            unlisted.append(route.pattern)
        if methods:
            path, item = describe_path(route.handler, methods, template, tokens=tokens)
            paths[path] = item | _hosts(route.matchers)
    _number_duplicates(paths)
    return paths, unlisted


def _template(matchers: tuple[Matcher, ...]) -> PathTemplate | None:
    """Return the template of the innermost rule; Tornado matches the whole path against the outer rules too."""
    if not all(isinstance(matcher, AnyMatches | HostMatches | PathMatches) for matcher in matchers):
        return None
    path_matchers = [matcher for matcher in matchers if isinstance(matcher, PathMatches)]
    template = parse_template(path_matchers[-1]) if path_matchers else None
    if template is None or template.groups:
        return template
    return template if all(matcher.regex.match(template.render(str)) for matcher in path_matchers) else None


def _hosts(matchers: tuple[Matcher, ...]) -> dict[str, Any]:
    hosts = [matcher.host_pattern.pattern for matcher in matchers if isinstance(matcher, HostMatches)]
    restricted = [host for host in hosts if host not in _ANY_HOST]
    return {"x-hosts": restricted} if restricted else {}


def _number_duplicates(paths: dict[str, Any]) -> None:
    """Number the operations that share an ``operationId``, which must be unique (OpenAPI 3.1.0 section 4.8.10.1)."""
    counts: Counter[str] = Counter()
    for item in paths.values():
        for method in METHODS:
            if (operation := item.get(method.lower())) is not None:
                name = operation["operationId"]
                counts[name] += 1
                operation["operationId"] = name if counts[name] == 1 else f"{name}{counts[name]}"
