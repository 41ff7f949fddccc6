"""Fixtures of the tests with applications that others wrote.

``tox -e applications`` installs these on Python 3.13 and runs the tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import clean_environment
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

import fakeissuer
from fakeissuer import RunningIssuer

StartProgram = Callable[..., str]
"""Starts ``python`` with these arguments, and returns what the pattern's first group matches in its log."""

EXAMPLES = Path(__file__).parents[2] / "examples"
_STARTUP_SECONDS = 60


@pytest.fixture
def http_client(io_loop: IOLoop) -> Iterator[AsyncHTTPClient]:
    """The client of one test; pytest-tornado's needs an application in this process."""
    client = AsyncHTTPClient(force_instance=True)
    yield client
    client.close()


@pytest.fixture(scope="module")
def issuer() -> Iterator[RunningIssuer]:
    """A fake issuer for all tests of one application."""
    with fakeissuer.running() as running:
        yield running


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
