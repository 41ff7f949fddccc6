from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient

from service.web.application.application import ResourceServerApplication
from service.web.endpoints import okta_guide


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    return serve(okta_guide.ROUTES)


@pytest.mark.gen_test
async def test_each_request_is_logged_in_one_line_without_query_and_token(
    http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service.access")
    await http_client.fetch(
        f"{base_url}/api/whoami?access_token=sesame", headers={"Authorization": "Bearer good~sesame"}
    )
    (record,) = (record for record in caplog.records if record.name == "service.access")
    assert record.getMessage().startswith("GET /api/whoami 200 ")
    assert ("/api/whoami", 200) == (vars(record)["path"], vars(record)["status"])
    assert "sesame" not in caplog.text
