"""The cost of a request over HTTP, beside a bare Tornado handler and what people use otherwise.

Run it as ``python benchmarks/http_requests.py``; it needs ``wrk``. The peers run where they are installed:

* those in Python from ``--peers PATH``, an environment with ``fastapi joserfc starlette flask gunicorn
  okta-jwt-verifier pyjwt[crypto] requests uvicorn[standard]``;
* those in JavaScript after ``npm install --prefix benchmarks/peers``.

Every server is one process. The rounds of the servers alternate within one run, so that a machine whose speed drifts
drifts for all of them alike; the ratios are medians of the ratios within the rounds. The cost is the CPU time of the
whole process, from the accounting of the operating system, divided by the number of requests.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jwt
from accounting import cpu_seconds
from listening import free_port, wait_for_listener

import fakeissuer

PEERS = Path(__file__).parent / "peers"
MAX_RATE = 8000
"""Requests a second for which there are new tokens, or proofs."""
CONNECTIONS = 64
PUBLIC_URL = "https://api.example"
"""The URL that proofs name, since it is the same for every port."""
BARE = "bare Tornado handler"
QUIET, LOGGING = "this service, quiet", "this service, with access log"
TWO = "this service, two processes"
CACHED, UNCACHED = "this service, introspection cached", "this service, introspection each time"
CLIENT_ID, CLIENT_SECRET = "0oaapi00000000000001", "api-secret-for-tests-only-00000000001"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A kind of request."""

    name: str
    path: str
    needs_token: bool = False
    is_new: bool = False
    has_proofs: bool = False


HELLO = Scenario(name="hello", path="/api/hello")
KNOWN = Scenario(name="known token", path="/api/whoami", needs_token=True)
NEW = Scenario(name="new token", path="/api/whoami", needs_token=True, is_new=True)
PROOF = Scenario(name="known token, DPoP proof", path="/api/whoami", needs_token=True, has_proofs=True)
BEARER = (HELLO, KNOWN, NEW)
SCENARIOS = (*BEARER, PROOF)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server to measure.

    Args:
        command: Its command line; ``{port}`` stands for the port.
        environment: Further variables.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str]
    scenarios: tuple[Scenario, ...] = BEARER


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One round: microseconds of CPU for each request, requests a second, and the cores that ``wrk`` used."""

    cpu: float
    rate: float
    wrk_cores: float


@dataclass(frozen=True, kw_only=True)
class Results:
    """The samples of all rounds, by scenario and server; the samples of one round have the same index."""

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)

    def servers(self) -> list[str]:
        """Return the names of the servers, in the order of the measurement."""
        return list(dict.fromkeys(name for by_server in self.samples.values() for name in by_server))

    def cpu(self, scenario: Scenario, server: str) -> float | None:
        """Return the median CPU time of a request, in microseconds, or None if it was not measured."""
        samples = self.samples[scenario.name].get(server)
        return statistics.median(sample.cpu for sample in samples) if samples else None

    def rate(self, scenario: Scenario, server: str) -> float:
        """Return the median of the requests a second."""
        return statistics.median(sample.rate for sample in self.samples[scenario.name][server])

    def speedup(self, scenario: Scenario, server: str, to: str) -> float:
        """Return the median of the ratios of requests a second within each round."""
        pairs = zip(self.samples[scenario.name][server], self.samples[scenario.name][to], strict=True)
        return statistics.median(own.rate / other.rate for own, other in pairs)

    def wrk_cores(self, scenario: Scenario, server: str) -> float:
        """Return the median of the cores that ``wrk`` used."""
        return statistics.median(sample.wrk_cores for sample in self.samples[scenario.name][server])

    def ratio(self, scenario: Scenario, server: str, to: str, *, of: Scenario | None = None) -> float:
        """Return the median of the ratios of CPU time within each round.

        Args:
            of: The scenario of the server ``to``; the same one by default.
        """
        theirs = self.samples[(of or scenario).name][to]
        return statistics.median(
            own.cpu / other.cpu for own, other in zip(self.samples[scenario.name][server], theirs, strict=True)
        )

    def difference(self, scenario: Scenario, less: Scenario, server: str) -> float:
        """Return the median of the differences of CPU time within each round, in microseconds."""
        pairs = zip(self.samples[scenario.name][server], self.samples[less.name][server], strict=True)
        return statistics.median(one.cpu - other.cpu for one, other in pairs)


def servers(issuer: str, claims: Mapping[str, object], *, ca_file: str, peers: Path | None) -> Iterator[Server]:
    """Yield the servers that are installed."""
    service = [sys.executable, "-m", "service", "--issuer", issuer, "--port", "{port}"]
    quiet = [*service, "--log-level", "warning"]
    own = {"SERVICE_CA_FILE": ca_file, "SERVICE_PUBLIC_URL": PUBLIC_URL}
    introspecting = own | {
        "SERVICE_VALIDATION": "introspection",
        "OKTA_OAUTH2_CLIENT_ID": CLIENT_ID,
        "OKTA_OAUTH2_CLIENT_SECRET": CLIENT_SECRET,
        "SERVICE_INTROSPECTION_RATE_LIMIT": "0",
    }
    names = ("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    environment = {"ISSUER": issuer, "CLAIMS": json.dumps(claims)} | dict.fromkeys(names, ca_file)
    yield Server(
        name=BARE,
        command=[sys.executable, str(PEERS / "bare_tornado.py"), "{port}"],
        environment=environment,
        scenarios=(HELLO, KNOWN),
    )
    yield Server(name=QUIET, command=quiet, environment=own, scenarios=SCENARIOS)
    yield Server(name=TWO, command=[*quiet, "--processes", "2"], environment=own, scenarios=(KNOWN,))
    yield Server(name=LOGGING, command=service, environment=own)
    yield Server(name=CACHED, command=quiet, environment=introspecting, scenarios=(KNOWN,))
    uncached = introspecting | {"SERVICE_INTROSPECTION_CACHE_LIFETIME": "0"}
    yield Server(name=UNCACHED, command=quiet, environment=uncached, scenarios=(KNOWN,))
    if peers is not None:
        python = str(peers / "bin" / "python")
        for name, file in (("FastAPI + PyJWT", "fastapi_pyjwt.py"), ("Starlette + joserfc", "starlette_joserfc.py")):
            yield Server(name=name, command=[python, str(PEERS / file), "{port}"], environment=environment)
        gunicorn = [str(peers / "bin" / "gunicorn"), "--chdir", str(PEERS), "--bind", "127.0.0.1:{port}"]
        yield Server(
            name="Flask + okta-jwt-verifier",
            command=[*gunicorn, "--worker-class", "gthread", "--threads", "4", "flask_okta:app"],
            environment=environment,
        )
    if (PEERS / "node_modules").is_dir() and shutil.which("node"):
        for name, file in (
            ("Express + express-oauth2-jwt-bearer", "express_oauth2.js"),
            ("Express + @okta/jwt-verifier", "express_okta.js"),
        ):
            yield Server(name=name, command=["node", str(PEERS / file), "{port}"], environment=environment)


class Running:
    """A started server."""

    def __init__(self, server: Server) -> None:
        self._port = port = free_port()
        self.name = server.name
        self.scenarios = server.scenarios
        self.url = f"http://127.0.0.1:{port}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OKTA_", "SERVICE_"))}
        self._process = subprocess.Popen(
            [part.format(port=port) for part in server.command],
            env=inherited | {**server.environment, "NODE_ENV": "production"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_ready(self, token: str) -> None:
        """Wait until the server responds.

        Raises:
            RuntimeError: It does not start, or does not accept the token.
        """
        wait_for_listener(self._port, self._process, seconds=60)
        request = urllib.request.Request(f"{self.url}/api/whoami", headers={"Authorization": f"Bearer {token}"})
        try:
            urllib.request.urlopen(request).close()
        except urllib.error.HTTPError as exc:
            raise RuntimeError(f"{self.name}: responds {exc.code} to a good token") from exc

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process and its children."""
        return cpu_seconds(self._process.pid)

    def stop(self) -> None:
        """Stop the server."""
        self._process.terminate()
        self._process.wait()


def measure(server: Running, scenario: Scenario, *, tokens: Path, proofs: Path, seconds: int) -> Sample:
    """Send requests on all connections for so many seconds, and return their cost.

    ``wrk`` stays on the last core, so that two processes have all others, and as much of that one as it leaves.
    """
    pinned = ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0)))]
    script = str(PEERS / "requests.lua")
    before, of_wrk = server.cpu_seconds(), _cpu_seconds_of_ended()
    done = subprocess.run(
        [*pinned, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, f"{server.url}{scenario.path}"],
        env=os.environ | {"TOKENS": str(tokens), "PROOFS": str(proofs)},
        capture_output=True,
        text=True,
        check=True,
    )
    cpu, of_wrk = server.cpu_seconds() - before, _cpu_seconds_of_ended() - of_wrk
    result = json.loads(done.stdout.splitlines()[-1])
    if result["errors"]:
        raise RuntimeError(f"{server.name}, {scenario.name}: {result['errors']} errors")
    if (scenario.is_new or scenario.has_proofs) and result["requests"] > seconds * MAX_RATE:
        raise RuntimeError(f"{server.name}: used a token or a proof twice; raise MAX_RATE")
    return Sample(
        cpu=1e6 * cpu / result["requests"],
        rate=result["requests"] / result["seconds"],
        wrk_cores=of_wrk / result["seconds"],
    )


def _cpu_seconds_of_ended() -> float:
    """Return the CPU time of the processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(*, rounds: int, seconds: int, peers: Path | None) -> Results:
    """Measure all servers in turns.

    Args:
        seconds: The length of a round for each server and scenario.
        peers: The environment of the peers in Python, or None to leave them out.
    """
    results = Results(samples={scenario.name: {} for scenario in SCENARIOS})
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Okta's library for Python accepts no issuer without TLS.
        issuer = stack.enter_context(fakeissuer.running(tls=True, ca_file=folder / "ca.pem"))
        tokens, proofs = folder / "tokens", folder / "proofs"
        client = fakeissuer.DPoPClient()
        bound = issuer.token(sub="alice@example.com", scp="api:read", dpop_jkt=client.thumbprint)
        known = issuer.token(sub="alice@example.com", scp="api:read")
        claims = jwt.decode(known, options={"verify_signature": False})
        found = servers(issuer.issuer_url(), claims, ca_file=str(folder / "ca.pem"), peers=peers)
        started = [Running(server) for server in found]
        for server in started:
            stack.callback(server.stop)
        for server in started:
            server.wait_until_ready(known)
        for number in range(rounds):
            first = number % len(started)  # so that no server always follows the same one
            in_turn = started[first:] + started[:first]
            # The issuer forgets the oldest tokens, and then says that they are inactive.
            known = issuer.token(sub="alice@example.com", scp="api:read")
            for scenario in SCENARIOS:
                tokens.write_text(f"{known}\n" if scenario.needs_token else "")
                proofs.write_text("")
                if scenario.is_new:
                    new = [issuer.token(sub="alice@example.com", scp="api:read") for _ in range(seconds * MAX_RATE)]
                    tokens.write_text("\n".join(new))
                if scenario.has_proofs:
                    tokens.write_text(bound)
                    url = f"{PUBLIC_URL}{scenario.path}"
                    # Made just before the round, since a proof is accepted for a minute, and once.
                    made = [client.proof("GET", url, access_token=bound) for _ in range(seconds * MAX_RATE)]
                    proofs.write_text("\n".join(made))
                for server in in_turn:
                    if scenario in server.scenarios:
                        sample = measure(server, scenario, tokens=tokens, proofs=proofs, seconds=seconds)
                        results.samples[scenario.name].setdefault(server.name, []).append(sample)
    return results


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1, help="the length of a round for each server")
    parser.add_argument("--peers", type=Path, metavar="PATH", help="an environment with the peers in Python")
    options = parser.parse_args()
    results = run(rounds=options.rounds, seconds=options.seconds, peers=options.peers)
    print(f"{'CPU µs per request (requests/s)':42}" + "".join(f"{scenario.name:>26}" for scenario in SCENARIOS))
    for name in results.servers():
        cells = [(results.cpu(scenario, name), scenario) for scenario in SCENARIOS]
        texts = ["-" if cpu is None else f"{cpu:.0f} ({results.rate(scenario, name):.0f})" for cpu, scenario in cells]
        print(f"{name:42}" + "".join(f"{text:>26}" for text in texts))


if __name__ == "__main__":
    main()
