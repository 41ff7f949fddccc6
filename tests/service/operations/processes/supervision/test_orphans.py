from __future__ import annotations

import os
import subprocess
import sys

import pytest

from service.operations.processes.supervision.orphans import reap_orphans


def test_only_the_first_process_reaps() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    reap_orphans()
    assert 0 == child.wait()


def test_the_first_process_reaps_what_it_has_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    reap_orphans()
    with pytest.raises(ChildProcessError):
        os.waitpid(child, 0)
    reap_orphans()
