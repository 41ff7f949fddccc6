"""Reaps processes that this one has not started."""

from __future__ import annotations

import contextlib
import multiprocessing
import os


def reap_orphans() -> None:
    """Reap the orphans of other processes that have ended, which the first process of a container inherits.

    Their exit codes mean nothing here. A worker is left to the object that has started it.
    """
    if os.getpid() != 1 or not hasattr(os, "waitid"):
        return
    own = {child.pid for child in multiprocessing.active_children()}
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in own:
            os.waitpid(ended.si_pid, os.WNOHANG)
