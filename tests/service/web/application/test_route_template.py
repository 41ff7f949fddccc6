from __future__ import annotations

from typing import Any

import pytest
import tornado.web
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.routing import HostMatches, PathMatches, Rule

from service.web.application import route_template
from service.web.application.route_template import find_route, forget_routes


class One(tornado.web.RequestHandler):
    """Is mounted once."""


class Two(tornado.web.RequestHandler):
    """Is mounted several times."""


class Other(tornado.web.RequestHandler):
    """Is mounted nowhere."""


class _Connection(HTTPConnection):
    def set_close_callback(self, callback: Any) -> None:
        """Ignore the callback: no connection is closed."""


def _route(application: tornado.web.Application, kind: type[tornado.web.RequestHandler], path: str) -> str | None:
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", path, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": "api.example"}),
        connection=_Connection(),
    )
    return find_route(kind(application, request))


@pytest.fixture
def application() -> tornado.web.Application:
    nested = tornado.web.Application([(r"/nested/(\d+)", One)])
    return tornado.web.Application(
        [
            (r"/orders/(?P<id>\d+)", One),
            (r"/things", Two),
            (r"/things/(\d+)/parts/(\w+)", Two),
            (r"/any(/.*)?", Two),
            Rule(HostMatches("admin.example"), [(r"/things/(?P<id>\d+)", Two)]),
            Rule(PathMatches(r"/nested/.*"), nested),
        ],
        default_handler_class=Two,
    )


ROUTES: dict[str, tuple[type[tornado.web.RequestHandler], str, str | None]] = {
    "a class with several routes": (One, "/orders/7", "/orders/{id}"),
    "the first route that matches": (Two, "/things", "/things"),
    "groups without names": (Two, "/things/1/parts/x", "/things/{arg1}/parts/{arg2}"),
    "a pattern without a template": (Two, "/any/where", "/any(/.*)?"),
    "the route of another host": (Two, "/things/1", None),
    "the default handler": (Two, "/nowhere", None),
    "a class that no route names": (Other, "/orders/7", "/orders/{id}"),
    "a class that no route names, at an unknown path": (Other, "/nowhere", None),
}


@pytest.mark.parametrize(("kind", "path", "expected"), ROUTES.values(), ids=ROUTES.keys())
def test_the_route_of_a_handler_is_its_template(
    application: tornado.web.Application, kind: type[tornado.web.RequestHandler], path: str, expected: str | None
) -> None:
    assert expected == _route(application, kind, path)


def test_an_application_without_a_default_handler_has_no_route_for_other_paths() -> None:
    application = tornado.web.Application([(r"/orders", One)])
    assert None is _route(application, Other, "/nowhere")


def test_only_the_routes_of_a_class_with_several_are_matched(
    application: tornado.web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = tornado.web.Application([(r"/orders/(?P<id>\d+)", One)])
    assert "/orders/{id}" == _route(once, One, "/orders/7")
    monkeypatch.setattr(route_template, "_match", None)
    assert "/orders/{id}" == _route(once, One, "/orders/8")


def test_routes_that_are_added_are_found(application: tornado.web.Application) -> None:
    assert None is _route(application, Other, "/later")
    application.add_handlers(r"api\.example", [(r"/later", Other)])
    assert "/later" == _route(application, Other, "/later")


def test_routes_that_are_added_to_a_nested_application_are_found_once_the_others_are_forgotten() -> None:
    nested = tornado.web.Application([(r"/nested/one", One)])
    application = tornado.web.Application([Rule(PathMatches(r"/nested/.*"), nested)])
    assert "/nested/one" == _route(application, One, "/nested/one")
    nested.add_handlers(r".*", [(r"/nested/two", One)])
    forget_routes()
    assert "/nested/two" == _route(application, One, "/nested/two")
