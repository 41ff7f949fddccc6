"""The template of the route that has led to a handler, which names a request in metrics and traces."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, PathMatches

from service.web.openapi.path_template import parse_template
from service.web.routing.audit import mounted_routes

Routes = list[tuple[tuple[Matcher, ...], str | None]]
"""The matchers of each route, and its template; None for the default handler."""


class _Templates:
    """The templates of the routes of one application, prepared once: requests only look them up."""

    def __init__(self, application: tornado.web.Application) -> None:
        self._version = _version(application)
        self._routes: Routes = []
        self._of_class: dict[object, Routes] = {}
        default = application.settings.get("default_handler_class")
        for route in mounted_routes(application, default=default):
            entry = route.matchers, _template(route.matchers)
            self._routes.append(entry)
            self._of_class.setdefault(route.target, []).append(entry)

    def are_current(self, application: tornado.web.Application) -> bool:
        """Return whether no routes were added since."""
        return self._version == _version(application)

    def find(self, handler: tornado.web.RequestHandler) -> str | None:
        """Return the template of the route that has led to a handler."""
        routes = self._of_class.get(type(handler), self._routes)  # a class may create a handler of another class
        return routes[0][1] if len(routes) == 1 else _match(routes, handler.request)


_TEMPLATES: weakref.WeakKeyDictionary[tornado.web.Application, _Templates] = weakref.WeakKeyDictionary()


def find_route(handler: tornado.web.RequestHandler) -> str | None:
    """Return the template of the route that has led to a handler, such as ``/orders/{id}``; None for no route."""
    application = handler.application
    templates = _TEMPLATES.get(application)
    if templates is None or not templates.are_current(application):
        templates = _TEMPLATES[application] = _Templates(application)
    return templates.find(handler)


def forget_routes() -> None:
    """Prepare the templates of all applications again, since routes were added to one of them or to a nested one."""
    _TEMPLATES.clear()


def _version(application: tornado.web.Application) -> tuple[int, int]:
    return len(application.default_router.rules), len(application.wildcard_router.rules)


def _match(routes: Routes, request: HTTPServerRequest) -> str | None:
    return next(
        (template for matchers, template in routes if all(matcher.match(request) is not None for matcher in matchers)),
        None,
    )


def _template(matchers: Iterable[Matcher]) -> str | None:
    """Return the template of the last path among the matchers of a route."""
    paths = [matcher for matcher in matchers if isinstance(matcher, PathMatches)]
    if not paths:
        return None
    template = parse_template(paths[-1])
    if template is None:
        return paths[-1].regex.pattern.removesuffix("$")
    return template.render(lambda group: group.name or f"arg{group.number}")
