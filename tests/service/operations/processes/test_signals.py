from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from programs import Start
from supervised import Supervised

from service.operations.processes import signals
from service.operations.processes.signals import SignalQueue, Terminal, queued_signals


def test_signals_are_queued_and_each_counts_once() -> None:
    with queued_signals() as queue:
        assert [] == queue.take()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert [signal.SIGHUP, signal.SIGTERM] == queue.take()
        assert [] == queue.take()
    os.kill(os.getpid(), signal.SIGTERM)  # ignored from now on


def test_a_stop_signal_that_a_wrapper_repeats_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = SignalQueue()
    monkeypatch.setattr(time, "sleep", lambda _: queue.put(signal.SIGTERM))
    queue.put(signal.SIGTERM)
    assert [signal.SIGTERM] == queue.take()
    assert [] == queue.take()
    queue.close()


def test_more_signals_than_fit_are_dropped() -> None:
    queue = SignalQueue()
    for _ in range(100_000):
        queue.put(signal.SIGHUP)
    while queue.take():
        pass
    queue.close()


def test_without_a_terminal_sighup_means_a_reload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_has_terminal", lambda: False)
    terminal = Terminal()
    terminal.check(100.0)
    assert not terminal.was_just_closed(100.0)


def test_the_end_of_the_terminal_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    exists = True
    monkeypatch.setattr(signals, "_has_terminal", lambda: exists)
    terminal = Terminal()
    terminal.check(100.0)
    assert not terminal.was_just_closed(100.0)
    exists = False
    terminal.check(101.0)
    assert terminal.was_just_closed(102.0)
    terminal.check(200.0)
    assert not terminal.was_just_closed(200.0)


def test_the_program_ends_with_its_terminal() -> None:
    options = ["--port", "0", "--issuer", "http://127.0.0.1:9", "--audience", "api"]
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "service", *options])  # noqa: S606  # ours
    output = b""
    while b"listening on" not in output:
        output += os.read(master, 4096)
    os.close(master)
    # The exit code may tell that its log could not be written.
    assert os.WIFEXITED(os.waitpid(pid, 0)[1])


def test_in_one_process_a_second_signal_ends_it_at_once() -> None:
    script = """if True:
        import asyncio, os, signal
        from service.operations.processes.signals import call_at_stop_signal
        async def main():
            call_at_stop_signal(asyncio.get_running_loop(), lambda: print("stop", flush=True))
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)  # at once, which counts as the same
            await asyncio.sleep(0.2)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert (1, "stop\n") == (done.returncode, done.stdout)
    assert "a second signal, stopping at once" in done.stderr


@pytest.mark.parametrize("processes", ["1", "2"])
def test_signals_to_every_process_do_not_disturb_the_stop(processes: str, start: Start) -> None:
    """As of systemd with ``KillMode=control-group``, and of a terminal at Ctrl-C."""
    options = ("--port", "0", "--processes", processes, "--issuer", "http://127.0.0.1:9")
    program = Supervised(start("service", *options, "--audience", "api://default"))
    for pid in (program.process.pid, *program.wait_for_workers(int(processes))):
        os.kill(pid, signal.SIGTERM)
    assert 0 == program.wait()
    assert "Exception ignored" not in program.log
    assert "Traceback" not in program.log
