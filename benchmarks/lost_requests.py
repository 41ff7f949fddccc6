"""Counts the requests that clients lose while the workers are replaced, or the program stops.

Run it as ``python benchmarks/lost_requests.py``. Two worker processes serve 64 clients that keep their connections,
send a thousand requests a second together, and repeat none. A client sends nothing on a connection that is closed by
then, or whose last response has announced that with ``Connection: close``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

from keep_alive_load import KeepAliveLoad
from programs import clean_environment
from supervised import Supervised

Action = Callable[[Supervised, KeepAliveLoad], Awaitable[None]]


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


async def until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110  # a process has no event
        await asyncio.sleep(0.02)


async def reload(program: Supervised, _load: KeepAliveLoad) -> None:
    before = program.workers()
    program.signal(signal.SIGHUP)
    await until(lambda: "reload finished" in program.log and not program.workers() & before)


async def retire(program: Supervised, _load: KeepAliveLoad) -> None:
    await until(lambda: program.log.count("reason=max_requests") >= 4)


async def drain_each(program: Supervised, _load: KeepAliveLoad) -> None:
    for worker in sorted(program.workers()):
        os.kill(worker, signal.SIGTERM)
        await until(lambda worker=worker: len(program.workers() - {worker}) == 2)  # type: ignore[misc]


async def drain(program: Supervised, load: KeepAliveLoad) -> None:
    program.signal(signal.SIGTERM)
    await until(lambda: load.tally.refused == 64)


SCENARIOS: dict[str, tuple[Action, dict[str, str]]] = {
    "rolling reload (SIGHUP)": (reload, {}),
    "retirement (max_requests)": (retire, {"SERVICE_MAX_REQUESTS": "1500"}),
    "SIGTERM to one worker after the other": (drain_each, {}),
    "drain of the program (SIGTERM)": (drain, {}),
}


async def run(program: Supervised, act: Action, *, rate: float) -> KeepAliveLoad:
    load = KeepAliveLoad(program.port, rate=rate)
    clients = asyncio.ensure_future(load.run())
    await asyncio.sleep(1)
    await act(program, load)
    load.stop()
    await clients
    return load


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=1000.0, help="requests a second (default 1000)")
    rate = parser.parse_args().rate
    lost = 0
    for name, (act, variables) in SCENARIOS.items():
        with running(**variables) as program:
            load = asyncio.run(run(program, act, rate=rate))
        lost += sum(load.tally.lost.values())
        print(f"{name:40} {load.tally}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
