from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest
from programs import Start, listening


def _with_children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [pid, *map(int, children.split())]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_stop_signals_to_every_process_until_the_end_do_not_disturb_the_stop(processes: str, start: Start) -> None:
    """As of systemd, which signals the workers too, and of an operator who is impatient."""
    options = ("--port", "0", "--processes", processes, "--issuer", "http://127.0.0.1:9")
    process = start("service", *options, "--audience", "api://default")
    listening(process)
    pids = _with_children(process.pid)
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it has exited
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.003)
    _, err = process.communicate(timeout=20)
    assert 0 == process.returncode
    assert "Exception ignored" not in err
    assert "Traceback" not in err
