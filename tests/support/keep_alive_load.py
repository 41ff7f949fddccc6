"""Clients that keep their connections, send requests at a fixed rate, and repeat none that is lost."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import time
from collections import Counter
from dataclasses import dataclass, field

_LENGTH = b"content-length: "
_TIMEOUT_S = 60.0


@dataclass
class Tally:
    """What the clients have seen.

    ``announced`` counts the responses that ended a connection, ``refused`` the connections that were refused, on which
    no request was sent, and ``lost_by_client`` the lost requests by the number of the client.
    """

    sent: int = 0
    answered: int = 0
    announced: int = 0
    refused: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    lost_by_client: Counter[int] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def __str__(self) -> str:
        lost = sum(self.lost.values())
        causes = f" {dict(self.lost)}" if lost else ""
        return f"sent {self.sent}, answered {self.answered}, lost {lost}{causes}"


class KeepAliveLoad:
    """So many clients that send so many requests a second together.

    A client sends no request on a connection that is closed by then, or after a response with ``Connection: close``.
    """

    def __init__(self, port: int, *, clients: int = 64, rate: float = 1000.0, path: str = "/api/hello") -> None:
        self.tally = Tally()
        self._address = ("127.0.0.1", port)
        self._request = f"GET {path} HTTP/1.1\r\nHost: api\r\n\r\n".encode()
        self._clients = clients
        self._period = clients / rate
        self._is_over = False

    async def run(self) -> None:
        """Send until :meth:`stop` is called, or until the server accepts no connection any more."""
        await asyncio.gather(*(self._run_client(number) for number in range(self._clients)))

    def stop(self) -> None:
        """Let each client finish its request."""
        self._is_over = True

    async def _run_client(self, number: int) -> None:
        await asyncio.sleep(self._period * number / self._clients)
        while not self._is_over:
            connection = await self._connect()
            if connection is None:
                return
            with connection:
                await self._use(connection, number)

    async def _connect(self) -> socket.socket | None:
        connection = socket.socket()
        connection.setblocking(False)  # noqa: FBT003  # the signature of the standard library
        try:
            await asyncio.get_running_loop().sock_connect(connection, self._address)
        except ConnectionRefusedError:
            self.tally.refused += 1
            connection.close()
            return None
        return connection

    async def _use(self, connection: socket.socket, number: int) -> None:
        """Send requests on a connection until it ends."""
        due = time.monotonic()
        while not self._is_over and not _is_closed(connection):
            self.tally.sent += 1
            try:
                is_kept = await asyncio.wait_for(self._exchange(connection), _TIMEOUT_S)
            except (OSError, EOFError, TimeoutError) as exc:
                self.tally.lost[type(exc).__name__] += 1
                self.tally.lost_by_client[number] += 1
                return
            self.tally.answered += 1
            if not is_kept:
                self.tally.announced += 1
                return
            due = max(due + self._period, time.monotonic() - self._period)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _exchange(self, connection: socket.socket) -> bool:
        """Send a request and read its response; return whether the connection stays open."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, self._request)
        data = b""
        while True:
            received = await loop.sock_recv(connection, 65536)
            if not received:
                raise EOFError
            data += received
            header, end, body = data.partition(b"\r\n\r\n")
            header = header.lower()
            if end and len(body) >= int(header.partition(_LENGTH)[2].partition(b"\r\n")[0] or 0):
                self.tally.statuses[int(header.split(b" ", 2)[1])] += 1
                return b"\r\nconnection: close" not in header


def _is_closed(connection: socket.socket) -> bool:
    """Return whether the server has closed an idle connection."""
    poll = select.poll()
    with contextlib.suppress(ValueError):
        poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
