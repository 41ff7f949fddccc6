"""From the routes to the OpenAPI 3.1 document: pure, and made once (OpenAPI 3.1.0 section 4.8.1)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tornado.routing import AnyMatches, HostMatches, Matcher, PathMatches

from service.web.openapi.components import components
from service.web.openapi.path_item import describe_path
from service.web.openapi.path_template import PathTemplate, templates_of
from service.web.openapi.security import schemes
from service.web.responses.methods import METHODS
from service.web.responses.resource import Resource
from service.web.routing.audit import MountedRoute

_ANY_HOST = frozenset({".*", ".*$"})


def describe(found: Iterable[MountedRoute], *, title: str, resource: Resource) -> dict[str, Any]:
    """Return the document about everything that is mounted.

    A route that no template can express, that has a method OpenAPI has no room for, or whose path another route
    answers first, stands in ``x-unlisted-routes``; what answers where no route does is left out.
    """
    found = list(found)
    handlers = [route.handler for route in found if route.handler is not None]
    paths, unlisted = _paths(found, issuers=len(resource.authorization_servers))
    # Changes with what is described, and with nothing else, so that readers see when to look again.
    version = hashlib.sha256(json.dumps(paths).encode()).hexdigest()[:12]
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": components(schemes(resource.authorization_servers, handlers)),
    }
    if resource.public_url is not None:
        document["servers"] = [{"url": resource.public_url.removesuffix("/")}]
    if unlisted:
        document["x-unlisted-routes"] = unlisted
    return document


def _paths(found: Iterable[MountedRoute], *, issuers: int) -> tuple[dict[str, Any], list[str]]:
    paths: dict[str, Any] = {}
    unlisted: list[str] = []
    seen: set[str] = set()
    for route in found:
        if route.handler is None or not route.matchers:
            continue
        methods = [method for method in route.methods if method in METHODS]
        # Of two routes with one path Tornado asks the first.
        new = [template for template in _templates(route.matchers) if _shape(template) not in seen]
        seen.update(map(_shape, new))
        if not new or not methods or len(methods) < len(route.methods):
            unlisted.append(route.pattern)
        for template in new if methods else ():
            path, item = describe_path(route.handler, methods, template, issuers=issuers)
            paths[path] = item | _hosts(route.matchers)
    _number_duplicates(paths)
    return paths, unlisted


def _templates(matchers: tuple[Matcher, ...]) -> list[PathTemplate]:
    """Return the paths of the innermost rule; those around it match the whole path as well."""
    if not all(isinstance(matcher, AnyMatches | HostMatches | PathMatches) for matcher in matchers):
        return []
    expressions = [matcher.regex for matcher in matchers if isinstance(matcher, PathMatches)]
    return [
        template
        for template in (templates_of(expressions[-1].pattern) if expressions else ())
        if template.groups or all(around.match(template.render(str)) for around in expressions)
    ]


def _shape(template: PathTemplate) -> str:
    """Return what tells paths apart, which the names of their parameters do not."""
    return template.render(lambda _: "")


def _hosts(matchers: tuple[Matcher, ...]) -> dict[str, Any]:
    hosts = [matcher.host_pattern.pattern for matcher in matchers if isinstance(matcher, HostMatches)]
    narrow = [host for host in hosts if host not in _ANY_HOST]
    return {"x-hosts": narrow} if narrow else {}


def _number_duplicates(paths: dict[str, Any]) -> None:
    """Number the operations that have one name, since a name stands for one (OpenAPI 3.1.0 section 4.8.10.1)."""
    seen: Counter[str] = Counter()
    for item in paths.values():
        for method in METHODS:
            if (operation := item.get(method.lower())) is not None:
                name = operation["operationId"]
                seen[name] += 1
                operation["operationId"] = name if seen[name] == 1 else f"{name}{seen[name]}"
