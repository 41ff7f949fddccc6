"""Counts the requests that clients lose while the workers are replaced, or the program stops.

Run it as ``python benchmarks/lost_requests.py``. Two worker processes serve 64 clients that keep their connections,
send a thousand requests a second together, and repeat none. A client sends nothing on a connection that is closed by
then, or whose last response has announced that with ``Connection: close``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

from keep_alive_load import KeepAliveLoad
from programs import clean_environment
from replacements import Action, drain, drain_each, reload, under_load, until
from supervised import Supervised


@contextlib.contextmanager
def running(**variables: str) -> Iterator[Supervised]:
    """Start the program with two workers."""
    options = ("--processes", "2", "--port", "0", "--issuer", "http://127.0.0.1:9", "--audience", "api://default")
    environment = clean_environment() | variables
    command = [sys.executable, "-m", "service", *options]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        program = Supervised(process)
        try:
            program.wait_for_workers(2)
            yield program
        finally:
            process.terminate()


async def retire(program: Supervised, _load: KeepAliveLoad) -> None:
    await until(lambda: program.log.count("reason=max_requests") >= 4)


SCENARIOS: dict[str, tuple[Action, dict[str, str]]] = {
    "rolling reload (SIGHUP)": (reload, {}),
    "retirement (max_requests)": (retire, {"SERVICE_MAX_REQUESTS": "1500"}),
    "SIGTERM to one worker after the other": (drain_each, {}),
    "drain of the program (SIGTERM)": (drain, {}),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=1000.0, help="requests a second (default 1000)")
    rate = parser.parse_args().rate
    lost = 0
    for name, (act, variables) in SCENARIOS.items():
        with running(**variables) as program:
            load = asyncio.run(under_load(program, act, KeepAliveLoad(program.port, rate=rate), begin=1))
        lost += sum(load.tally.lost.values())
        print(f"{name:40} {load.tally}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
