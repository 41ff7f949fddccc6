"""Flower, the dashboard of Celery; the lines that protect it are those of docs/how-to/existing-app.rst."""

from __future__ import annotations

import html
from typing import Any

import celery
import flower.options  # defines the options
import flower.urls
import pytest
import tornado.web
from flower.app import Flower
from foreign_applications import ServedApplication
from tornado.options import options

from service import ResourceServerApplication, Settings, protect, protected


def make_protected(tasks: celery.Celery) -> tuple[tornado.web.Application, ResourceServerApplication]:
    dashboard = Flower(capp=tasks, options=options, **flower.urls.settings)
    guard = protect(dashboard, Settings(), wrap=protected(scopes="flower:use"))
    return dashboard, guard


def add(left: int, right: int) -> int:
    return left + right


pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are no errors


@pytest.fixture
def served(serve: Any, monkeypatch: pytest.MonkeyPatch) -> ServedApplication:
    monkeypatch.setenv("FLOWER_UNAUTHENTICATED_API", "1")
    monkeypatch.setattr(options.mockable(), "inspect_timeout", 100.0)
    tasks = celery.Celery("tasks", broker="memory://", backend="cache+memory://", set_as_current=False)
    tasks.task(add, name="tasks.add")
    unprotected = Flower(capp=tasks, options=options, **flower.urls.settings)
    served: ServedApplication = serve(*make_protected(tasks), scope="flower:use", unprotected=unprotected)
    return served


@pytest.mark.gen_test
async def test_each_route_rejects_a_request_without_a_token(served: ServedApplication) -> None:
    assert {"/", "/metrics", "/api/tasks", "/login", "/static/"} <= served.paths.keys()
    await served.check_rejections()


@pytest.mark.gen_test
async def test_a_good_token_gets_the_pages_of_the_application(served: ServedApplication) -> None:
    replaced = await served.check_pages(varying={"/metrics"})
    assert {"/static/": "access_denied", "/robots.txt": "not_found"}.items() <= replaced.items()


@pytest.mark.gen_test
async def test_a_good_token_runs_a_task(served: ServedApplication) -> None:
    response = await served.call("/api/task/async-apply/tasks.add", "POST", data={"args": [1, 2]})
    assert 200 == response.code
    assert b'"state": "PENDING"' in response.body


@pytest.mark.parametrize(
    ("path", "method", "status", "message"),
    [
        ("/task/unknown", "GET", 404, "Unknown task 'unknown'"),
        ("/worker/unknown", "GET", 404, "Unknown worker 'unknown'"),
        ("/nothing", "GET", 404, "Error, page not found"),
        ("/api/task/async-apply/unknown", "POST", 404, "Unknown task 'unknown'"),
        ("/api/worker/shutdown/unknown", "POST", 404, "Unknown worker 'unknown'"),
        ("/api/workers", "DELETE", 405, ""),
    ],
)
@pytest.mark.gen_test
async def test_the_application_keeps_its_own_error_messages(
    path: str, method: str, status: int, message: str, served: ServedApplication
) -> None:
    response = await served.call(path, method)
    assert status == response.code
    assert message in html.unescape(response.body.decode())
    assert '"error"' not in response.body.decode()
