from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from service_manager import ServiceManager, parse

from service.operations.sockets.notifier import Notifier


@pytest.fixture
def notifier(manager: ServiceManager) -> Notifier:
    return Notifier(str(manager.folder / "notify"))


def test_each_state_is_one_message(manager: ServiceManager, notifier: Notifier) -> None:
    notifier.ready("2 workers")
    notifier.stopping("draining", within=30.5)
    notifier.status("halfway")
    notifier.watchdog()
    assert [
        {"READY": "1", "STATUS": "2 workers"},
        {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "30500000", "STATUS": "draining"},
        {"STATUS": "halfway"},
        {"WATCHDOG": "1"},
    ] == [manager.next_message() for _ in range(4)]


def test_a_reload_has_its_time(manager: ServiceManager, notifier: Notifier) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier.reloading()
    message = manager.next_message()
    assert {"RELOADING", "MONOTONIC_USEC"} == message.keys()
    assert before <= int(message["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


@pytest.mark.parametrize("text", ["first\nSTOPPING=1", "first\r\nSTOPPING=1", "first\vSTOPPING=1"])
def test_a_status_is_one_line(text: str, manager: ServiceManager, notifier: Notifier) -> None:
    notifier.status(text)
    assert {"STATUS": "first STOPPING=1"} == manager.next_message()


def test_a_long_status_is_cut(manager: ServiceManager, notifier: Notifier) -> None:
    notifier.status("x" * 100_000)
    assert 500 == len(manager.next_message()["STATUS"])


def test_an_abstract_socket_is_reached() -> None:
    name = f"notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        Notifier(f"@{name}").ready()
        assert {"READY": "1"} == parse(receiver.recv(100))


def test_without_a_service_manager_nothing_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier.from_environment({})
    notifier.ready()
    assert (False, None, []) == (notifier.is_enabled, notifier.watchdog_interval, caplog.records)


def test_the_variables_are_removed() -> None:
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    notifier = Notifier.from_environment(environ)
    assert (True, 15.0) == (notifier.is_enabled, notifier.watchdog_interval)
    assert {"A": "b"} == environ


@pytest.mark.parametrize(
    ("usec", "pid"), [("", ""), ("0", ""), ("-1", ""), ("1e6", ""), ("9" * 40, ""), ("30000000", "1"), ("x", "")]
)
def test_a_watchdog_of_another_process_or_with_a_malformed_time_is_none(usec: str, pid: str) -> None:
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}
    assert Notifier.from_environment(environ).watchdog_interval is None


def test_a_watchdog_for_any_process_is_ours() -> None:
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "1000000"}
    assert 0.5 == Notifier.from_environment(environ).watchdog_interval


@pytest.mark.parametrize("path", ["/nowhere/notify", "vsock:2:1234", "a\0b", "/" + "x" * 200])
def test_a_failure_to_send_is_logged_once_and_harms_nothing(path: str, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier(path)
    for _ in range(3):
        notifier.watchdog()
    assert ["systemd cannot be notified"] == [record.message for record in caplog.records]


def test_a_failure_is_logged_again_after_a_success(
    manager: ServiceManager, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    path = manager.folder / "notify"
    for _ in range(2):
        path.rename(moved := Path(f"{path}.moved"))
        notifier.watchdog()
        moved.rename(path)
        notifier.watchdog()
    assert 2 == len(caplog.records)
    assert [{"WATCHDOG": "1"}] * 2 == [manager.next_message() for _ in range(2)]


def test_a_service_manager_that_reads_nothing_delays_a_message_only_shortly(
    monkeypatch: pytest.MonkeyPatch, manager: ServiceManager, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("service.operations.sockets.notifier._SEND_TIMEOUT", 0.05)
    while not caplog.records:
        notifier.status("x" * 500)
    assert "timed out" in vars(caplog.records[0])["error"]
