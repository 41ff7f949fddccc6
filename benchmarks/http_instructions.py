"""The instructions of a request over HTTP, which do not depend on the load of the machine, counted by valgrind.

Run it as ``python benchmarks/http_instructions.py``. The servers are the bare Tornado handler and this service, quiet
and in one process. The instructions are those of the program, without those of the system for it.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
from callgrind import callgrind_command, total_instructions
from http_requests import HELLO, KNOWN, PEERS, Scenario
from listening import free_port, wait_for_listener

import fakeissuer
from service import Settings
from service.operations.logs import configure_logging
from service.operations.processes.program import serve

BARE, SERVICE = "bare", "service"
SCENARIOS = (HELLO, KNOWN)
_PATIENCE = 120.0
"""Seconds for the start of a server within valgrind."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """The instructions of one request to the bare handler, and to the service."""

    scenario: Scenario
    bare: float
    service: float


def run(*, short: bool) -> list[Count]:
    """Count the instructions of each kind of request."""
    requests = 50 if short else 200
    with fakeissuer.running() as issuer:
        token = issuer.token()
        claims = jwt.decode(token, options={"verify_signature": False})
        environment = os.environ | {"CLAIMS": json.dumps(claims), "OKTA_OAUTH2_ISSUER": issuer.issuer_url()}
        bare, service = (_count(server, token, environment, requests=requests) for server in (BARE, SERVICE))
    return [
        Count(scenario=scenario, bare=bare[scenario.name], service=service[scenario.name]) for scenario in SCENARIOS
    ]


def _count(server: str, token: str, environment: Mapping[str, str], *, requests: int) -> dict[str, float]:
    """Return the instructions of a request by the name of its scenario."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--serve", server, "--port", str(port)]
        command = [*callgrind_command(Path(folder)), sys.executable, __file__, *options]
        variables = {**environment, "PYTHONHASHSEED": "0"}
        with subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for_listener(port, process, seconds=_PATIENCE)
                counts = _count_requests(port, token, process, Path(folder), requests=requests)
            finally:
                process.kill()
    return counts


def _count_requests(
    port: int, token: str, process: subprocess.Popen[bytes], folder: Path, *, requests: int
) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    counts = {}
    for number, scenario in enumerate(SCENARIOS):
        _send(connection, scenario, token, times=50)  # the interpreter specializes what runs often
        _dump(process, folder / f"c.{2 * number + 1}")
        _send(connection, scenario, token, times=requests)
        file = folder / f"c.{2 * number + 2}"
        _dump(process, file)
        counts[scenario.name] = total_instructions(file) / requests
    return counts


def _send(connection: http.client.HTTPConnection, scenario: Scenario, token: str, *, times: int) -> None:
    headers = {"Authorization": f"Bearer {token}"} if scenario.needs_token else {}
    for _ in range(times):
        connection.request("GET", scenario.path, headers=headers)
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{scenario.name}: status {response.status}")


def _dump(process: subprocess.Popen[bytes], file: Path) -> None:
    """Let the server call the function before which callgrind writes a file, and wait for the whole file."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    end = time.monotonic() + _PATIENCE
    while not file.exists() or "totals: " not in file.read_text():
        if time.monotonic() > end:
            raise TimeoutError(f"callgrind did not write {file}")
        time.sleep(0.1)


def _serve(server: str, port: int) -> None:
    threading.Thread(target=_call_getppid_for_each_line, daemon=True).start()
    if server == BARE:
        sys.argv = ["bare_tornado.py", str(port)]
        runpy.run_path(str(PEERS / "bare_tornado.py"), run_name="__main__")
        return
    settings = Settings(port=port, log_level="warning")
    configure_logging(log_format=settings.log_format, log_level=settings.log_level)
    asyncio.run(serve(settings))


def _call_getppid_for_each_line() -> None:
    for _ in sys.stdin:
        os.getppid()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer requests")
    parser.add_argument("--serve", choices=[BARE, SERVICE], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        _serve(options.serve, options.port)
        return
    for count in run(short=options.short):
        print(f"{count.scenario.name:12} bare {count.bare:10,.0f}  service {count.service:10,.0f}", end="")
        print(f"  {count.service / count.bare:.2f} times")


if __name__ == "__main__":
    main()
