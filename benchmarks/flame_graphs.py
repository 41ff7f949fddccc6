"""Draws a flame graph of each of three requests: anonymous, with a known token, and with a new one.

Run it as ``python benchmarks/flame_graphs.py``; it needs ``py-spy``. The service is a process of its own, to which
py-spy attaches while this process sends requests.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import fakeissuer

RATE = 500
"""Samples a second."""
NEW_TOKENS = 9000
"""More than the service caches, so that each is new again when its turn comes."""

# Yama, which Ubuntu enables, lets a process attach only to its children, unless they allow others (PR_SET_PTRACER).
_SERVICE = """\
import ctypes, sys, service.__main__
getattr(ctypes.CDLL(None), "prctl", lambda *_: None)(0x59616D61, -1)
sys.exit(service.__main__.main())
"""


def draw(folder: Path, *, seconds: int) -> Iterator[Path]:
    """Yield the path of each flame graph as it is drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with fakeissuer.running() as issuer:
        known = issuer.token()
        new = [issuer.token() for _ in range(NEW_TOKENS)]
        requests = {
            "hello": ("/api/hello", itertools.repeat(known)),
            "known-token": ("/api/whoami", itertools.repeat(known)),
            "new-token": ("/api/whoami", itertools.cycle(new)),
        }
        with _serving(issuer.issuer_url(), port) as process:
            for name, (path, tokens) in requests.items():
                file = folder / f"{name}.svg"
                _draw(file, process, port=port, path=path, tokens=tokens, seconds=seconds)
                yield file


@contextlib.contextmanager
def _serving(issuer: str, port: int) -> Iterator[int]:
    """Run the service and yield its process ID."""
    options = ["--issuer", issuer, "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen([sys.executable, "-c", _SERVICE, *options])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/api/hello"):
                break
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _draw(file: Path, process: int, *, port: int, path: str, tokens: Iterable[str], seconds: int) -> None:
    options = ["--rate", str(RATE), "--function", "--duration", str(seconds), "--output", str(file)]
    sampling = subprocess.Popen(["py-spy", "record", "--pid", str(process), *options], stdout=subprocess.DEVNULL)
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as responses:
        for token in tokens:
            if sampling.poll() is not None:
                break
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
            connection.sendall(request.encode())
            head = b"".join(iter(responses.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 200"), head
            responses.read(int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
    if sampling.returncode:
        raise RuntimeError(f"py-spy failed: {sampling.returncode}; its message is above")


def main() -> None:
    """Draw the flame graphs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(".tox", "flame-graphs"), metavar="FOLDER")
    parser.add_argument("--seconds", type=int, default=5, help="for each request")
    options = parser.parse_args()
    for file in draw(options.output, seconds=options.seconds):
        print(file)


if __name__ == "__main__":
    main()
