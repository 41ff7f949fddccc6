"""How long the programs take to start, and how much memory they use then and for the proofs that they have seen.

Run it as ``python benchmarks/start_and_size.py``. Each start is a process of its own, with compiled files at hand, as
after an installation. The time is that from the start of the process to the first response; the CPU time is that of
the whole process until then, which depends less on what else the machine does. The figures are medians, and those of
the CPU time minima.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from accounting import cpu_seconds, resident_megabytes, resident_megabytes_by_process

from service.caches.replays import CAPACITY, UsedProofs
from service.caches.shared import open_cache
from service.clock import ManualClock

STARTS = 10
PROOFS = 1_000_000
_PERIOD = 65.0
"""Seconds for which the service remembers a proof by default."""
_REMEMBER_PROOFS = "--remember-proofs"
ISSUER = "http://127.0.0.1:9400/oauth2/default"
"""No program has to listen there: the service responds to anonymous requests without it."""
_LIBRARIES = "tornado.web, tornado.websocket, pydantic.main, pycurl, cryptography.hazmat.primitives.asymmetric.ec"
_NAMES = "BearerAuthMixin, Settings, make_app"
"""What a program uses; ``import service`` alone imports next to nothing."""
TOKEN_REQUEST = (
    b"grant_type=client_credentials&client_id=0oaservice0000000001&client_secret=service-secret-for-tests-only-0000001"
)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured value and its target.

    Args:
        target: The highest value that meets the promise, or None if there is none.
    """

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def outcome(self) -> str:
        """Whether the target is met, and by how much it is missed."""
        if self.target is None:
            return ""
        if self.value <= self.target:
            return f"at most {self.target:g} {self.unit}: met"
        return f"at most {self.target:g} {self.unit}: missed by {100 * (self.value / self.target - 1):.0f} %"


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start: seconds until the first response, and what the program has used then: CPU, and memory by process."""

    seconds: float
    cpu: float
    megabytes: list[float]
    megabytes_in_use: float
    """After the request that the caller of :func:`start_once` gives."""


def run(*, short: bool) -> list[Figure]:
    """Return the figures of the three programs."""
    starts = 3 if short else STARTS
    with _compiled() as environment:
        interpreter = [_import_once("", environment) for _ in range(starts)]
        libraries = [_import_once(f"import {_LIBRARIES}", environment) for _ in range(starts)]
        imports = [_import_once(f"from service import {_NAMES}", environment) for _ in range(starts)]
        command = [sys.executable, "-m", "service", "--port", "0", "--issuer", ISSUER]
        service = [start_once(command, "/api/hello", environment=environment) for _ in range(starts)]
        issuer = [
            start_once(
                [sys.executable, "-m", "fakeissuer", "--port", "0"],
                "/oauth2/default/.well-known/openid-configuration",
                environment=environment,
                use=_get_token,
            )
            for _ in range(starts)
        ]
    return [
        Figure(name="an interpreter that does nothing: CPU time", value=min(cpu for _, cpu in interpreter), unit="s"),
        Figure(name="import of its libraries alone", value=_median(s for s, _ in libraries), unit="s"),
        Figure(name=f"from service import {_NAMES}", value=_median(s for s, _ in imports), unit="s", target=0.25),
        Figure(name="the same: CPU time", value=min(cpu for _, cpu in imports), unit="s"),
        *_figures("service", service, seconds=0.5, megabytes=60),
        Figure(
            name="service: resident then, the worker alone",
            value=_median(max(start.megabytes) for start in service),
            unit="MB",
        ),
        *_figures("fake issuer", issuer, seconds=0.4, megabytes=50),
        Figure(
            name="fake issuer: resident with keys and a token",
            value=_median(start.megabytes_in_use for start in issuer),
            unit="MB",
            target=50,
        ),
        *_proof_figures(),
    ]


def _proof_figures() -> Iterator[Figure]:
    """Yield the memory of the record of used proofs, in a process of its own, at nearly the highest rate it allows."""
    command = [sys.executable, __file__, _REMEMBER_PROOFS]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    before, first, last = map(float, printed.split())
    rate = f"{PROOFS:,} DPoP proofs, {0.95 * CAPACITY / _PERIOD:,.0f} a second"
    yield Figure(name=f"{rate}: resident for them", value=max(first, last) - before, unit="MB", target=64)
    yield Figure(name=f"{rate}: growth from the first half to the second", value=last - first, unit="MB", target=2)


async def _remember_proofs() -> tuple[float, float, float]:
    """Record the proofs, and return the resident megabytes before, and the most in each half."""
    clock = ManualClock()
    used = UsedProofs(open_cache("memory://", clock=clock), clock=clock, period=_PERIOD)
    before = resident_megabytes(os.getpid())
    halves = [0.0, 0.0]
    for number in range(PROOFS):
        clock.advance(_PERIOD / (0.95 * CAPACITY))
        assert await used.add("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", f"proof-{number}")
        if number % 1000 == 0:
            half = 2 * number // PROOFS
            halves[half] = max(halves[half], resident_megabytes(os.getpid()))
    return before, halves[0], halves[1]


def _figures(name: str, starts: list[Start], *, seconds: float, megabytes: float) -> Iterator[Figure]:
    median = _median(start.seconds for start in starts)
    yield Figure(name=f"{name}: first response", value=median, unit="s", target=seconds)
    yield Figure(name=f"{name}: CPU time until then", value=min(start.cpu for start in starts), unit="s")
    resident = _median(sum(start.megabytes) for start in starts)
    yield Figure(name=f"{name}: resident then", value=resident, unit="MB", target=megabytes)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


@contextmanager
def _compiled() -> Iterator[dict[str, str]]:
    """Yield an environment in which everything is compiled, wherever it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        code = "import service.__main__, fakeissuer.__main__, fakeissuer.server.serving"
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        yield environment


def _import_once(statement: str, environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds that a statement takes in a new interpreter, and the CPU seconds of the whole process."""
    code = (
        f"import time; started = time.perf_counter(); {statement}\n"
        "print(time.perf_counter() - started, time.process_time())"
    )
    printed = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    seconds, cpu = map(float, printed.stdout.split())
    return seconds, cpu


def start_once(
    command: list[str],
    path: str,
    *,
    environment: dict[str, str],
    use: Callable[[http.client.HTTPConnection], None] = lambda _connection: None,
) -> Start:
    """Start a program, which writes its URL to standard error, and request a path."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith("listening on ")).split()[-1]
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        _request(connection, "GET", path)
        seconds = time.perf_counter() - started
        cpu, megabytes = cpu_seconds(process.pid), resident_megabytes_by_process(process.pid)
        use(connection)
        in_use = resident_megabytes(process.pid)
        process.terminate()
        process.stderr.read()
    return Start(seconds=seconds, cpu=cpu, megabytes=megabytes, megabytes_in_use=in_use)


def _get_token(connection: http.client.HTTPConnection) -> None:
    _request(connection, "POST", "/oauth2/default/v1/token", TOKEN_REQUEST)
    _request(connection, "GET", "/oauth2/default/v1/keys")


def _request(connection: http.client.HTTPConnection, method: str, path: str, form: bytes | None = None) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    connection.request(method, path, form, headers)
    response = connection.getresponse()
    assert response.read()
    assert response.status == 200


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="three starts of each program")
    parser.add_argument(_REMEMBER_PROOFS, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.remember_proofs:
        print(*asyncio.run(_remember_proofs()))
        return
    for figure in run(short=options.short):
        print(f"{figure.name:<46} {figure.value:9.3f} {figure.unit:<3} {figure.outcome}")


if __name__ == "__main__":
    main()
