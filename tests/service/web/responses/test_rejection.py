from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler

from service import ResourceServerApplication, public
from service.errors import InsufficientScope
from service.web.responses.challenge import error_response_for
from service.web.responses.rejection import RejectionResponse


class Plain(RequestHandler):
    def get(self) -> None:
        self.set_header("Cache-Control", "public")
        self.set_header("WWW-Authenticate", "Basic")
        response = error_response_for(InsufficientScope(["things:read"]), realm="test")
        RejectionResponse.of(response, cors={"Access-Control-Allow-Origin": "*"}).write_to(self)


class Repeated(RequestHandler):
    def get(self) -> None:
        headers = HTTPHeaders()
        headers.add("WWW-Authenticate", "Bearer")
        headers.add("WWW-Authenticate", "DPoP")
        RejectionResponse(status=401, headers=headers, body=b"{}").write_to(self)


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    return serve([("/plain", public(Plain)), ("/repeated", public(Repeated))])


@pytest.mark.gen_test
async def test_a_handler_writes_the_status_the_fields_and_the_body(call: Callable[..., Any]) -> None:
    response = await call("/plain")
    assert (403, "no-store") == (response.code, response.headers["Cache-Control"])
    assert ["application/json; charset=UTF-8"] == response.headers.get_list("Content-Type")
    (challenge,) = response.headers.get_list("WWW-Authenticate")
    assert challenge.startswith('Bearer realm="test", error="insufficient_scope"')
    assert "insufficient_scope" == json.loads(response.body)["error"]


@pytest.mark.gen_test
async def test_a_repeated_field_stays_apart(call: Callable[..., Any]) -> None:
    response = await call("/repeated")
    assert ["Bearer", "DPoP"] == response.headers.get_list("WWW-Authenticate")
