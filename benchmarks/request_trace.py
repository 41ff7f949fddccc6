"""Counts the source files that one request visits, and the calls from one file to another.

Run it as ``python benchmarks/request_trace.py``; ``--files`` lists the files of each request in the order of the visit.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from types import FrameType
from typing import Any, Self

import tornado.httpserver
import tornado.netutil
from tornado.httpclient import AsyncHTTPClient

import fakeissuer
import service
from service import Settings, make_app

PACKAGES = {"service": Path(service.__file__).parent, "fakeissuer": Path(fakeissuer.__file__).parent}
LIMITS = {"known token": 12, "new token": 20, "client_credentials": 16}


class Trace:
    """The files of one package that run between ``start`` and ``stop``, on this thread."""

    def __init__(self, package: str) -> None:
        self._folder = f"{PACKAGES[package]}/"
        self.files: dict[str, None] = {}
        self.moves = 0

    def __enter__(self) -> Self:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_exc: object) -> None:
        sys.setprofile(None)

    def _profile(self, frame: FrameType, event: str, _argument: Any) -> None:
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(self._folder):
            return
        self.files.setdefault(file.removeprefix(self._folder))
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(self._folder):
            caller = caller.f_back
        if caller is None or caller.f_code.co_filename != file:
            self.moves += 1


async def trace_service() -> dict[str, Trace]:
    """Trace requests to ``/api/whoami`` with a token that the service has validated before, and with a new one."""
    traces = {"new token": Trace("service"), "known token": Trace("service")}
    with fakeissuer.running() as issuer:
        app = make_app(Settings(issuer=issuer.issuer_url()))
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server = tornado.httpserver.HTTPServer(app)
        server.add_sockets(sockets)
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/api/whoami"
        client = AsyncHTTPClient()
        await client.fetch(url, headers={"Authorization": f"Bearer {issuer.token()}"})  # fetches the key set
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        for trace in traces.values():
            with trace:
                await client.fetch(url, headers=headers)
        server.stop()
        await app.close()
    return traces


async def trace_client_credentials() -> dict[str, Trace]:
    """Trace a token request of the fake issuer's service app."""
    trace = Trace("fakeissuer")
    async with fakeissuer.running() as issuer:
        request: dict[str, Any] = {
            "method": "POST",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            "body": "grant_type=client_credentials&scope=api%3Aread",
            "auth_username": "0oaservice0000000001",
            "auth_password": "service-secret-for-tests-only-0000001",
        }
        client = AsyncHTTPClient()
        url = f"{issuer.issuer_url()}/v1/token"
        await client.fetch(url, **request)  # generates the keys
        with trace:
            await client.fetch(url, **request)
    return {"client_credentials": trace}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", action="store_true", help="list the files of each request")
    options = parser.parse_args()
    traces = asyncio.run(trace_service()) | asyncio.run(trace_client_credentials())
    for name, trace in traces.items():
        print(f"{name}: {len(trace.files)} files (at most {LIMITS[name]}), {trace.moves} calls between files")
        if options.files:
            print("".join(f"    {file}\n" for file in trace.files), end="")


if __name__ == "__main__":
    main()
