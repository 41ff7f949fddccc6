"""How the cost of the service grows with what it is given: a plot for each, and the exponent of the growth.

Run it as ``python benchmarks/growth.py --out docs/benchmarks``; it needs ``matplotlib``, and ``wrk`` for the last
curve.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import shutil
from pathlib import Path

import growth_of_processes as processes
import growth_of_steps as steps
from curves import Curve, Experiment, describe, fit_exponent, load, plot


def experiments() -> list[Experiment]:
    """Return what is measured here."""
    found = [
        Experiment(
            name="A new token, by its size", unit_x="KiB", sizes=(0.75, 1, 2, 4, 8, 12, 15.9), short=(1, 4, 15.9),
            cost=steps.token_size_cost, file="token-size.png",
            comment="Every byte is decoded, hashed and parsed once, beside the verification of the signature.",
        ),
        Experiment(
            name="A new token, by the number of issuers", unit_x="issuers", sizes=(1, 3, 10, 30, 100, 300, 1000),
            short=(1, 30, 1000), cost=steps.issuers_cost, file="issuers.png",
            comment="The validator is found by the issuer that the token names.",
        ),
        Experiment(
            name="Finding a key, by the size of the key set", unit_x="keys", sizes=(1, 3, 10, 30, 100),
            short=(1, 10, 100), cost=steps.keys_cost, file="keys.png", comment="A key is found by its key ID.",
        ),
        Experiment(
            name="Finding a handler, by the number of routes", unit_x="routes", sizes=(1, 3, 10, 30, 100, 300, 1000),
            short=(1, 30, 1000), cost=steps.routes_cost, file="routes.png",
            comment="Tornado matches the routes one after the other, and this is the last one.",
        ),
        Experiment(
            name="... the same by Tornado alone", unit_x="routes", sizes=(1, 3, 10, 30, 100, 300, 1000),
            short=(1, 30, 1000), cost=steps.bare_routes_cost, file="routes-bare.png",
            comment="For comparison with the previous figure: the difference is the service's own part.",
        ),
        Experiment(
            name="A known token, by the number of cached tokens", unit_x="tokens",
            sizes=(10, 100, 1000, 10_000, 100_000, 1_000_000), short=(10, 1000, 100_000), cost=steps.cached_tokens_cost,
            file="cached-tokens.png",
            comment="A hash table; from some ten thousand on, its entries no longer fit into the processor's caches.",
        ),
        Experiment(
            name="Authorization, by the number of requirements", unit_x="scopes and as many claims",
            sizes=(1, 3, 10, 30, 100), short=(1, 10, 100), cost=steps.requirements_cost, file="requirements.png",
            comment="Each requirement of a handler is checked once.",
        ),
        Experiment(
            name="The deny list's check, by its entries", unit_x="entries", sizes=(10, 100, 1000, 10_000, 100_000),
            short=(10, 1000, 10_000), cost=steps.deny_check_cost, file="deny-list-check.png",
            comment="Each identifier of the principal is looked up in a hash table.",
        ),
        Experiment(
            name="A new entry of the deny list, by its entries", unit_x="entries",
            sizes=(10, 100, 1000, 10_000, 100_000), short=(10, 1000, 10_000), cost=steps.deny_add_cost,
            file="deny-list-add.png", comment="Entries are counted only when the list may be full.",
        ),
        Experiment(
            name="The check of open WebSockets each second, by their number", unit_x="WebSockets",
            sizes=(10, 100, 500, 1000, 2500, 5000), short=(10, 100, 1000), cost=steps.monitor_cost,
            file="websockets-check.png",
            comment="A token can end at any time, by its key or the deny list too, so each is checked once a second.",
        ),
        Experiment(
            name="Memory of open WebSockets, by their number", unit_x="WebSockets", unit_y="MB",
            sizes=(250, 500, 1000, 2500, 5000), short=(100, 200, 400), cost=processes.sockets_memory,
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
                cost=processes.processes_cost,
                comment=comment,
                file="processes.png",
                rounds=1,
            )
        )
    return found


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
