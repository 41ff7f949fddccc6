"""The template of the route that has led to a handler, which names a request in metrics and traces."""

from __future__ import annotations

import tornado.web
from tornado.routing import PathMatches

from service.web.openapi.path_template import parse_template
from service.web.routing.audit import route_of


def find_route(handler: tornado.web.RequestHandler) -> str | None:
    """Return the template of the route that has led to a handler, such as ``/orders/{id}``; None for no route."""
    route = route_of(handler.application, handler.request)
    for matcher in reversed(route.matchers):
        if isinstance(matcher, PathMatches):
            template = parse_template(matcher)
            if template is None:
                return matcher.regex.pattern.removesuffix("$")
            return template.render(lambda group: group.name or f"arg{group.number}")
    return None
