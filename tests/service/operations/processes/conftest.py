from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from service.operations.processes.signals import SUPERVISOR_SIGNALS


@pytest.fixture(autouse=True)
def _restore_signals() -> Iterator[None]:
    """Restore the handlers of the process: the program ignores these signals once it stops."""
    before = {number: signal.getsignal(number) for number in SUPERVISOR_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
