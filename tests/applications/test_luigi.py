"""The scheduler of Luigi; the lines that protect it are those of docs/how-to/existing-app.rst."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import luigi.server
import pytest
import tornado.web
from foreign_applications import ServedApplication
from luigi.scheduler import Scheduler

from service import ResourceServerApplication, Settings, protect, protected


def make_protected(scheduler: Scheduler) -> tuple[tornado.web.Application, ResourceServerApplication]:
    application = luigi.server.app(scheduler)
    guard = protect(application, Settings(), wrap=protected(scopes="luigi:use"))
    return application, guard


pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are no errors


@pytest.fixture
def served(serve: Any) -> ServedApplication:
    unprotected = luigi.server.app(Scheduler())
    served: ServedApplication = serve(*make_protected(Scheduler()), scope="luigi:use", unprotected=unprotected)
    return served


@pytest.mark.gen_test
async def test_each_route_rejects_a_request_without_a_token(served: ServedApplication) -> None:
    assert {"/", "/api/", "/history", "/metrics", "/static/"} <= served.paths.keys()
    await served.check_rejections()


@pytest.mark.gen_test
async def test_a_good_token_gets_the_pages_of_the_application(served: ServedApplication) -> None:
    replaced = await served.check_pages()
    assert {"/static/": "access_denied", "/api/": "not_found"}.items() <= replaced.items()
    assert {"/history": "server_error"}.items() <= replaced.items()  # Luigi fails without a database


@pytest.mark.gen_test
async def test_a_good_token_schedules_a_task(served: ServedApplication) -> None:
    async def call(method: str, **arguments: Any) -> Any:
        body = urllib.parse.urlencode({"data": json.dumps(arguments)}).encode()
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await served.call(f"/api/{method}", "POST", data=body, **fields)
        assert 200 == response.code
        return json.loads(response.body)["response"]

    await call("add_task", worker="a", task_id="Report_1", family="Report", params={})
    assert ["Report_1"] == list(await call("task_list", status="PENDING", upstream_status=""))
    assert "Report_1" == (await call("get_work", worker="a"))["task_id"]


@pytest.mark.gen_test
async def test_the_visualiser_is_served_to_a_good_token(served: ServedApplication) -> None:
    response = await served.call("/")
    assert (302, "static/visualiser/index.html") == (response.code, response.headers["Location"])
    response = await served.call("/static/visualiser/index.html")
    assert 200 == response.code
    assert b"Luigi Task Visualiser" in response.body
