"""What a cached introspection costs a request, as a ratio to the anonymous route in the same run.

Run as ``python benchmarks/introspection.py``. Two handlers write the same body; one of them is public, and the other
is asked for with an opaque token about which the issuer was asked once.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import RequestHandler

import fakeissuer
from service import BearerAuthMixin, Settings, make_app

ROUNDS, REQUESTS, CONNECTIONS = 30, 300, 4
AT_LEAST = 0.9


class Open(BearerAuthMixin, RequestHandler):
    """Respond to every request."""

    public = True

    def get(self) -> None:
        """Greet."""
        self.write({"message": "Hello world!"})


class Guarded(BearerAuthMixin, RequestHandler):
    """Respond alike to requests with a valid token."""

    def get(self) -> None:
        """Greet."""
        self.write({"message": "Hello world!"})


def main() -> None:
    with fakeissuer.running() as issuer:
        asyncio.run(_measure(issuer))


async def _measure(issuer: fakeissuer.RunningIssuer) -> None:
    settings = Settings(
        issuer=issuer.issuer_url(),
        validation="introspection",
        client_id="0oaapi00000000000001",
        client_secret="api-secret-for-tests-only-00000000001",
        introspection_cache_lifetime=3600,
        log_level="error",
    )
    service = make_app(settings, routes=[(r"/open", Open), (r"/guarded", Guarded)])
    service.settings["log_function"] = lambda _: None
    (listening,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(service)
    server.add_sockets([listening])
    port = listening.getsockname()[1]
    token = issuer.token(opaque=True)
    # The same bytes are sent to both, so that only what becomes of the token differs.
    requests = {path: _request(path, token) for path in ("/open", "/guarded")}
    for request in requests.values():
        await _rate(port, request)
    rounds = []
    for turn in range(ROUNDS):
        order = list(requests.items()) if turn % 2 else list(requests.items())[::-1]
        rates = {path: await _rate(port, request) for path, request in order}
        rounds.append(rates["/guarded"] / rates["/open"])
    asked = issuer.requests("introspect").count
    print(f"cached introspection serves {statistics.median(rounds):.2f} x the anonymous rate (at least {AT_LEAST})")
    print(f"questions to the issuer for {(ROUNDS + 1) * REQUESTS} requests: {asked}")
    server.stop()
    await service.close()


def _request(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def _rate(port: int, request: bytes) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(_send(port, request, REQUESTS // CONNECTIONS) for _ in range(CONNECTIONS)))
    return REQUESTS / (time.perf_counter() - started)


async def _send(port: int, request: bytes, times: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    main()
