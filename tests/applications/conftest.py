"""Fixtures of the tests with applications that others wrote.

``tox -e applications`` installs these on Python 3.13 and runs the tests.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tornado.web
from foreign_applications import ServedApplication, find_paths
from programs import clean_environment
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

import fakeissuer
from fakeissuer import RunningIssuer
from service import ResourceServerApplication

StartProgram = Callable[..., str]
"""Starts ``python`` with these arguments, and returns what the pattern's first group matches in its log."""
Serve = Callable[..., ServedApplication]

EXAMPLES = Path(__file__).parents[2] / "examples"
_STARTUP_SECONDS = 60


def _is_installed(module: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of other packages
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            return False
    return True


_NEEDED = {
    "test_bokeh.py": "bokeh.server.server",
    "test_flower.py": "flower.app",
    "test_handler_classes.py": "thumbor.app",
    "test_jupyter_server.py": "jupyter_server.serverapp",
    "test_jupyter_tokens.py": "jupyter_server.serverapp",
    "test_luigi.py": "luigi.server",
    "test_sockjs.py": "sockjs.tornado",
    "test_thumbor.py": "thumbor.app",
}
collect_ignore = [file for file, module in _NEEDED.items() if not _is_installed(module)]
if collect_ignore and os.environ.get("CI") == "true":
    raise RuntimeError(f"pip install '.[applications]': {', '.join(collect_ignore)} cannot run")


@pytest.fixture
def http_client(io_loop: IOLoop) -> Iterator[AsyncHTTPClient]:
    """The client of one test; pytest-tornado's needs an application in this process."""
    client = AsyncHTTPClient(force_instance=True)
    yield client
    client.close()


@pytest.fixture(scope="session")
def issuer() -> Iterator[RunningIssuer]:
    """A fake issuer for all tests."""
    with fakeissuer.running() as running:
        yield running


@pytest.fixture
def listen(io_loop: IOLoop) -> Iterator[Callable[[tornado.web.Application], str]]:
    """Return a function that serves an application, and returns its URL."""
    servers = []

    def start(application: tornado.web.Application) -> str:
        servers.append(application.listen(0, "127.0.0.1"))
        port = next(iter(servers[-1]._sockets.values())).getsockname()[1]
        return f"http://127.0.0.1:{port}"

    yield start
    for server in servers:
        server.stop()
        io_loop.run_sync(server.close_all_connections)


@pytest.fixture
def serve(
    io_loop: IOLoop,
    http_client: AsyncHTTPClient,
    listen: Callable[[tornado.web.Application], str],
    issuer: RunningIssuer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Serve]:
    """Return a function that serves a protected application; its settings come from the environment, as a user's do."""
    guards: list[ResourceServerApplication] = []
    monkeypatch.setenv("OKTA_OAUTH2_ISSUER", issuer.issuer_url())

    def start(
        application: tornado.web.Application,
        guard: ResourceServerApplication,
        *,
        scope: str,
        unprotected: tornado.web.Application,
        url: str = "",
    ) -> ServedApplication:
        guards.append(guard)
        return ServedApplication(
            url=url or listen(application),
            unprotected_url=listen(unprotected),
            paths=find_paths(unprotected),
            scope=scope,
            issuer=issuer,
            client=http_client,
        )

    yield start
    for guard in guards:
        io_loop.run_sync(guard.close)


@pytest.fixture(scope="module")
def application_environment(issuer: RunningIssuer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an application: our examples, the fake issuer, and a home of its own."""
    home = tmp_path_factory.mktemp("home")
    return clean_environment() | {
        "HOME": str(home),
        "OKTA_OAUTH2_ISSUER": issuer.issuer_url(),
        "PYTHONPATH": f"{EXAMPLES}:{clean_environment().get('PYTHONPATH', '')}",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="module")
def start_program(
    application_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartProgram]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, pattern: str) -> str:
        folder = tmp_path_factory.mktemp("program")
        log = folder / "log"
        with log.open("wb") as file:  # a file, since a full pipe would stop the program
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, env=application_environment, stdout=file, stderr=file
            )
        started.append(process)
        end = time.monotonic() + _STARTUP_SECONDS
        while time.monotonic() < end and process.poll() is None:
            if found := re.search(pattern, log.read_text("utf-8")):
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"{arguments} announced nothing like {pattern}:\n{log.read_text('utf-8')}")

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)
