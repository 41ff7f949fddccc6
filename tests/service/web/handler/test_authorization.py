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

ANSWERS: dict[str, Any] = {}


class AtOnce(BearerAuthMixin, tornado.web.RequestHandler):
    def authorize(self, principal: Principal) -> bool:
        assert principal is self.principal
        return _answer(self.path_args[0])

    def get(self, _name: str) -> None:
        self.write({"hello": self.principal.subject})


class Later(AtOnce):
    async def authorize(self, principal: Principal) -> bool:  # type: ignore[override]  # either is allowed
        assert principal is self.principal
        return _answer(self.path_args[0])


def _answer(name: str | None) -> bool:
    answer = ANSWERS[name or ""]
    if isinstance(answer, Exception):
        raise answer
    return cast("bool", answer)


ANSWERS |= {
    "yes": True,
    "no": False,
    "forgotten-return": None,
    "almost": 1,
    "not-permitted": PermissionError("sesame"),
    "broken": ZeroDivisionError("sesame"),
    "hidden": tornado.web.HTTPError(404),
    "scope": InsufficientScope(["things:admin"]),
}
STATUSES = {"yes": 200, "hidden": 404}


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    return serve([(r"/at-once/(.*)", AtOnce), (r"/later/(.*)", Later)])


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("path", ["at-once", "later"])
@pytest.mark.gen_test
async def test_only_true_lets_anybody_pass(
    path: str, name: str, http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):  # judged, and then recalled
        response = await http_client.fetch(
            f"{base_url}/{path}/{name}", headers={"Authorization": "Bearer good"}, raise_error=False
        )
        assert STATUSES.get(name, 403) == response.code
        assert b"sesame" not in response.body
        if response.code == 403:
            assert "insufficient_scope" == json.loads(response.body)["error"]
            assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    mistakes = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (name in {"forgotten-return", "almost", "broken"}) == bool(mistakes)
    assert all("authorize" in record.getMessage() for record in mistakes)


@pytest.mark.gen_test
async def test_is_not_asked_about_a_token_that_is_refused(http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(
        f"{base_url}/at-once/no-such-answer", headers={"Authorization": "Bearer bad"}, raise_error=False
    )
    assert 401 == response.code


@pytest.mark.gen_test
async def test_a_recalled_token_awaits_nothing_unless_authorize_does(http_client: AsyncHTTPClient) -> None:
    assert AtOnce.policy.has_authorize
    assert not BearerAuthMixin.policy.has_authorize
    http_client.close()
