"""Runs all benchmarks and writes ``docs/benchmarks.rst`` with its plots.

Run it as ``python benchmarks/report.py``; ``--short`` takes a few minutes and writes nothing, for continuous
integration. ``--peers`` is explained in ``http_requests.py``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import curves
import growth
import http_instructions
import http_requests
import micro
import start_and_size
from http_instructions import Count
from http_requests import BARE, CACHED, HELLO, KNOWN, LOGGING, NEW, PROOF, QUIET, SCENARIOS, TWO, Results
from micro import Figure

DOCS = Path(__file__).parents[1] / "docs"
_RSA_US = 28.0
"""Microseconds of a bare RSA-2048 verification on the machine for which the target of a new token was set."""

INTRODUCTION = """\
Benchmarks
==========

.. This page is generated: python benchmarks/report.py

What a request costs, beside what you would use otherwise, and how the cost grows.
Absolute figures are those of one machine at one time; quote the ratios.
Repeat everything with ``tox -e bench``, or with ``python benchmarks/report.py``, which writes this page.

"""

_REASONS = (
    "\nThese ratios vary by about a tenth from one run to the next.\n"
    "The service needs about as many instructions for a request as the bare handler, see below, and fewer system "
    "calls: 2 in place of 7 for a known token, counted by strace.\n"
    "Its ratio of time is higher than that of instructions.\n"
    "The likely cause, which valgrind does not show, is that its instructions are spread over some seventy functions "
    "that run once in a request, so that they are no longer in the caches of the processor when the next request "
    "comes.\n"
    "Those functions do what the bare handler does not: limits of each connection, the choice of a handler that is "
    "protected, a request ID, four more header fields, and the token, its key and the deny list.\n"
    "The access log adds about 10 µs for a line, and a thread that writes the lines.\n"
    "Starlette runs on a server that is written in C: its request with a validated token costs less than a request "
    "to a bare Tornado handler, so no service on Tornado can undercut it.\n"
    "A signature takes longer to verify in a server than in a loop of its own, since other code displaces it from the "
    "caches of the processor: one more verification in each request adds about four times what the loop shows.\n"
    "``wrk`` stays on the last core: where there are only two, the second process has what ``wrk`` leaves of it.\n"
    "With uvloop instead of asyncio's event loop, a bare Tornado handler took between 6 % less and 14 % more CPU time "
    "in alternating rounds, so the service does not use it.\n"
)


def main() -> None:
    """Run the benchmarks, print the page, and write it unless the run is short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few rounds, and write nothing")
    parser.add_argument("--peers", type=Path, metavar="PATH", help="an environment with the peers in Python")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("the benchmarks need wrk, which Debian has as a package")
        # A run of all of tox does not require it, but continuous integration does.
        sys.exit(1 if "CI" in os.environ or not options.short else 0)
    with tempfile.TemporaryDirectory() as folder:
        plots = Path(folder) if options.short else DOCS / "benchmarks"
        plots.mkdir(exist_ok=True)
        results = http_requests.run(rounds=1 if options.short else 7, seconds=1, peers=options.peers)
        counts = http_instructions.run(short=options.short) if shutil.which("valgrind") else []
        figures = micro.run(short=options.short)
        sizes = start_and_size.run(short=options.short)
        plotted = growth.run(short=options.short, out=plots)
    page = "\n".join(
        [
            INTRODUCTION + _machine(),
            _http(results, figures, counts),
            _micro(figures),
            _sizes(sizes),
            curves.section(plotted, folder="benchmarks"),
        ]
    )
    if options.short:
        print("every benchmark ran; the figures of one round mean little, so the page stays as it is")
    else:
        (DOCS / "benchmarks.rst").write_text(page, "utf-8")
        print("wrote docs/benchmarks.rst")


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    names = ("tornado", "cryptography", "PyJWT", "pydantic")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"This run: {dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores of {cpu}, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {versions}.\n"
    )


def _http(results: Results, figures: Sequence[Figure], counts: Sequence[Count]) -> str:
    header = ["", *(scenario.name for scenario in SCENARIOS), "requests/s, known token"]
    rows = []
    for name in results.servers():
        costs = [results.cpu(scenario, name) for scenario in SCENARIOS]
        rate = f"{results.rate(KNOWN, name):.0f}"
        rows.append([name, *("" if cost is None else f"{cost:.0f}" for cost in costs), rate])
    return (
        _heading("Requests over HTTP")
        + "Microseconds of CPU for a request, of the whole process and by the accounting of the operating system.\n"
        + f"Each server is one process; ``wrk`` sends requests on {http_requests.CONNECTIONS} connections.\n"
        + "The rounds of the servers alternate.\n"
        + "A new token is one that the server has not seen before; the bare handler reads no token.\n"
        + "A DPoP proof is made just before its round, and each request has another one.\n\n"
        + _table(header, rows)
        + "\n"
        + _table(["Target", "Measured", ""], [list(row) for row in _http_targets(results, figures)])
        + _REASONS
        + _instructions(counts)
    )


def _instructions(counts: Sequence[Count]) -> str:
    if not counts:
        return ""
    rows = [
        [each.scenario.name, f"{each.bare:,.0f}", f"{each.service:,.0f}", f"{each.service / each.bare:.2f}"]
        for each in counts
    ]
    return (
        "\nThese are the instructions of the program for a request, counted by valgrind.\n"
        "They depend neither on the load of the machine nor on the caches of the processor.\n\n"
        + _table(["", "bare Tornado handler", "this service, quiet", "ratio"], rows)
    )


def _http_targets(results: Results, figures: Sequence[Figure]) -> Iterator[tuple[str, str, str]]:
    limits = [
        ("hello with access log, to a bare handler", results.ratio(HELLO, LOGGING, BARE), 1.10),
        ("hello quiet, to a bare handler", results.ratio(HELLO, QUIET, BARE), 1.03),
        ("known token quiet, to a bare handler", results.ratio(KNOWN, QUIET, BARE), 1.05),
        ("known token with access log, to a bare handler", results.ratio(KNOWN, LOGGING, BARE), 1.12),
        ("cached introspection, to a known JWT", results.ratio(KNOWN, CACHED, QUIET), 1.05),
    ]
    peers = [name for name in results.servers() if name != BARE and not name.startswith("this service")]
    if peers:
        best = min(peers, key=lambda name: results.cpu(KNOWN, name) or 0.0)
        limits.append((f"known token quiet, to the best peer ({best})", results.ratio(KNOWN, QUIET, best), 0.60))
    for text, measured, limit in limits:
        yield f"{text}: at most {limit:.2f} times", f"{measured:.2f}", _met(measured, limit, "")
    cores = len(os.sched_getaffinity(0))
    free = min(2.0, cores - results.wrk_cores(KNOWN, TWO))
    speedup = results.speedup(KNOWN, TWO, QUIET)
    limit = 1.8 * free / 2
    text = f"requests a second of two processes, to one, with {free:.1f} cores for them: at least {limit:.2f} times"
    yield text, f"{speedup:.2f}", "met" if speedup >= limit else f"missed by {limit - speedup:.2f}"
    rsa = next(figure.microseconds for figure in figures if figure.name == "RS256, bare verification")
    limit = 80.0 * rsa / _RSA_US
    added = results.difference(NEW, KNOWN, QUIET)
    text = f"new token minus known token: at most {limit:.0f} µs, where a bare RSA-2048 verification takes {rsa:.0f} µs"
    yield text, f"{added:.0f} µs", _met(added, limit, "µs")
    p256 = next(figure.microseconds for figure in figures if figure.name == "ES256, bare verification")
    limit = 2.0 * p256
    added = results.difference(PROOF, KNOWN, QUIET)
    text = f"known token with a DPoP proof minus known token: at most {limit:.0f} µs, two bare P-256 verifications"
    yield text, f"{added:.0f} µs", _met(added, limit, "µs")
    added = results.difference(NEW, KNOWN, QUIET)
    if peers:
        of_peer = min(results.difference(NEW, HELLO, name) for name in peers)
        yield (
            f"new token minus known token: at most half of what the cheapest peer spends on a token, {of_peer:.0f} µs",
            f"{added:.0f} µs",
            _met(added, of_peer / 2, "µs"),
        )
        rates = {name: results.rate(KNOWN, name) for name in peers}
        fastest = max(rates, key=lambda name: rates[name])
        own = results.rate(KNOWN, QUIET)
        text = (
            f"requests a second with a known token: more than every peer, of which {fastest} has {rates[fastest]:.0f}"
        )
        yield text, f"{own:.0f}", "met" if own > rates[fastest] else f"missed by {rates[fastest] - own:.0f}"


def _micro(figures: Sequence[Figure]) -> str:
    header = ["", "µs", "ratio", "allocations", "instructions", "target", ""]
    rows = [
        [
            figure.name,
            f"{figure.microseconds:.2f}",
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if figure.allocations is None else f"{figure.allocations:.1f}",
            "" if figure.instructions is None else f"{figure.instructions:,.0f}",
            figure.target,
            figure.comment,
        ]
        for figure in figures
    ]
    return (
        _heading("Parts of a request")
        + "The ratio is to the bare verification of the same signature by ``cryptography``.\n"
        + "Instructions are counted by valgrind, and do not depend on the load of the machine.\n\n"
        + _table(header, rows)
    )


def _sizes(sizes: Iterable[start_and_size.Figure]) -> str:
    rows = [[size.name, f"{size.value:.3g} {size.unit}", size.outcome] for size in sizes]
    return (
        _heading("Start and size")
        + _table(["", "Measured", "Target"], rows)
        + "\nMost of the start and of the memory is that of Tornado, pydantic, cryptography and pycurl.\n"
        + "The program starts two interpreters, one after the other: the supervisor, which reads the settings and "
        + "takes about 50 MB, and the worker.\n"
    )


def _met(measured: float, limit: float, unit: str) -> str:
    return "met" if measured <= limit else f"missed by {measured - limit:.2f} {unit}".rstrip()


def _heading(text: str) -> str:
    return f"{text}\n{'-' * len(text)}\n\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *rows):
        first, *others = row
        lines += [f"   * - {first}".rstrip(), *(f"     - {cell}".rstrip() for cell in others)]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
