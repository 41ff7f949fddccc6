from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from service.operations.stop_signals import STOP_SIGNALS


@pytest.fixture(autouse=True)
def _restore_stop_signals() -> Iterator[None]:
    """Restore the handlers of the process: the program ignores stop signals once it stops."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
