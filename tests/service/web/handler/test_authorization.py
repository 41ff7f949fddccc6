from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from service.errors import InsufficientScope
from service.tokens.principal import Principal
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin

RESULTS: dict[str, Any] = {}


class SyncHandler(BearerAuthMixin, tornado.web.RequestHandler):
    def authorize(self, principal: Principal) -> bool:
        assert principal is self.principal
        return _result(self.path_args[0])

    def get(self, _name: str) -> None:
        self.write({"hello": self.principal.subject})


class AsyncHandler(SyncHandler):
    async def authorize(self, principal: Principal) -> bool:  # type: ignore[override]  # a coroutine is allowed
        assert principal is self.principal
        return _result(self.path_args[0])


def _result(name: str | None) -> bool:
    result = RESULTS[name or ""]
    if isinstance(result, Exception):
        raise result
    return cast("bool", result)


RESULTS |= {
    "yes": True,
    "no": False,
    "missing-return": None,
    "truthy": 1,
    "not-permitted": PermissionError("sesame"),
    "broken": ZeroDivisionError("sesame"),
    "hidden": tornado.web.HTTPError(404),
    "scope": InsufficientScope(["things:admin"]),
}
STATUSES = {"yes": 200, "hidden": 404}


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    return serve([(r"/sync/(.*)", SyncHandler), (r"/async/(.*)", AsyncHandler)])


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("path", ["sync", "async"])
@pytest.mark.gen_test
async def test_only_true_authorizes_the_request(
    path: str, name: str, http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):  # validated, then cached
        response = await http_client.fetch(
            f"{base_url}/{path}/{name}", headers={"Authorization": "Bearer good"}, raise_error=False
        )
        assert STATUSES.get(name, 403) == response.code
        assert b"sesame" not in response.body
        if response.code == 403:
            assert "insufficient_scope" == json.loads(response.body)["error"]
            assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (name in {"missing-return", "truthy", "broken"}) == bool(errors)
    assert all("authorize" in record.getMessage() for record in errors)


@pytest.mark.gen_test
async def test_authorize_is_not_called_for_a_rejected_token(http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(
        f"{base_url}/sync/no-such-result", headers={"Authorization": "Bearer bad"}, raise_error=False
    )
    assert 401 == response.code


@pytest.mark.gen_test
async def test_has_authorize_is_true_only_for_an_override(http_client: AsyncHTTPClient) -> None:
    assert SyncHandler.policy.has_authorize
    assert not BearerAuthMixin.policy.has_authorize
    http_client.close()
