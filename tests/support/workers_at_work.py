"""What workers do in tests: each is a process of its own, which finds it by the name of this module."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

from service.operations.processes.supervision.link import (
    Drain,
    Failed,
    Heartbeat,
    Ready,
    Serving,
    ToWorker,
    receive,
    send,
)


def _serve(connection: Connection, *, retire: str | None = None, messages: Path | None = None) -> None:
    """Serve until the worker shall drain, with heartbeats."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    send(connection, Serving())
    send(connection, Ready())
    received: list[ToWorker] = []
    while True:
        send(connection, Heartbeat(requests=1, memory=2, retire=retire))
        connection.poll(0.05)
        try:
            received += receive(connection)  # type: ignore[arg-type]  # the supervisor sends no others
        except EOFError:
            os._exit(0)
        if messages is not None and received:
            messages.write_text(repr(received))
        if any(isinstance(message, Drain) for message in received):
            return


def serve(_number: int, connection: Connection) -> None:
    _serve(connection)


def serve_and_write(folder: Path, number: int, connection: Connection) -> None:
    """Write the messages into a file."""
    _serve(connection, messages=folder / str(number))


def retire_first(folder: Path, number: int, connection: Connection) -> None:
    """Retire the first time, and serve the second."""
    is_first = not (folder / "retired").exists()
    (folder / "retired").touch()
    _serve(connection, retire="max_requests" if is_first else None)


def retire_without_keys(folder: Path, number: int, connection: Connection) -> None:
    """Retire the first time, and serve without the keys of an issuer the second."""
    is_first = not (folder / "retired").exists()
    (folder / "retired").touch()
    if is_first:
        _serve(connection, retire="max_requests")
        return
    (folder / "replaced").touch()
    send(connection, Serving())
    send(connection, Ready(missing_keys=frozenset({"https://issuer.example"})))
    connection.poll(60)


def die_first(folder: Path, number: int, connection: Connection) -> None:
    """End at once the first time, and serve the second."""
    try:
        (folder / str(number)).touch(exist_ok=False)
    except FileExistsError:
        _serve(connection)
    else:
        os._exit(3)


def die(_number: int, _connection: Connection) -> None:
    os._exit(3)


def fail(_number: int, connection: Connection) -> None:
    """Report a problem in the settings."""
    send(connection, Failed(problems=("routes: wrong",), is_settings_error=True))
    os._exit(2)


def serve_then_fail(folder: Path, number: int, connection: Connection) -> None:
    """Serve the first time, until it is killed; end at once later."""
    if (folder / "served").exists():
        os._exit(3)
    (folder / "served").touch()
    send(connection, Serving())
    send(connection, Ready())
    time.sleep(0.5)  # the supervisor must see it serve
    os._exit(4)


def outlived_by_a_child(folder: Path, number: int, connection: Connection) -> None:
    """End at once the first time, while a child of one's own goes on for a while."""
    if (folder / str(number)).exists():
        _serve(connection)
        return
    (folder / str(number)).touch()
    if os.fork() == 0:
        time.sleep(20)
    os._exit(3)


def hang_at_start(folder: Path, number: int, connection: Connection) -> None:
    """Never serve the first time."""
    if (folder / "hung").exists():
        _serve(connection)
        return
    (folder / "hung").touch()
    time.sleep(60)


def freeze_first(folder: Path, number: int, connection: Connection) -> None:
    """Serve, but send no heartbeat the first time."""
    if (folder / "frozen").exists():
        _serve(connection)
        return
    send(connection, Serving())
    send(connection, Ready())
    (folder / "frozen").touch()
    time.sleep(60)


def outlive(_number: int, connection: Connection) -> None:
    """Ignore what should stop it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    send(connection, Serving())
    send(connection, Ready())
    while True:
        send(connection, Heartbeat(requests=0, memory=0, retire=None))
        time.sleep(0.05)
