from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _restore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Undo what the configuration of logging changes in this process."""
    for module, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    root, general, access = (logging.getLogger(name) for name in (None, "tornado.general", "service.access"))
    before = root.handlers[:], root.level, general.filters[:]
    yield
    root.handlers[:], root.level, general.filters[:] = before
    access.handlers.clear()
    access.filters.clear()
    access.propagate = True
    logging.setLogRecordFactory(logging.LogRecord)
