"""The cost of the parts of a request: tokens of each algorithm, claims, requirements, error responses.

Run it as ``python benchmarks/micro.py``; ``--short`` takes less than a minute. The rounds of the operations alternate
within one run, and each ratio is to the bare verification of the same algorithm in the same round, so that a machine
whose speed drifts drifts for both. Instructions are counted where valgrind is installed; the load of the machine does
not change them, but valgrind offers fewer processor extensions, so that signatures take more instructions in it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from accounting import resident_megabytes
from callgrind import callgrind_command, total_instructions
from micro_operations import TOKENS, Operation, prepared_operations

COUNTED = 10
"""Operations whose instructions are counted."""
MEMORY_AT_MOST_MB = 64

_COUNT = "--count-instructions"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The cost of one operation.

    Args:
        microseconds: The median time.
        ratio: The median ratio to the bare verification of the same algorithm, or None if there is none.
        allocations: The memory blocks that an operation leaves allocated, its result included.
        instructions: Those of the processor, or None without valgrind.
        target: The limit, and whether it is met; "" if there is none.
    """

    name: str
    microseconds: float
    ratio: float | None = None
    allocations: float | None = None
    instructions: float | None = None
    target: str = ""
    comment: str = ""


def run(*, short: bool) -> list[Figure]:
    """Measure every operation."""
    instructions = _count_in_valgrind() if shutil.which("valgrind") and shutil.which("vgdb") else {}
    return asyncio.run(_measure(instructions, short=short))


async def _measure(instructions: dict[str, float], *, short: bool) -> list[Figure]:
    async with prepared_operations() as (operations, cache_tokens):
        # First, since the process has no free memory yet that it would use before it takes more.
        memory = _memory(100_000 if short else 1_000_000, cache_tokens)
        allocations = {operation.name: _allocations(operation) for operation in operations}
        times = _times(operations, rounds=15 if short else 100)
        figures = []
        for operation in operations:
            own = times[operation.name]
            ratio = None
            if operation.bare:
                ratio = statistics.median(a / b for a, b in zip(own, times[operation.bare], strict=True))
            figures.append(
                Figure(
                    name=operation.name,
                    microseconds=statistics.median(own),
                    ratio=ratio,
                    allocations=allocations[operation.name],
                    instructions=instructions.get(operation.name),
                    target=_target(ratio, operation.at_most, "\N{MULTIPLICATION SIGN}"),
                    comment=operation.comment,
                )
            )
        return [*figures, memory]


def _target(measured: float | None, limit: float | None, unit: str) -> str:
    if measured is None or limit is None:
        return ""
    return f"at most {limit:g} {unit}: {'met' if measured <= limit else 'missed'}"


def _times(operations: Sequence[Operation], *, rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of each operation in each round."""
    times: dict[str, list[float]] = {operation.name: [] for operation in operations}
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for operation in operations:
            operation.before()
            started = time.perf_counter()
            for number in range(TOKENS):
                operation.run(number)
            times[operation.name].append(1e6 * (time.perf_counter() - started) / TOKENS)
    gc.enable()
    return times


def _allocations(operation: Operation) -> float:
    for _ in range(3):  # caches and the interpreter's own counters fill
        operation.before()
        for number in range(TOKENS):
            operation.run(number)
    operation.before()
    results: list[object] = [None] * TOKENS
    before = sys.getallocatedblocks()
    for number in range(TOKENS):
        results[number] = operation.run(number)
    return (sys.getallocatedblocks() - before) / TOKENS


def _memory(count: int, cache_tokens: Callable[[int], None]) -> Figure:
    before, started = resident_megabytes(os.getpid()), time.perf_counter()
    cache_tokens(count)
    taken, more = time.perf_counter() - started, resident_megabytes(os.getpid()) - before
    return Figure(
        name=f"{count:,} distinct tokens cached",
        microseconds=1e6 * taken / count,
        target=_target(more, MEMORY_AT_MOST_MB, "MB"),
        comment=f"{more:.1f} MB more memory",
    )


def _count_in_valgrind() -> dict[str, float]:
    """Return the instructions of each operation."""
    with tempfile.TemporaryDirectory() as folder:
        counted = subprocess.run(
            [*callgrind_command(Path(folder), "--instr-atstart=no"), sys.executable, __file__, _COUNT],
            env=os.environ | {"PYTHONHASHSEED": "0"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        *names, nothing = counted.stdout.splitlines()
        # The first file is what came before the first operation; every other one is what came between two operations.
        counts = {
            name: total_instructions(Path(folder, f"c.{2 * number}")) / COUNTED
            for number, name in enumerate([*names, nothing], start=1)
        }
    return {name: counts[name] - counts[nothing] for name in names}


async def _count() -> None:
    """Run the operations within valgrind, whose parent is :func:`_count_in_valgrind`."""
    async with prepared_operations() as (measured, _):
        operations = [*measured, Operation(name="nothing", run=lambda _: None)]
        for _ in range(3):  # the interpreter specializes what runs often
            for operation in operations:
                operation.before()
                for number in range(COUNTED):
                    operation.run(number)
        gc.collect()
        gc.disable()
        _start_counting()
        for operation in operations:
            operation.before()
            os.getppid()
            for number in range(COUNTED):
                operation.run(number)
            os.getppid()
            print(operation.name)
        sys.stdout.flush()
        os._exit(0)


def _start_counting() -> None:
    command = ["vgdb", f"--pid={os.getpid()}", "instrumentation", "on"]
    sender = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sender.poll() is None:  # valgrind receives commands only while the program runs
        pass


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer rounds")
    parser.add_argument(_COUNT, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count_instructions:
        asyncio.run(_count())
    print(f"{'':50}{'µs':>8}{'ratio':>8}{'blocks':>8}{'instructions':>14}  target")
    for figure in run(short=options.short):
        ratio, blocks, instructions = (
            "-" if value is None else f"{value:{form}}"
            for value, form in ((figure.ratio, ".2f"), (figure.allocations, ".1f"), (figure.instructions, ",.0f"))
        )
        note = "; ".join(filter(None, (figure.target, figure.comment)))
        print(f"{figure.name:50}{figure.microseconds:8.2f}{ratio:>8}{blocks:>8}{instructions:>14}  {note}")


if __name__ == "__main__":
    main()
