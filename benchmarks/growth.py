"""How the cost of the service grows with what it is given: a plot for each, and the exponent of the growth.

Run it as ``python benchmarks/growth.py --out docs/benchmarks``; it needs ``matplotlib``, and ``wrk`` for the last
curve. Costs are CPU time of one thread, the least of several repeats, so that other work on the machine matters
little. The exponent is the slope in the upper half of the logarithmic plot: 0 is a constant cost, and 1 is a cost that
doubles when its cause doubles.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import gc
import json
import logging
import math
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tornado.web
from accounting import cpu_seconds, resident_megabytes
from cryptography.hazmat.primitives.asymmetric import ec
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.websocket import WebSocketHandler

import fakeissuer
from service import BearerAuthMixin, Settings, make_app
from service.authenticator import Authenticator
from service.binding import BindingCheck
from service.caches import deny_list as deny_list_module
from service.caches.deny_list import DenyEntry, DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.settings.issuers import TrustedIssuer
from service.tokens.credentials import Credentials
from service.tokens.jwk import JWK
from service.tokens.key_set import KeySet
from service.tokens.principal import Principal
from service.validators import jwt
from service.validators.base import ValidatorContext
from service.web.handler.token_monitor import TokenMonitor
from service.web.policy.requirements import parse_requirements

ISSUER = "https://issuer.example"
REPEATS = 7
CLOCK = SystemClock()


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The cost of one operation as a function of one size.

    Args:
        points: Sizes and costs, in ascending order of the sizes.
        exponent: The slope in the upper half of the logarithmic plot.
        comment: Why the growth is what it is.
        file: The name of the plot.
    """

    name: str
    unit_x: str
    unit_y: str
    points: tuple[tuple[float, float], ...]
    exponent: float
    comment: str
    file: str


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What to measure: :meth:`cost` of each size, in microseconds unless the unit is another."""

    name: str
    unit_x: str
    sizes: Sequence[float]
    short: Sequence[float]
    cost: Callable[[float], float]
    comment: str
    file: str
    unit_y: str = "µs"
    rounds: int = 3
    """How often each size is measured; the least cost counts."""

    def points(self, *, short: bool) -> tuple[tuple[float, float], ...]:
        """Measure all sizes in turn, so that a busy moment does not distort all repeats of one size."""
        sizes = self.short if short else self.sizes
        rounds = [[self.cost(size) for size in sizes] for _ in range(min(self.rounds, 2) if short else self.rounds)]
        return tuple((size, min(costs)) for size, *costs in zip(sizes, *rounds, strict=True))


class WebSocket(BearerAuthMixin, WebSocketHandler):
    """A WebSocket that a client keeps open."""

    def on_message(self, message: str | bytes) -> None:
        """Ignore messages."""


ROUTES = [(r"/socket", WebSocket)]
"""The routes of the processes that are measured from outside."""


def least_cost(call: Callable[[], object], *, calls: int = 1) -> float:
    """Return the least CPU time of a call, in microseconds."""
    gc.collect()
    gc.disable()
    best = math.inf
    for _ in range(REPEATS):
        started = time.thread_time()
        for _ in range(calls):
            call()
        best = min(best, time.thread_time() - started)
    gc.enable()
    return 1e6 * best / calls


def _finish(awaitable: Awaitable[Any]) -> Any:
    """Run a coroutine that has nothing to wait for."""
    try:
        awaitable.__await__().send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("the coroutine waited")


# The cost of a new token.


def _named(trusted: TrustedIssuer, count: int) -> Iterator[TrustedIssuer]:
    """Yield so many issuers that are like this one but for their names."""
    for number in range(count):
        name = f"{ISSUER}/{number}"
        yield dataclasses.replace(trusted, issuer=name, profile=dataclasses.replace(trusted.profile, token_issuer=name))


async def _new_token_cost(
    issuer: fakeissuer.RunningIssuer, *, others: int = 0, claims: dict[str, object] | None = None
) -> float:
    """Return the cost of a token that the service has not seen, with so many other issuers before its own."""
    client, cache = JSONClient(), open_cache("memory://", clock=CLOCK)
    context = ValidatorContext(client=client, clock=CLOCK, token_cache=ValidatedTokenCache(clock=CLOCK), cache=cache)
    (trusted,) = Settings(issuer=issuer.issuer_url()).trusted_issuers
    validators = [jwt.build(each, context) for each in (*_named(trusted, others), trusted)]
    authenticator = Authenticator(
        validators,
        token_cache=context.token_cache,
        deny_list=DenyList(cache, clock=CLOCK),
        binding=BindingCheck(cache, clock=CLOCK),
    )
    tokens = [Credentials(scheme="Bearer", token=issuer.token(claims=claims or {})) for _ in range(50)]
    await authenticator.authenticate(tokens[0])  # fetches the keys

    def validate_all() -> None:
        context.token_cache.clear()
        for token in tokens:
            _finish(authenticator.authenticate(token))

    cost = least_cost(validate_all) / len(tokens)
    await authenticator.close()
    client.close()
    return cost


def token_size_cost(kibibytes: float) -> float:
    """Return the cost of a new token that its groups make so large."""
    with fakeissuer.running() as issuer:
        missing = (1024 * kibibytes - len(issuer.token())) * 3 / 4  # base64url
        groups = [f"Group-{number:04}" for number in range(max(0, round(missing / len('"Group-0000",'))))]
        return asyncio.run(_new_token_cost(issuer, claims={"groups": groups} if groups else {}))


def issuers_cost(count: float) -> float:
    """Return the cost of a new token of the last of so many issuers."""
    with fakeissuer.running() as issuer:
        return asyncio.run(_new_token_cost(issuer, others=int(count) - 1))


# The cost of single steps.


def keys_cost(count: float) -> float:
    """Return the cost of finding the last of so many keys for a new token, and again for the known token."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    algorithms = frozenset({"ES256"})
    keys = KeySet(keys=tuple(JWK(kid=f"key-{number}", algorithms=algorithms, key=key) for number in range(int(count))))
    last = keys.keys[-1]
    assert last.kid is not None
    return least_cost(lambda: (keys.select(algorithm="ES256", kid=last.kid), last in keys.by_kid[last.kid]), calls=2000)


def routes_cost(count: float) -> float:
    """Return the cost of finding the handler of the last of so many routes."""
    routes = [(rf"/things/{number}/([^/]+)", WebSocket) for number in range(int(count))]
    app = make_app(Settings(issuer=ISSUER, audience=("api://default",), docs=False), routes=routes)
    return _find_handler_cost(app, int(count))


def bare_routes_cost(count: float) -> float:
    """Return the same cost in an application of Tornado alone."""
    routes = [(rf"/things/{number}/([^/]+)", WebSocketHandler) for number in range(int(count))]
    return _find_handler_cost(tornado.web.Application(routes), int(count))


def _find_handler_cost(app: tornado.web.Application, count: int) -> float:
    class Connection(HTTPConnection):
        remote_ip, protocol = "127.0.0.1", "http"
        context: Any = None

    start_line = RequestStartLine("GET", f"/things/{count - 1}/1", "HTTP/1.1")
    headers = HTTPHeaders({"Host": "api.example"})
    request = HTTPServerRequest(start_line=start_line, headers=headers, connection=Connection())
    return least_cost(lambda: app.find_handler(request), calls=200)


def cached_tokens_cost(count: float) -> float:
    """Return the cost of finding a token among so many."""
    cache = ValidatedTokenCache(clock=CLOCK, capacity=int(count))
    principal = Principal.from_claims({"iss": ISSUER, "sub": "alice", "exp": CLOCK.now() + 3600})
    token = "x" * 900  # as long as a usual token
    for number in range(int(count)):
        cache.put(f"{token}{number}", ValidatedToken(principal, lambda: True))
    some = [f"{token}{number}" for number in range(0, int(count), max(1, int(count) // 500))]
    return least_cost(lambda: [cache.get(each) for each in some]) / len(some)


def requirements_cost(count: float) -> float:
    """Return the cost of checking so many scopes and as many claims."""
    names = [f"name-{number}" for number in range(int(count))]
    requirements = parse_requirements(
        public=False, optional=False, scopes=names, groups=(), roles=(), claims=dict.fromkeys(names, "yes"),
        allowed_clients=(), acr_values=(), max_age=None, validation="", dpop=None, dpop_nonce=None,
    )  # fmt: skip
    claims = {"iss": ISSUER, "sub": "alice", "exp": CLOCK.now() + 3600, "scope": " ".join(names)}
    principal = Principal.from_claims(claims | dict.fromkeys(names, "yes"))
    return least_cost(lambda: requirements.check(principal, now=0.0), calls=500)


async def _deny_list(count: int) -> DenyList:
    deny_list_module.CAPACITY = max(count + 10, 10_000)  # the default is lower
    deny_list = DenyList(open_cache("memory://", clock=CLOCK), clock=CLOCK)
    for number in range(count):
        await deny_list.add(_entry(f"denied-{number}"))
    return deny_list


def _entry(subject: str) -> DenyEntry:
    return DenyEntry(kind="sub", value=subject, issuer=ISSUER, expires_at=CLOCK.now() + 3600)


def deny_check_cost(count: float) -> float:
    """Return the cost of checking a principal against so many entries."""
    deny_list = asyncio.run(_deny_list(int(count)))
    principal = Principal.from_claims({"iss": ISSUER, "sub": "alice", "jti": "1", "exp": CLOCK.now() + 3600})
    return least_cost(lambda: deny_list.check(principal), calls=2000)


def deny_add_cost(count: float) -> float:
    """Return the cost of adding one more entry."""

    async def measure() -> float:
        deny_list = await _deny_list(int(count))
        best = math.inf
        for number in range(20):
            entry = _entry(f"other-{number % 5}")
            started = time.thread_time()
            await deny_list.add(entry)
            best = min(best, time.thread_time() - started)
        return 1e6 * best

    return asyncio.run(measure())


def monitor_cost(count: float) -> float:
    """Return the cost of the check of so many tokens, which runs each second."""

    async def measure() -> float:
        deny_list = await _deny_list(10)
        monitor = TokenMonitor(clock=CLOCK, is_denied=lambda principal: deny_list.denied_by(principal) is not None)
        cache = ValidatedTokenCache(clock=CLOCK)
        held = []
        for number in range(int(count)):
            principal = Principal.from_claims({"iss": ISSUER, "sub": f"user-{number}", "exp": CLOCK.now() + 3600})
            token = f"{'x' * 900}{number}"
            cache.put(token, ValidatedToken(principal, lambda: True))
            held.append(monitor.watch(principal, revalidate=partial(_revalidate, cache, token)))
        best = math.inf
        for _ in range(REPEATS):
            started = time.thread_time()
            await monitor.check_all()
            best = min(best, time.thread_time() - started)
        assert not any(token.ended.is_set() for token in held)
        await monitor.close()
        return 1e6 * best

    return asyncio.run(measure())


def _revalidate(cache: ValidatedTokenCache, token: str) -> None:
    assert cache.get(token) is not None


# The cost of whole processes.


@contextlib.contextmanager
def _service(issuer: str, *options: str) -> Iterator[tuple[str, int, int]]:
    """Serve in another process, and yield its host, port and process ID."""
    command = [sys.executable, "-m", "service", "--port", "0", "--issuer", issuer, "--log-level", "error", *options]
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith("listening on ")).split()[-1]
        host, _, port = url.rpartition("/")[2].partition(":")
        try:
            yield host, int(port), process.pid
        finally:
            process.terminate()


def sockets_memory(count: float) -> float:
    """Return the megabytes that so many open WebSockets add to a process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * int(count) + 200)), hard))
    with (
        fakeissuer.running() as issuer,
        _service(issuer.issuer_url(), "--routes", "growth:ROUTES") as (host, port, pid),
    ):
        request = (
            f"GET /socket HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        with contextlib.ExitStack() as stack:
            before = 0.0
            for number in range(int(count) + 1):
                token = issuer.token(sub=f"user-{number}")
                connection = stack.enter_context(socket.create_connection((host, port)))
                connection.sendall(f"{request}Authorization: Bearer {token}\r\n\r\n".encode())
                assert connection.recv(65536).startswith(b"HTTP/1.1 101 ")
                before = before or resident_megabytes(pid)
            return resident_megabytes(pid) - before


def processes_cost(count: float) -> float:
    """Return the CPU time of a request with a known token, summed over so many processes."""
    with tempfile.TemporaryDirectory() as folder, fakeissuer.running() as issuer:
        tokens = Path(folder) / "tokens"
        tokens.write_text(issuer.token())
        with _service(issuer.issuer_url(), "--processes", str(int(count))) as (host, port, pid):
            script = Path(__file__).parent / "peers" / "requests.lua"
            command = ["wrk", "-t1", "-c32", "-d1s", "-s", str(script), f"http://{host}:{port}/api/whoami"]
            environment = os.environ | {"TOKENS": str(tokens)}
            best = math.inf
            for _ in range(4):  # in the first, each process also fetches the keys
                before = cpu_seconds(pid)
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                requests = json.loads(done.stdout.splitlines()[-1])["requests"]
                best = min(best, (cpu_seconds(pid) - before) / requests)
    return 1e6 * best


def experiments() -> list[Experiment]:
    """Return what is measured here."""
    found = [
        Experiment(
            name="A new token, by its size", unit_x="KiB", sizes=(0.75, 1, 2, 4, 8, 12, 15.9), short=(1, 4, 15.9),
            cost=token_size_cost, file="token-size.png",
            comment="Every byte is decoded, hashed and parsed once, beside the verification of the signature.",
        ),
        Experiment(
            name="A new token, by the number of issuers", unit_x="issuers", sizes=(1, 3, 10, 30, 100, 300, 1000),
            short=(1, 30, 1000), cost=issuers_cost, file="issuers.png",
            comment="The validator is found by the issuer that the token names.",
        ),
        Experiment(
            name="Finding a key, by the size of the key set", unit_x="keys", sizes=(1, 3, 10, 30, 100),
            short=(1, 10, 100), cost=keys_cost, file="keys.png", comment="A key is found by its key ID.",
        ),
        Experiment(
            name="Finding a handler, by the number of routes", unit_x="routes", sizes=(1, 3, 10, 30, 100, 300, 1000),
            short=(1, 30, 1000), cost=routes_cost, file="routes.png",
            comment="Tornado matches the routes one after the other, and this is the last one.",
        ),
        Experiment(
            name="... the same by Tornado alone", unit_x="routes", sizes=(1, 3, 10, 30, 100, 300, 1000),
            short=(1, 30, 1000), cost=bare_routes_cost, file="routes-bare.png",
            comment="For comparison with the previous figure: the difference is the service's own part.",
        ),
        Experiment(
            name="A known token, by the number of cached tokens", unit_x="tokens",
            sizes=(10, 100, 1000, 10_000, 100_000, 1_000_000), short=(10, 1000, 100_000), cost=cached_tokens_cost,
            file="cached-tokens.png",
            comment="A hash table; from some ten thousand on, its entries no longer fit into the processor's caches.",
        ),
        Experiment(
            name="Authorization, by the number of requirements", unit_x="scopes and as many claims",
            sizes=(1, 3, 10, 30, 100), short=(1, 10, 100), cost=requirements_cost, file="requirements.png",
            comment="Each requirement of a handler is checked once.",
        ),
        Experiment(
            name="The deny list's check, by its entries", unit_x="entries", sizes=(10, 100, 1000, 10_000, 100_000),
            short=(10, 1000, 10_000), cost=deny_check_cost, file="deny-list-check.png",
            comment="Each identifier of the principal is looked up in a hash table.",
        ),
        Experiment(
            name="A new entry of the deny list, by its entries", unit_x="entries",
            sizes=(10, 100, 1000, 10_000, 100_000), short=(10, 1000, 10_000), cost=deny_add_cost,
            file="deny-list-add.png", comment="Entries are counted only when the list may be full.",
        ),
        Experiment(
            name="The check of open WebSockets each second, by their number", unit_x="WebSockets",
            sizes=(10, 100, 500, 1000, 2500, 5000), short=(10, 100, 1000), cost=monitor_cost,
            file="websockets-check.png",
            comment="A token can end at any time, by its key or the deny list too, so each is checked once a second.",
        ),
        Experiment(
            name="Memory of open WebSockets, by their number", unit_x="WebSockets", unit_y="MB",
            sizes=(250, 500, 1000, 2500, 5000), short=(100, 200, 400), cost=sockets_memory,
            file="websockets-memory.png", rounds=1,
            comment="Each connection has its buffers, its handler and its principal.",
        ),
    ]  # fmt: skip
    if shutil.which("wrk"):
        comment = (
            "Processes share nothing but the listening socket, so a request costs the same in each of them. "
            f"From two processes on, they and wrk share the {os.cpu_count()} cores of this machine, which slows each."
        )
        found.append(
            Experiment(
                name="A request with a known token, by the number of processes",
                unit_x="processes",
                sizes=(1, 2, 4, 8),
                short=(1, 2),
                cost=processes_cost,
                comment=comment,
                file="processes.png",
                rounds=1,
            )
        )
    return found


def fit_exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope in the upper half of the logarithmic plot, by least squares."""
    logarithms = [(math.log(x), math.log(y)) for x, y in points]
    middle = (logarithms[0][0] + logarithms[-1][0]) / 2
    upper = [(x, y) for x, y in logarithms if x >= middle]
    if len(upper) < 2:
        upper = logarithms[-2:]
    return statistics.linear_regression(*zip(*upper, strict=True)).slope


def run(short: bool, out: Path, *, only: str = "") -> list[Curve]:  # noqa: FBT001  # the report calls every benchmark alike
    """Measure and plot every curve; write the plots and ``growth.json`` to a folder.

    Args:
        only: Measures only the curves whose file name contains this, and takes the others from ``growth.json``.
    """
    # Many issuers that do not exist, and clients that leave, are not news here.
    logging.disable(logging.ERROR)
    out.mkdir(parents=True, exist_ok=True)
    figures = out / "growth.json"
    curves = {curve.file: curve for curve in load(figures)} if only else {}
    for experiment in experiments():
        if only not in experiment.file:
            continue
        points = experiment.points(short=short)
        curve = Curve(
            name=experiment.name,
            unit_x=experiment.unit_x,
            unit_y=experiment.unit_y,
            points=points,
            exponent=fit_exponent(points),
            comment=experiment.comment,
            file=experiment.file,
        )
        plot(curve, out / curve.file)
        print(describe(curve), flush=True)
        curves[curve.file] = curve
    figures.write_text(json.dumps([dataclasses.asdict(curve) for curve in curves.values()], indent=1) + "\n")
    return list(curves.values())


def load(figures: Path) -> list[Curve]:
    """Return the curves of an earlier run, from its ``growth.json``."""
    documents = json.loads(figures.read_text())
    return [Curve(**document | {"points": tuple(map(tuple, document["points"]))}) for document in documents]


def describe(curve: Curve) -> str:
    """Return a curve in one line."""
    points = ", ".join(f"{x:g}: {y:.3g}" for x, y in curve.points)
    return f"{curve.name}: exponent {curve.exponent:.2f} ({curve.unit_y} at {curve.unit_x}: {points})"


def plot(curve: Curve, file: Path) -> None:
    """Draw a curve on logarithmic scales."""
    import matplotlib as mpl  # noqa: PLC0415  # the service imports this file too, for its routes

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  # as above

    figure, axes = plt.subplots(figsize=(5, 3.2), dpi=100, layout="constrained")
    axes.loglog(*zip(*curve.points, strict=True), marker="o")
    axes.set_title(f"{curve.name}: exponent {curve.exponent:.2f}", fontsize=9)
    axes.set_xlabel(curve.unit_x)
    axes.set_ylabel(curve.unit_y)
    _, top = axes.get_ylim()
    low = min(y for _, y in curve.points)
    axes.set_ylim(low / 3, max(top, 3 * low))  # a constant cost looks constant
    axes.grid(visible=True, which="both", alpha=0.3)
    figure.savefig(file, metadata={"Software": ""})
    plt.close(figure)


def section(curves: Sequence[Curve], *, folder: str) -> str:
    """Return the section of the documentation about the curves.

    Args:
        folder: The folder of the plots, as seen from the page.
    """
    lines = [
        "Growth",
        "------",
        "",
        (
            "The exponent is the slope in the upper half of each plot: 0 is a constant cost, and 1 is a cost that "
            "doubles when its cause doubles."
        ),
        "",
    ]
    for curve in curves:
        (first_x, first_y), (last_x, last_y) = curve.points[0], curve.points[-1]
        caption = (
            f"{curve.name}: exponent {curve.exponent:.2f}; {first_y:.3g} {curve.unit_y} at {first_x:g} and "
            f"{last_y:.3g} {curve.unit_y} at {last_x:g} {curve.unit_x}. {curve.comment}"
        )
        lines += [f".. figure:: {folder}/{curve.file}", f"   :alt: {curve.name}", "", f"   {caption}", ""]
    return "\n".join(lines)


def main() -> None:
    """Print the exponents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="three sizes of each, in some seconds")
    parser.add_argument("--only", default="", metavar="TEXT", help="the curves whose file name contains this")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of plots and figures")
    options = parser.parse_args()
    run(options.short, options.out, only=options.only)


if __name__ == "__main__":
    main()
