from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from fakeissuer.control.access import ControlGuard
from fakeissuer.control.handlers import ControlHandler
from fakeissuer.control.issuer_control import IssuerControl
from fakeissuer.handlers.base.endpoint import EndpointHandler
from fakeissuer.handlers.base.fault_injection import FaultInjector
from fakeissuer.model.endpoints import ENDPOINT_NAMES
from fakeissuer.server.routes import HANDLERS, make_app
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.state import IssuerState

Ask = Callable[..., Any]


class UnfinishedHandler(EndpointHandler):
    """An endpoint without an implementation."""

    endpoint = "keys"


class FailingCall(ControlHandler):
    """A control call that raises an unexpected exception."""

    def get(self) -> None:
        raise ZeroDivisionError


def test_every_endpoint_has_a_handler() -> None:
    assert {handler.endpoint for handler in HANDLERS} | {"discovery", "register"} == set(ENDPOINT_NAMES)


@pytest.mark.gen_test
async def test_an_unexpected_failure_is_500_and_the_log_omits_the_query(
    state: IssuerState, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    control, fault_injector, guard = IssuerControl(state), FaultInjector(), ControlGuard(allowed_hosts=frozenset())
    app = make_app(control, fault_injector, guard)
    app.add_handlers(
        ".*",
        [
            ("/unfinished", UnfinishedHandler, {"state": state, "fault_injector": fault_injector}),
            ("/failing", FailingCall, {"control": control, "guard": guard}),
        ],
    )
    server = HTTPServer(app)
    (listening,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(listening)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    unfinished = await asyncio.to_thread(ask, f"{url}/unfinished?token=hidden")
    failing = await asyncio.to_thread(ask, f"{url}/failing?token=hidden")
    server.stop()
    await server.close_all_connections()
    assert (unfinished.status, unfinished.json()["errorCode"]) == (500, "E0000009")
    assert (failing.status, failing.json()["error"]) == (500, "server_error")
    assert "ZeroDivisionError" in caplog.text
    assert "hidden" not in caplog.text


def test_a_malformed_request_gets_an_error_response(fake_issuer: RunningIssuer, ask: Ask) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"&".join(b"a=1" for _ in range(5000))
    answer = ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", body=body, headers=form)
    assert answer.status == 400
    assert set(answer.json()) & {"errorCode", "error"}
