"""Runs ``check`` and ``explain``, prints their reports, and returns the exit code."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from service.clock import SystemClock
from service.issuers.client import JSONClient
from service.operations.doctor.check import check
from service.operations.doctor.explain import explain
from service.operations.doctor.host.advisories import read_advisories
from service.operations.doctor.proof_rules import ProofRequest
from service.operations.logs import configure_logging
from service.settings.program import Settings
from service.text import escape_unprintable
from service.web.application.route_table import format_table

_MAX_INPUT_SIZE = 1024 * 1024
"""Bytes of standard input that are read."""


async def run_check(
    settings: Settings,
    *,
    routes: Sequence[Any],
    show_routes: bool = False,
    as_json: bool = False,
    advisories: Path | None = None,
) -> int:
    """Print one line a check, and return 0, or 1 when a check fails.

    Args:
        routes: The routes that the service would mount.
        show_routes: Whether to print first what each method requires.
        as_json: Whether to print one JSON object instead.
        advisories: A file with known advisories to compare the installed packages with.

    Raises:
        SettingsError: A kind of validation does not exist, or the file cannot be read.
    """
    known = None if advisories is None else read_advisories(advisories)
    with _run_with_client(settings) as client:
        report = await check(settings, routes=routes, client=client, clock=SystemClock(), advisories=known)
    if as_json:
        document = report.to_json() | ({"routes": [asdict(row) for row in report.rows]} if show_routes else {})
        print(json.dumps(document, indent=2))
        return 0 if report.passed else 1
    if show_routes:
        _print([*format_table(report.rows), ""])
    _print(report.lines())
    return 0 if report.passed else 1


async def run_explain(words: Sequence[str], settings: Settings, *, request: ProofRequest | None = None) -> int:
    """Print the conclusion on one token and why, and return 0 when it is accepted, else 1.

    Args:
        words: The token as the shell split it, or ``-`` for standard input.
        request: The DPoP proof that was sent with it, if there is one.

    Raises:
        SettingsError: A kind of validation does not exist.
    """
    text = _read_piped() if list(words) == ["-"] else " ".join(words)
    with _run_with_client(settings) as client:
        explanation = await explain(text, settings, client=client, clock=SystemClock(), request=request)
    _print(explanation.lines())
    return 0 if explanation.accepted else 1


@contextlib.contextmanager
def _run_with_client(settings: Settings) -> Iterator[JSONClient]:
    # The report contains every problem; the log would repeat it.
    configure_logging(log_format=settings.log_format, log_level="error")
    client = JSONClient(proxy=settings.proxy_url, ca_file=settings.ca_file)
    try:
        yield client
    finally:
        client.close()


def _read_piped() -> str:
    return sys.stdin.buffer.read(_MAX_INPUT_SIZE).decode("utf-8", "replace")


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        # A claim of the token must not control the terminal, and not every terminal can encode it.
        print(escape_unprintable(line).encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding))
