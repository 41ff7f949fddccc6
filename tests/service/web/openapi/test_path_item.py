from __future__ import annotations

import pytest
from tornado.routing import PathMatches
from tornado.web import RequestHandler

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.path_item import describe_path
from service.web.openapi.path_template import PathTemplate, parse_template


def _template(regex: str) -> PathTemplate:
    template = parse_template(PathMatches(regex))
    assert template is not None
    return template


class Parts(BearerAuthMixin, RequestHandler):
    """The parts of things.

    Some have none.
    """

    def get(self, thing: str, part: str = "") -> None:
        """Read."""

    def delete(self, *parts: str) -> None:
        """Remove."""


@pytest.mark.parametrize(
    ("regex", "methods", "path"),
    [
        ("/t/([0-9]+)/p/([a-z]+)", ["GET", "DELETE"], "/t/{thing}/p/{part}"),
        ("/t/(a)/p/(b)/(c)", ["GET"], "/t/{thing}/p/{part}/{part3}"),
        ("/t/(?P<part>a)/p/(?P<id>b)", ["GET"], "/t/{part}/p/{id}"),
        ("/t/(a)/p/(b)", ["DELETE"], "/t/{part1}/p/{part2}"),
        ("/t", ["GET"], "/t"),
    ],
)
def test_parameters_are_named_by_the_route_or_the_method(regex: str, methods: list[str], path: str) -> None:
    rendered, item = describe_path(Parts, methods, _template(regex), tokens=AcceptedTokens())
    assert path == rendered
    assert {"description", *map(str.lower, methods)} == item.keys()


def test_a_parameter_has_the_pattern_of_its_group() -> None:
    _, item = describe_path(Parts, ["GET"], _template("/t/([0-9]+)/f/(.*)"), tokens=AcceptedTokens())
    assert [
        {"name": "thing", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^(?:[0-9]+)$"}},
        {
            "name": "part",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^(?:.*)$"},
            "description": "May contain slashes, sent without percent-encoding.",
            "x-slashes": True,
        },
    ] == item["get"]["parameters"]


def test_a_pattern_unknown_to_json_schema_is_omitted() -> None:
    _, item = describe_path(Parts, ["GET"], _template(r"/t/([\x41])"), tokens=AcceptedTokens())
    assert {"type": "string"} == item["get"]["parameters"][0]["schema"]


def test_the_docstring_of_the_class_describes_the_path() -> None:
    _, item = describe_path(Parts, ["GET"], _template("/t"), tokens=AcceptedTokens())
    assert "The parts of things.\n\nSome have none." == item["description"]
