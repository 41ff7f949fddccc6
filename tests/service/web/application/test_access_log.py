from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tornado.web import RequestHandler

from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin

LINES: list[Mapping[str, Any]] = []


class Probe(BearerAuthMixin, RequestHandler):
    public = True

    def get(self) -> None:
        self.set_status(int(self.get_argument("status", "200")))


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    LINES.clear()
    return serve([(r"/healthz", Probe), (r"/probe", Probe)], access_log=LINES.append)


@pytest.mark.parametrize(
    ("path", "is_written"), [("/probe", True), ("/healthz", False), ("/healthz?status=503", True), ("/nothing", True)]
)
@pytest.mark.gen_test
async def test_every_response_but_that_of_a_successful_probe_is_written(
    path: str,
    is_written: bool,  # noqa: FBT001  # a column of the table
    call: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="service.access")
    response = await call(path)
    assert is_written == bool(LINES)
    fields = LINES[0] if is_written else vars(caplog.records[-1])
    assert response.headers["X-Request-Id"] == fields["request_id"]
    assert (path.partition("?")[0], response.code) == (fields["path"], fields["status"])
