"""Wraps each handler class of other packages, and sends requests without a token to each."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any
from unittest.mock import MagicMock

import pytest
import tornado.web
from foreign_applications import (
    CHALLENGE,
    METHODS,
    UPGRADE,
    bearer_challenge,
    handler_classes,
    import_all,
    mentions_handlers,
)
from thumbor.config import Config
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service import Settings, protect, protected, public

PACKAGES = ["bokeh", "flower", "jupyter_server", "jupyter_server_terminals", "luigi", "sockjs.tornado", "thumbor"]
NOT_IMPORTED = {package: import_all(package) for package in PACKAGES}
"""The modules that need something that is not installed."""
HANDLERS = {
    f"{handler.__module__}.{handler.__qualname__}": handler
    for package in PACKAGES
    for handler in handler_classes(package)
}
BOKEH = ["application_context", "applications", "bokeh_websocket_path", "index", "prefix", "use_redirect"]
"""The arguments that the rules of Bokeh pass to its handlers."""
ARGUMENTS = {"applications": {}, "context": MagicMock(config=Config())}
"""The arguments for which a handler does not take any object."""

pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are no errors


class AnyApplication(tornado.web.Application):
    """Has every attribute that a handler may read of its application."""

    def __getattr__(self, name: str) -> Any:
        return MagicMock()


def methods_of(handler: type) -> Iterator[tuple[str, CodeType]]:
    """Yield the methods of a handler class that run for a request, and their code below all decorators."""
    names = {method.lower() for method in METHODS} | {
        "prepare",
        "data_received",
        "open",
        "on_message",
        "select_subprotocol",
    }
    for name in names:
        method = inspect.unwrap(getattr(handler, name, None))  # type: ignore[arg-type]  # None has nothing to unwrap
        if inspect.isfunction(method) and not method.__module__.startswith("tornado."):
            yield name, method.__code__


@contextlib.contextmanager
def recorded(handler: type) -> Iterator[set[str]]:
    """Yield a set that receives the name of each method of a handler class that runs."""
    names = {code: name for name, code in methods_of(handler)}
    ran: set[str] = set()

    def record(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in names:
            ran.add(names[frame.f_code])

    sys.setprofile(record)  # sys.monitoring is missing in Python 3.11
    try:
        yield ran
    finally:
        sys.setprofile(None)


def arguments_of(handler: type[tornado.web.RequestHandler]) -> dict[str, Any]:
    """Return the arguments that a rule must pass to a handler class."""
    parameters = list(inspect.signature(handler.initialize).parameters.values())[1:]
    named = [each.name for each in parameters if each.kind not in {each.VAR_POSITIONAL, each.VAR_KEYWORD}]
    takes_any = len(named) < len(parameters) and handler.__module__.startswith("bokeh.")
    return {name: ARGUMENTS.get(name, MagicMock()) for name in (BOKEH if takes_any else named)}


async def send_all(url: str, client: AsyncHTTPClient) -> dict[str, tuple[int, str | None]]:
    """Return the status and the challenge of a request with each method, and of a WebSocket's handshake."""
    found = {}
    for name, fields in [*((method, {}) for method in METHODS), ("UPGRADE", UPGRADE)]:
        response = await client.fetch(
            url,
            method="GET" if fields else name,
            headers=fields,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
        )
        found[name] = response.code, bearer_challenge(response)
    return found


def test_all_modules_with_handlers_are_imported() -> None:
    assert not [module for failed in NOT_IMPORTED.values() for module in failed if mentions_handlers(module)]
    for package in PACKAGES:
        assert [name for name in HANDLERS if name.startswith(f"{package}.")]


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
@pytest.mark.gen_test
async def test_a_request_without_a_token_reaches_no_method(
    handler: type[tornado.web.RequestHandler],
    listen: Callable[[tornado.web.Application], str],
    issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
) -> None:
    application = AnyApplication([(r"/.*", protected(handler, scopes="any"), arguments_of(handler))])
    guard = protect(application, Settings(issuer=issuer.issuer_url()))
    with recorded(handler) as ran:
        found = await send_all(listen(application), http_client)
    supported = {*handler.SUPPORTED_METHODS, *(["UPGRADE"] if "GET" in handler.SUPPORTED_METHODS else [])}
    assert {method: (401, CHALLENGE) if method in supported else (405, None) for method in found} == found
    assert not ran
    await guard.close()


@pytest.mark.gen_test
async def test_a_method_that_runs_is_recorded(
    listen: Callable[[tornado.web.Application], str], issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    handler = HANDLERS["thumbor.handlers.healthcheck.HealthcheckHandler"]
    application = AnyApplication([(r"/.*", public(handler))])
    guard = protect(application, Settings(issuer=issuer.issuer_url()))
    with recorded(handler) as ran:
        await send_all(listen(application), http_client)
    assert {"prepare", "get", "head"} == ran
    await guard.close()
