"""Send the catalogue of bad tokens to Okta's Flask sample and to this service, and count the tokens each accepts.

Run it as ``python benchmarks/compare_flask_sample.py --sample PATH``. PATH is a checkout of
``okta-samples/okta-flask-api-sample``, with the packages that its README asks for in ``PATH/.venv``. The figure in our
README is that of its commit 4cc4a2cb571d494a75eca72ec73e694e19814d76.

The sample has an environment of its own, because it pins an older ``cryptography`` than the fake issuer needs.
The sample is the finished code of the Flask version of Okta's guide "Protect your API endpoints". It runs unmodified,
as its own README says, and its ``/whoami`` is compared with the service's ``/api/whoami``. Both get a valid token of
the fake issuer first, so that a server that rejects everything does not look good. A status of 200 counts as accepted.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import subprocess
import sys
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from listening import free_port, wait_for_listener

import fakeissuer

_STARTUP_SECONDS = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=Path, required=True, metavar="PATH", help="a checkout of the sample")
    parser.add_argument("--python", type=Path, metavar="PATH", help="its interpreter (default: .venv/bin/python in it)")
    parser.add_argument("--verbose", action="store_true", help="print the status of each token, too")
    options = parser.parse_args()
    python = options.python or options.sample / ".venv" / "bin" / "python"
    with contextlib.ExitStack() as stack:
        issuer = stack.enter_context(fakeissuer.running())
        urls = {
            "sample": stack.enter_context(_sample(options.sample, python.absolute())) + "/whoami",
            "service": stack.enter_context(_service(issuer.issuer_url())) + "/api/whoami",
        }
        valid = issuer.token(sub="alice@example.com")
        for name, url in urls.items():
            if (status := _status(url, valid)) != http.HTTPStatus.OK:
                print(f"{name}: answers {status} to a valid token", file=sys.stderr)
                return 1
        catalogue = issuer.bad_tokens()
        statuses: dict[str, Counter[int]] = {name: Counter() for name in urls}
        for bad in catalogue:
            row = {name: _status(url, bad.token) for name, url in urls.items()}
            for name, status in row.items():
                statuses[name][status] += 1
            if options.verbose:
                print(f"{row['sample']} {row['service']} {bad.name}: {bad.breaks}")
    for name, counts in statuses.items():
        print(f"{name}: accepts {counts[http.HTTPStatus.OK]} of {len(catalogue)} bad tokens ({dict(counts)})")
    return 0


@contextlib.contextmanager
def _sample(folder: Path, python: Path) -> Iterator[str]:
    """Run the sample with Flask's own server, as its README does, and yield its URL."""
    port = free_port()
    command = [str(python), "-m", "flask", "--app", "app", "run", "--host", "127.0.0.1", "--port", str(port)]
    yield from _run(command, port=port, folder=folder)


@contextlib.contextmanager
def _service(issuer: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "service", "--issuer", issuer, "--port", str(port)]
    yield from _run(command, port=port, folder=Path.cwd())


def _run(command: list[str], *, port: int, folder: Path) -> Iterator[str]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_listener(port, process, seconds=_STARTUP_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _status(url: str, token: str) -> int:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
