"""The messages of the service to a service manager such as systemd while it starts, reloads and stops."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import curl, listening
from service_manager import ServiceManager, service_manager

OPTIONS = ("service", "--port", "0", "--issuer", "https://dev-123456.okta.com/oauth2/default")


@pytest.fixture
def manager(environment: dict[str, str]) -> Iterator[ServiceManager]:
    with tempfile.TemporaryDirectory(prefix="manager") as folder, service_manager(Path(folder), environment) as running:
        yield running


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_service_is_ready_once_it_serves_and_reports_that_it_stops(processes: str, manager: ServiceManager) -> None:
    process = manager.start(*OPTIONS, "--processes", processes, SERVICE_DRAIN_TIMEOUT="40")
    manager.wait_for("READY")
    assert 200 == curl(f"{listening(process)}/healthz")[0]
    process.send_signal(signal.SIGTERM)
    assert 40_000_000 < int(manager.wait_for("STOPPING")["EXTEND_TIMEOUT_USEC"]) < 60_000_000
    assert 0 == process.wait(timeout=30)


def test_a_reload_is_announced_with_its_time_and_ends_as_ready(manager: ServiceManager) -> None:
    process = manager.start(*OPTIONS, "--processes", "2")
    manager.wait_for("READY")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    process.send_signal(signal.SIGHUP)
    assert before <= int(manager.wait_for("RELOADING")["MONOTONIC_USEC"])
    manager.wait_for("READY")
    assert 200 == curl(f"{listening(process)}/healthz")[0]


def test_the_watchdog_is_notified_while_the_service_works(manager: ServiceManager) -> None:
    process = manager.start(*OPTIONS, WATCHDOG_USEC="600000")
    manager.wait_for("READY")
    for _ in range(3):
        begin = time.monotonic()
        manager.wait_for("WATCHDOG")
        assert time.monotonic() - begin < 20
    process.send_signal(signal.SIGSTOP)
    while manager.pending():
        pass
    with pytest.raises(AssertionError, match="no message"):
        manager.next_message(timeout=1)
    process.send_signal(signal.SIGCONT)
    manager.wait_for("WATCHDOG")


def test_no_worker_has_the_variables_of_the_service_manager(manager: ServiceManager) -> None:
    process = manager.start(*OPTIONS, "--processes", "2", WATCHDOG_USEC="60000000")
    manager.wait_for("READY")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    for child in children:
        variables = Path(f"/proc/{child}/environ").read_bytes()
        assert (False, False) == (b"NOTIFY_SOCKET" in variables, b"WATCHDOG" in variables)


def test_a_service_manager_that_is_gone_harms_nothing(manager: ServiceManager) -> None:
    process = manager.start(*OPTIONS, NOTIFY_SOCKET=f"/nowhere/{os.getpid()}")
    assert 200 == curl(f"{listening(process)}/healthz")[0]
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert 0 == process.returncode
    assert "Traceback" not in err
