from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from service.web.application import Service
from service.web.third_party import public


@pytest.fixture
def app(serve: Callable[..., Service]) -> Service:
    return serve([(r"/teapot", public(tornado.web.ErrorHandler), {"status_code": 418})], cors_origins=["*"])


@pytest.mark.parametrize(("path", "status"), [("/teapot", 418), ("/nowhere", 404)])
@pytest.mark.gen_test
async def test_whatever_is_refused_is_json_that_a_page_can_read(
    path: str, status: int, http_client: AsyncHTTPClient, base_url: str
) -> None:
    response = await http_client.fetch(base_url + path, raise_error=False, headers={"Origin": "https://app.example"})
    assert (status, {"error", "error_description"}) == (response.code, set(json.loads(response.body)))
    assert ("no-store", "*") == (
        response.headers["Cache-Control"],
        response.headers["Access-Control-Allow-Origin"],
    )
