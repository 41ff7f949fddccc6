from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from programs import Start
from supervised import Supervised

from service.operations.processes import signals
from service.operations.processes.signals import SignalQueue, queued_signals, terminal_is_gone


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
    monkeypatch.setattr(signals.time, "sleep", lambda _: queue.put(signal.SIGTERM))
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
    def fail(*_: object) -> int:
        raise OSError(6, "No such device or address")

    monkeypatch.setattr(os, "open", fail)
    assert not terminal_is_gone()


def test_a_terminal_that_is_closed_is_recognised() -> None:
    script = """if True:
        import os, pty, signal, sys
        from service.operations.processes.signals import terminal_is_gone
        pid, master = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            print(terminal_is_gone(), file=sys.stderr, flush=True)
            sys.stdin.read()
            code = 0 if terminal_is_gone() else 1
            os._exit(code)
        os.read(master, 100)
        os.close(master)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert 0 == subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode


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
